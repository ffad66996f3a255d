"""``kpviewer calibrate``: measures the activation ranges that int8 needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from kpviewer.cli.options import NamedPath, data_option
from kpviewer.errors import WeightsError


@click.command
@click.argument("model")
@data_option
@click.option("--out", required=True, metavar="FILE", type=NamedPath(),
              help="Write MODEL's weights with the ranges to FILE.")  # fmt: skip
@click.option("--limit", type=click.IntRange(1), default=256,
              help="Use N images, spread over the set.")  # fmt: skip
def command(model: str, spec: str, out: Path, limit: int) -> None:
    """Measure the ranges of MODEL's activations, so that a CPU can run it in int8.

    MODEL is a shipped name or a .safetensors file. The data should be typical images, best those
    of the training; labels aren't used. The viewer picks int8 if the CPU supports it natively, the
    detections are the same, and it is faster. 'kpviewer eval --precision int8' measures the loss.
    """
    from tqdm import tqdm

    from kpviewer.cli.eval import read_data
    from kpviewer.evaluation.timing import read_image
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
    ranges = observed_ranges(detector, (read_image(image) for image in bar))
    rows = tuple((name, *limits) for name, limits in ranges.items())
    if not rows:
        raise WeightsError(f"{model} has no convolution, or {spec} no image: nothing to measure.")
    save_weights(detector, out, replace(detector.spec, activation_ranges=rows))
    click.echo(f"{out}: {len(rows)} convolutions, measured on {len(images)} images")
