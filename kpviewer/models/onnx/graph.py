"""What inputs, outputs and metadata don't say: read from the graph, by OpenVINO's readers.

An output of class numbers has one for each box, and its shape doesn't say how many classes there
are. The scores beside it come from a tensor with a column for each class, which the graph has.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from kpviewer.models.libraries.inference import library
from kpviewer.models.onnx.facts import Shape

_MAX_NODES = 20_000
_FROM_ALL_INPUTS = ("Add", "Concat", "Multiply", "Select", "Scatter")
"""Beginnings of operations whose inputs may all hold scores; of others only the first does."""
_UNCHANGED = ("Convert", "Pad", "Reshape", "Squeeze", "Transpose", "Unsqueeze")
"""Operations that leave the values of an image as they are."""
_ENDS = ("Constant", "Convolution", "MatMul", "NonMaxSuppression", "Parameter", "ROIAlign")


_ROUNDING = 1e-3
"""Relative error of a factor in half precision."""


class ClassColumns(NamedTuple):
    """The tensor that scores come from."""

    width: int
    has_background: bool
    """Whether they add up to 1, so that one is for the background."""


class Graph:
    """The operations of a file. Answers None where the file can't be read or doesn't say."""

    def __init__(self, path: Path | None) -> None:
        self._model = _read(path)

    @property
    def is_read(self) -> bool:
        """Whether the file could be read, so that an absent operation says something."""
        return self._model is not None

    def columns_of_scores(self, output: str) -> ClassColumns | None:
        """Return the columns of the sigmoid or softmax that an output of scores comes from."""
        found = [
            ClassColumns(columns, node.get_type_name() == "Softmax")
            for node in self._sources(output, ("Sigmoid", "Softmax"))
            if (columns := _sides(node.output(0))[-1])
        ]
        return max(found, default=None)

    def columns_of_maximum(self, output: str) -> int | None:
        """Return the number of columns among which the best class of each row is chosen."""
        nodes = self._sources(output, ("ReduceMax", "TopK"))
        return max(filter(None, map(_compared, nodes)), default=None)

    def count_classes(self, scores: str) -> int | None:
        """Return the number of classes of which an output holds the best one's score."""
        columns = self.columns_of_scores(scores)
        inside = self.columns_of_maximum(scores) or self.classes_of_nms()
        return inside or (columns.width if columns else None)

    def classes_of_nms(self) -> int | None:
        """Return how many classes ONNX's NMS gets: its scores are (B, C, P)."""
        nodes = [] if self._model is None else self._model.get_ops()
        found = [_sides(node.input(1)) for node in nodes
                 if node.get_type_name() == "NonMaxSuppression"]  # fmt: skip
        return max((shape[1] or 0 for shape in found if len(shape) == 3), default=0) or None

    def has_raw_convolution(self) -> bool:
        """Return whether a convolution takes the input as it is, without normalisation."""
        return any(self._first(("Convolution",), _UNCHANGED))

    def order_of_levels(self) -> str | None:
        """Return the order of colours, "rgb" or "bgr", if the graph divides an image by 255."""
        scaling = self._first(("Divide", "Multiply"), (*_UNCHANGED, "Gather"))
        if not any(_is_by_255(node) for node in scaling):
            return None
        return "bgr" if any(self._first(("Gather",), _UNCHANGED)) else "rgb"

    def _first(self, kinds: tuple[str, ...], passed: tuple[str, ...]) -> Iterator[Any]:
        """Yield the first operations of these kinds on the inputs, behind those passed only."""
        ports = [] if self._model is None else self._model.inputs
        waiting = [each.get_node() for port in ports for each in port.get_target_inputs()]
        seen: set[str] = set()
        while waiting and len(seen) < _MAX_NODES:
            node = waiting.pop(0)
            kind = node.get_type_name()
            if kind in kinds:
                yield node
            elif node.get_name() not in seen and kind in passed:
                waiting += [each.get_node() for port in node.outputs()
                            for each in port.get_target_inputs()]  # fmt: skip
            seen.add(node.get_name())

    def shape(self, output: str) -> Shape:
        """Return the shape of an output, with sides that the file itself leaves open."""
        port = self._port(output)
        return (None,) if port is None else _sides(port)

    def _port(self, output: str) -> Any:
        try:
            return None if self._model is None else self._model.output(output)
        except RuntimeError:  # no such name
            return None

    def _sources(self, output: str, kinds: tuple[str, ...]) -> Iterator[Any]:
        """Yield the nearest operations of these kinds that an output comes from."""
        port = self._port(output)
        waiting = [] if port is None else [port.get_node()]
        seen: set[str] = set()
        while waiting and len(seen) < _MAX_NODES:
            node = waiting.pop(0)
            if node.get_name() in seen:
                continue
            seen.add(node.get_name())
            kind = node.get_type_name()
            if kind in kinds and (kind != "TopK" or _takes_one(node)):
                yield node
            elif kind not in _ENDS:
                inputs = node.inputs() if kind.startswith(_FROM_ALL_INPUTS) else node.inputs()[:1]
                waiting += [each.get_source_output().get_node() for each in inputs]


def _read(path: Path | None) -> Any:
    if path is None:
        return None
    try:
        is_ir = path.suffix.lower() == ".xml"
        readers = library("openvino.frontend").FrontEndManager()
        reader = readers.load_by_framework("ir" if is_ir else "onnx")
        model = reader.load(str(path))
        # of ONNX, masks need not be understood
        return _of_one_image(reader.convert(model) if is_ir else reader.convert_partially(model))
    except Exception:  # OpenVINO isn't installed, or has other limits than ONNX Runtime
        return None


def _of_one_image(model: Any) -> Any:
    """Return a model that takes one image, if it leaves open nothing else of its inputs."""
    shapes = {index: port.get_partial_shape() for index, port in enumerate(model.inputs)}
    for shape in shapes.values():
        if shape.rank.is_static and len(shape) and shape[0].is_dynamic:
            shape[0] = 1
    if all(shape.is_static for shape in shapes.values()):
        with suppress(RuntimeError):  # it stays as it is
            model.reshape(shapes)
    return model


def _is_by_255(node: Any) -> bool:
    """Return whether an operation divides by 255."""
    factor = node.input(1).get_source_output().get_node()
    if factor.get_type_name() != "Constant":
        return False
    scale = 1 / 255 if node.get_type_name() == "Multiply" else 255
    return bool(abs(factor.get_data() / scale - 1).max(initial=0) < _ROUNDING)


def _compared(node: Any) -> int | None:
    """Return among how many a ReduceMax or TopK chooses; None if it isn't known."""
    if node.get_type_name() == "TopK":
        axis = node.get_attributes()["axis"]
    else:
        axes = node.input(1).get_source_output().get_node()
        axis = int(axes.get_data().flat[0]) if axes.get_type_name() == "Constant" else -1
    sides = _sides(node.input(0))
    return sides[axis] if -len(sides) <= axis < len(sides) else None


def _takes_one(top: Any) -> bool:
    """Return whether a TopK takes the best alone."""
    count = top.input(1).get_source_output().get_node()
    return count.get_type_name() == "Constant" and int(count.get_data().max(initial=0)) == 1


def _sides(port: Any) -> Shape:
    """Return a shape; one open side if not even its rank is known."""
    shape = port.get_partial_shape()
    if shape.rank.is_dynamic or not len(shape):
        return (None,)
    return tuple(None if side.is_dynamic else int(side.get_length()) for side in shape)
