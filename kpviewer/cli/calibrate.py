"""``kpviewer calibrate``: measures the activation ranges that int8 needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kpviewer.cli.options import data_option
from kpviewer.cli.path_types import FilePath
from kpviewer.errors import WeightsError

if TYPE_CHECKING:
    from kpviewer.annotations.structure import AnnotatedImage
    from kpviewer.models.base import Detector
    from kpviewer.structures import ImageArray


@click.command
@click.argument("model")
@data_option
@click.option("--out", required=True, metavar="FILE", type=FilePath(),
              help="Write MODEL's weights with the ranges to FILE.")  # fmt: skip
@click.option("--limit", type=click.IntRange(1), default=256,
              help="Use N images, spread over the set.")  # fmt: skip
def command(model: str, spec: str, out: Path, limit: int) -> None:
    """Measure the ranges of MODEL's activations, so that a CPU can run it in int8.

    MODEL is a shipped name or a .safetensors file. The data should be typical images, best those
    of the training; of their labels, a model that reads crops uses the boxes, others use nothing.
    The viewer picks int8 if the CPU supports it natively, the detections are the same, and it is
    faster. 'kpviewer eval --precision int8' measures the loss.
    """
    from tqdm import tqdm

    from kpviewer.cli.eval import read_data
    from kpviewer.models.weights import load_model, save_weights
    from kpviewer.runtime.torch.int8 import observed_ranges

    if out.suffix != ".safetensors":
        raise click.BadParameter("the file must be named .safetensors", param_hint="--out")
    detector = load_model(model)
    if hasattr(detector.network, "compile_refusal"):
        raise WeightsError(
            f"{detector.spec.name} runs in torch only, which has no int8. Use --precision auto."
        )
    data = read_data(spec, limit)
    for note in data.notes:
        click.echo(f"Note: {note}", err=True)
    images = data.images
    bar = tqdm(images, unit="image", disable=None, leave=False)
    ranges = observed_ranges(detector, (part for each in bar for part in _read(detector, each)))
    rows = tuple((name, *limits) for name, limits in ranges.items())
    if not rows:
        needed = "box" if _margin(detector) else "image"
        raise WeightsError(
            f"{model} has no convolution, or {spec} no {needed}: nothing to measure."
        )
    save_weights(detector, out, replace(detector.spec, activation_ranges=rows))
    click.echo(f"{out}: {len(rows)} convolutions, measured on {len(images)} images")


def _margin(detector: Detector) -> float:
    """Return the side of a crop over that of its box; 0 for a model that reads whole images."""
    return float(getattr(detector.network, "crop_margin", 0.0))


def _read(detector: Detector, image: AnnotatedImage) -> Iterator[ImageArray]:
    """Yield what a model reads of an image: the image, or a crop of each box."""
    from kpviewer.evaluation.timing import read_image
    from kpviewer.runtime.top_down import crop_region, cut_smoothly, padding_colour

    bgr, margin, crop_hw = read_image(image), _margin(detector), detector.spec.input_hw
    if not margin:
        yield bgr
        return
    for xyxy in image.targets.xyxy:
        low, scale = crop_region(xyxy, crop_hw, margin)
        yield cut_smoothly(bgr, low, scale, crop_hw, padding_colour(detector.spec))
