"""Number of classes of a graph that outputs class numbers: read from the graph by OpenVINO.

Such an output has a number for each box, and its shape doesn't say how many classes there are. The
scores beside it come from a tensor with a column for each class, which the graph names.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from kpviewer.models.inference_libraries import library

_MAX_NODES = 20_000
_FROM_ALL_INPUTS = ("Add", "Concat", "Multiply", "Select", "Scatter")
"""Beginnings of operations whose inputs may all hold scores; of others only the first does."""
_ENDS = ("Constant", "Convolution", "MatMul", "NonMaxSuppression", "Parameter", "ROIAlign")


class ClassColumns(NamedTuple):
    """The tensor that scores come from."""

    width: int
    """Number of its columns."""
    has_background: bool
    """Whether they add up to 1, so that one is for the background."""


def columns_of_scores(path: Path | None, output: str) -> ClassColumns | None:
    """Return the columns of the sigmoid or softmax that an output of scores comes from.

    Args:
        path: path of the file.
        output: name of the output.

    Returns:
        None if the graph can't be read, or has no such operation.
    """
    found = [
        ClassColumns(columns, node.get_type_name() == "Softmax")
        for node in _sources(path, output, ("Sigmoid", "Softmax"))
        if (columns := _last_side(node.output(0)))
    ]
    return max(found, default=None)


def columns_of_maximum(path: Path | None, output: str) -> int | None:
    """Return the number of columns among which the best class of each row in an output is chosen.

    Args and result are those of ``columns_of_scores``.
    """
    sources = _sources(path, output, ("ReduceMax", "TopK"))
    counts = (_last_side(node.input(0)) for node in sources)
    return max(filter(None, counts), default=None)


def _sources(path: Path | None, output: str, kinds: tuple[str, ...]) -> Iterator[Any]:
    """Yield the nearest operations of these kinds that an output comes from."""
    node = _producer(path, output)
    waiting = [node] if node is not None else []
    seen: set[str] = set()
    while waiting and len(seen) < _MAX_NODES:
        node = waiting.pop(0)
        if node.get_name() in seen:
            continue
        seen.add(node.get_name())
        kind = node.get_type_name()
        if kind in kinds and (kind != "TopK" or _is_single(node)):
            yield node
        elif kind not in _ENDS:
            inputs = node.inputs() if kind.startswith(_FROM_ALL_INPUTS) else node.inputs()[:1]
            waiting += [each.get_source_output().get_node() for each in inputs]


def _producer(path: Path | None, output: str) -> Any:
    if path is None:
        return None
    try:
        model = library("openvino").Core().read_model(str(path))
        return model.output(output).get_node()
    except Exception:  # OpenVINO isn't installed, or has other limits than ONNX Runtime
        return None


def _is_single(top: Any) -> bool:
    """Return whether a TopK takes the best alone."""
    count = top.input(1).get_source_output().get_node()
    return count.get_type_name() == "Constant" and int(count.get_data().max(initial=0)) == 1


def _last_side(port: Any) -> int | None:
    shape = port.get_partial_shape()
    if shape.rank.is_dynamic or not len(shape) or shape[len(shape) - 1].is_dynamic:
        return None
    return int(shape[len(shape) - 1].get_length())
