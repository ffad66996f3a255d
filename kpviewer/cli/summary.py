"""``kpviewer summary``: lists the layers of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kpviewer.cli.options import size_option
from kpviewer.errors import WeightsError
from kpviewer.evaluation.text import text_table

if TYPE_CHECKING:
    from kpviewer.runtime.summary import Summary

COLUMNS = ("layer", "kind", "output", "parameters", "multiply-adds", "output MB")
_CURE = "Use a viewer of ONNX graphs, such as Netron."


@click.command
@click.argument("model")
@size_option
def command(model: str, size: tuple[int, int] | None) -> None:
    """List the layers of MODEL: shapes, parameters, multiply-adds and memory per image."""
    from kpviewer.models.loading import open_model
    from kpviewer.models.opening.torch_loading import as_torch
    from kpviewer.runtime.summary import summarise

    detector = as_torch(open_model(model), _CURE)
    input_hw = size or detector.spec.input_hw
    stride = detector.spec.stride
    try:
        if size and any(side % (stride or 1) for side in size):
            raise ValueError("Its images are resized to other sizes.")
        summary = summarise(detector.network, input_hw)
    except (RuntimeError, ValueError) as error:
        cure = f"Try multiples of its stride ({stride or 'unknown'})."
        if stride and not any(side % stride for side in input_hw):
            cure = "Try a smaller size."
        raise WeightsError(
            f"{detector.spec.name} can't run on {input_hw[0]}x{input_hw[1]}: {error} {cure}"
        ) from error
    if not summary.parameters:
        raise WeightsError(f"{detector.spec.name} has no layers of torch. {_CURE}")
    click.echo(summary_table(summary))


def summary_table(summary: Summary) -> str:
    """Return the table of layers, with totals below."""
    rows = [COLUMNS]
    for layer in summary.layers:
        shape = "x".join(map(str, layer.output_shape[1:])) or "-"
        multiply_adds = f"{layer.multiply_adds:,}" if layer.multiply_adds else "-"
        parameters = f"{layer.parameters:,}" if layer.parameters else "-"
        rows.append(
            (
                layer.name,
                layer.kind,
                shape,
                parameters,
                multiply_adds,
                f"{layer.output_bytes / 1e6:.2f}",
            )
        )
    height, width = summary.input_hw
    return "\n".join(
        [
            text_table(rows, left=2),
            "",
            f"input {height}x{width}: {summary.parameters:,} parameters, "
            f"{summary.multiply_adds / 1e6:,.1f} million multiply-adds; "
            f"{summary.weight_bytes / 1e6:.1f} MB of weights, "
            f"{summary.activation_bytes / 1e6:.1f} MB of outputs in all",
        ]
    )
