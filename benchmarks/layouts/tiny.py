"""Tiny random networks in the layouts of makers whose packages aren't installed.

Each network sees the average colours of cells, so that its scores depend on channel order,
normalisation and padding, but hardly on the way that an image is resized.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.layouts.common import spread

STRIDES = (8, 16, 32)
_PREFIX = "maker_"
"""Of outputs while they are exported: torch allows no name that is a number."""


class Pyramid(nn.Module):
    """Rows of numbers for each cell of each stride: (B, P, columns) for each.

    Args:
        columns: numbers of a row; the first ``classes`` are logits of classes.
        classes: how many.
        anchors: rows of a cell.
        unit: what the input is divided by, so that it is of the order of 1.
    """

    def __init__(self, columns: int, classes: int, anchors: int = 1, unit: float = 1.0) -> None:
        super().__init__()
        self.columns, self.classes, self.anchors, self.unit = columns, classes, anchors, unit
        self.pools = nn.ModuleList(nn.AvgPool2d(stride, ceil_mode=True) for stride in STRIDES)
        self.mixers = nn.ModuleList(nn.Conv2d(3, 24, 1) for _ in STRIDES)
        self.logits = nn.ModuleList(nn.Conv2d(24, classes * anchors, 1) for _ in STRIDES)
        self.rest = nn.ModuleList(nn.Conv2d(24, (columns - classes) * anchors, 1) for _ in STRIDES)
        for mixer in self.mixers:
            nn.init.normal_(mixer.weight, std=2.0)
        for rest in self.rest:
            nn.init.normal_(rest.weight, std=0.3)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return the rows of each stride, from the finest."""
        levels = []
        for pool, mixer, logits, rest in zip(
            self.pools, self.mixers, self.logits, self.rest, strict=True
        ):
            seen = torch.sin(mixer(pool(image / self.unit)))
            parts = (self._rows(logits(seen), self.classes), self._rows(rest(seen), -1))
            levels.append(torch.cat(parts, 2))
        return levels

    def _rows(self, planes: Tensor, columns: int) -> Tensor:
        columns = columns if columns > 0 else self.columns - self.classes
        batch, _, height, width = planes.shape
        split = planes.reshape(batch, self.anchors, columns, height * width)
        return split.permute(0, 3, 1, 2).reshape(batch, -1, columns)


def pyramid_over(columns: int, classes: int, image: np.ndarray, **options: Any) -> Pyramid:
    """Return a pyramid with class scores that spread over an input, (1, 3, H, W)."""
    torch.manual_seed(3)
    pyramid = Pyramid(columns, classes, **options)
    values = torch.from_numpy(image)
    spread(pyramid.logits, lambda: pyramid(values), slice(None))
    return pyramid


class Head(nn.Module):
    """A pyramid and the layout of a maker."""

    def __init__(self, pyramid: Pyramid, layout: Callable[..., Any]) -> None:
        super().__init__()
        self.pyramid, self.layout = pyramid, layout

    def forward(self, image: Tensor, *others: Tensor) -> Any:
        """Return the outputs of the layout."""
        return self.layout(self.pyramid(image), *others)


def grid(rows: Tensor, stride: int, width: int, anchors: int = 1) -> tuple[Tensor, Tensor]:
    """Return column and row of the cell of each row."""
    index = torch.arange(rows.shape[1]) // anchors
    return (index % width)[None, :, None].float(), (index // width)[None, :, None].float()


def write_onnx(
    path: Path,
    model: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    metadata: Mapping[str, object] | None = None,
    dynamic: Mapping[str, Mapping[int, str]] | None = None,
) -> None:
    """Export a model, with the entries of its maker.

    Outputs may have numbers for names, as those of older exporters do.
    """
    import onnx

    axes = {
        f"{_PREFIX}{key}" if key in outputs else key: dict(sides)
        for key, sides in (dynamic or {}).items()
    }
    torch.onnx.export(
        model.eval(),
        tuple(inputs.values()),
        str(path),
        input_names=list(inputs),
        output_names=[f"{_PREFIX}{name}" for name in outputs],
        dynamic_axes=axes or None,
        opset_version=17,
        dynamo=False,
    )
    graph = onnx.load(path)
    for node in graph.graph.node:
        node.output[:] = [each.removeprefix(_PREFIX) for each in node.output]
        node.input[:] = [each.removeprefix(_PREFIX) for each in node.input]
    for output in graph.graph.output:
        output.name = output.name.removeprefix(_PREFIX)
    for key, value in (metadata or {}).items():
        graph.metadata_props.add(key=key, value=str(value))
    onnx.save(graph, path)
