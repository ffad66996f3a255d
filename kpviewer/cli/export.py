"""``kpviewer export``: writes a model for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kpviewer.annotations.spec import FORMS
from kpviewer.cli.options import size_option
from kpviewer.cli.path_types import NamedPath

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpviewer.exporting.export import ExportReport
    from kpviewer.models.spec import ModelSpec
    from kpviewer.structures import ImageArray


@click.command
@click.argument("model")
@click.option(
    "--out",
    required=True,
    metavar="FILE",
    type=NamedPath(),
    help="Write to FILE.onnx, FILE.torchscript or FILE.cfg; for openvino, to a folder.",
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(("onnx", "openvino", "torchscript", "darknet")),
    default="onnx",
    help="Format of the file.",
)
@size_option
@click.option(
    "--half", is_flag=True, help="Store the weights in half precision: about half the size."
)
@click.option(
    "--int8",
    is_flag=True,
    help="Convolutions in 8-bit integers, for models that 'kpviewer calibrate' prepared.",
)
@click.option(
    "--nms",
    is_flag=True,
    help="Apply NMS in the graph, at the model's IoU threshold: rows of detections.",
)
@click.option(
    "--data",
    metavar="SPEC",
    help=f"Compare with torch on these images instead of the demo's: {FORMS}.",
)
@click.option("--limit", type=click.IntRange(1), default=16, help="Compare on N images.")
def command(
    *,
    model: str,
    out: Path,
    format_name: str,
    size: tuple[int, int] | None,
    half: bool,
    int8: bool,
    nms: bool,
    data: str | None,
    limit: int,
) -> None:
    """Export MODEL, so that other programs can run it.

    The graph takes (1, 3, H, W) RGB pixels in [0, 1] and outputs decoded boxes, scores and
    keypoints in the layout of Ultralytics' exports. The file describes itself: class names, input
    and thresholds are its metadata. kpviewer opens it without a description, but no TorchScript,
    as loading that runs code of the file. Darknet's files (cfg, weights, names) hold a YOLOv3's
    network alone.

    The file is compared with torch on images before it gets its name.
    """
    from kpviewer.exporting.export import export
    from kpviewer.exporting.options import ExportOptions, Format
    from kpviewer.models.loading import open_model

    detector = open_model(model)
    options = ExportOptions(Format(format_name), size, half=half, int8=int8, nms=nms)
    images = _images(detector.spec, data, limit)
    report = export(detector, out, options, images)
    click.echo(summary(report, detector.spec))


def _images(spec: ModelSpec, data: str | None, limit: int) -> Sequence[ImageArray]:
    """Return images of the data, or of the demo."""
    from kpviewer.cli.eval import read_data
    from kpviewer.evaluation.timing import read_image
    from kpviewer.exporting.parity import demo_images

    if data is None:
        return demo_images(spec, limit)
    images = read_data(data, limit).images
    return [read_image(image) for image in images]


def summary(report: ExportReport, original: ModelSpec) -> str:
    """Return the report for people: differences, sizes and times."""
    from kpviewer.evaluation.text import text_table

    parity, spec = report.parity, report.spec
    rows = [
        ("", "MB", "ms an image"),
        (f"{original.name}, torch", f"{report.weights_bytes / 1e6:.2f}",
         f"{report.original_ms:.1f}"),
        (report.path.name, f"{report.size_bytes / 1e6:.2f}", f"{report.exported_ms:.1f}"),
    ]  # fmt: skip
    lines = [
        f"{report.path}: the same as torch on {parity.images} images: {parity}",
        "",
        text_table(rows, left=1),
    ]
    height, width = spec.input_hw
    if original.stride is not None and not original.whole_input:
        lines += [
            "",
            f"Note: the input is always {height}x{width} px, and images of other proportions are "
            f"padded; the inputs of {original.name} follow the image.",
        ]
    return "\n".join(lines)
