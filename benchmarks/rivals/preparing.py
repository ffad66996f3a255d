"""The video and the networks of the comparison: made here, as nothing may be downloaded."""

from fractions import Fraction
from pathlib import Path

import av
import click

from kpviewer.sources.base import new_image
from kpviewer.sources.open import make_source
from kpviewer.structures import ImageArray

FPS = 30


def frames(spec: str, count: int) -> list[ImageArray]:
    """Return the first frames of a source, (H, W, 3) uint8.

    Raises:
        click.ClickException: if it has fewer.
    """
    source = make_source(spec)
    source.open()
    found = []
    for _ in range(count):
        captured = source.read(new_image)
        if captured is None:
            message = f"{spec} must have {count} frames, got {len(found)}. Use a lower --frames."
            raise click.ClickException(message)
        found.append(captured.bgr)
    source.close()
    return found


def write_video(path: Path, images: list[ImageArray]) -> None:
    """Write images as H.264 in the usual settings of x264."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, FPS)
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))


def export_network(path: Path, name: str, images: list[ImageArray]) -> None:
    """Export an Ultralytics network of random weights by its own exporter, as ``NAME.onnx``.

    Batch norms are calibrated and class scores spread on the images, so that it finds boxes.
    """
    from benchmarks.layouts.ultralytics_zoo import export, random_model

    options = {"imgsz": 640}
    views = {str(index): image for index, image in enumerate(images)}
    export(path, random_model(f"{name}.yaml", 80, views, options), options)
