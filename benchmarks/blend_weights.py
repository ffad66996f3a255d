"""Interpolate between the weights that a run started from and those that it ended with.

    python benchmarks/blend_weights.py before.safetensors after.safetensors --share 0.7 \
        --score-threshold 0.55 --out face-ssd.safetensors

Interpolated weights keep most of what either has learned: Wortsman et al. 2022, Robust fine-tuning
of zero-shot models (arXiv:2109.01903), eq. 1.
"""

import dataclasses
from pathlib import Path

import click

from kpviewer.models.weights import load_model, save_weights


@click.command
@click.argument("before", type=click.Path(exists=True, path_type=Path))
@click.argument("after", type=click.Path(exists=True, path_type=Path))
@click.option("--share", type=click.FloatRange(0, 1), required=True, help="0: before; 1: after.")
@click.option(
    "--score-threshold", type=click.FloatRange(0, 1), help="New default confidence of the model."
)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(before: Path, after: Path, share: float, score_threshold: float | None, out: Path) -> None:
    """Interpolate between the weights of two files of one architecture."""
    start, end = load_model(before), load_model(after)
    first = start.network.state_dict()
    blended = {
        name: first[name] + share * (value - first[name]) if value.is_floating_point() else value
        for name, value in end.network.state_dict().items()
    }
    end.network.load_state_dict(blended)
    spec = dataclasses.replace(end.spec, activation_ranges=())  # they belong to other weights
    if score_threshold is not None:
        spec = dataclasses.replace(spec, score_threshold=score_threshold)
    save_weights(end, out, spec)


if __name__ == "__main__":
    main()
