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


@click.command
@click.argument("model")
@size_option
def command(model: str, size: tuple[int, int] | None) -> None:
    """List the layers of MODEL: shapes, parameters, multiply-adds and memory per image."""
    from kpviewer.models.loading import open_model
    from kpviewer.models.onnx.network import OnnxNetwork
    from kpviewer.models.opening.shipped_graph import shipped_name
    from kpviewer.models.opening.torch_loading import as_torch
    from kpviewer.models.top_down import TopDownNetwork
    from kpviewer.runtime.summary import summarise

    opened = open_model(model)
    if isinstance(opened.network, OnnxNetwork | TopDownNetwork) and shipped_name(opened) is None:
        raise _run_by_another(opened.spec.name)
    detector = as_torch(opened)
    input_hw = size or detector.spec.input_hw
    stride = detector.spec.stride
    try:
        if size and any(side % (stride or 1) for side in size):
            raise ValueError("Its images are resized to other sizes.")
        summary = summarise(detector.network, input_hw)
    except (RuntimeError, ValueError) as error:
        raise WeightsError(
            f"{detector.spec.name} can't run on {input_hw[0]}x{input_hw[1]}: {error} "
            f"Try multiples of its stride ({stride or 'unknown'})."
        ) from error
    if not summary.parameters:
        raise _run_by_another(detector.spec.name)
    click.echo(summary_table(summary))


def _run_by_another(name: str) -> WeightsError:
    return WeightsError(
        f"Only layers of torch models can be listed; {name} is run by another library. "
        "Use a viewer of ONNX graphs, such as Netron."
    )


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
