"""A model's graph in OpenVINO: read from its file, rounded, and given shapes and normalisation."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from kpviewer.errors import WeightsError
from kpviewer.models.libraries.inference import library, openvino_core
from kpviewer.models.onnx.facts import FileFacts, Port, Shape
from kpviewer.models.onnx.openvino.int8 import Ranges, round_convolutions
from kpviewer.models.onnx.openvino.metadata import openvino_metadata
from kpviewer.models.onnx.openvino.pixels import PixelInput, with_normalisation
from kpviewer.models.onnx.refusals import refusal

MAX_TENSOR_BYTES = 2 * 1024**3
"""Memory limit of one value inside a model: a file of a few hundred bytes can request any amount.

OpenVINO has no limit of its own, so models with values of unknown size aren't run by it.
"""

_BRANCHES = ("If", "Loop", "TensorIterator")


class Changes(NamedTuple):
    """Changes of the graph of a file."""

    pixels: PixelInput | None = None
    """Normalisation to add to the graph."""
    ranges: Ranges | None = None
    """Inputs of convolutions to compute in 8-bit integers."""
    skipped: tuple[str, str] | None = None
    """Output that isn't computed, and the output that takes its place within the graph."""


class OpenVinoGraph:
    """The graph of a file, which is read when it is needed first.

    Args:
        path: path of the file, ``.onnx`` or ``.xml``.
        changes: changes of the graph.
        facts: facts of the file, if they are known.
    """

    def __init__(
        self, path: Path, changes: Changes | None = None, facts: FileFacts | None = None
    ) -> None:
        self._path, self._changes = path, changes or Changes()
        self._pixels = self._changes.pixels
        self._known = facts
        self.facts = _without(self._changes.skipped or (), facts or _facts(path, self.model))
        """Inputs, outputs and metadata of the graph."""

    @cached_property
    def model(self) -> Any:
        """OpenVINO's model as the file has it, with rounded convolutions.

        Raises:
            WeightsError: if OpenVINO isn't installed or can't read the file, or that isn't the one
                whose facts are known.
        """
        if self._known is not None and self._known.is_replaced:
            raise WeightsError(f"{self._path.name} has changed since it was opened. Open it again.")
        try:
            model = openvino_core().read_model(str(self._path))
        except ImportError as error:
            raise WeightsError(f"{self._path.name} needs OpenVINO: pip install openvino") from error
        except RuntimeError as error:
            raise refusal(self._path, error) from error
        model = _without_bfloat16(model)
        if self._changes.skipped:
            model = _skipping(model, *self._changes.skipped)
        if self._changes.ranges:
            round_convolutions(model, self._changes.ranges)
        return model

    @cached_property
    def content(self) -> str | None:
        """Text that the graph depends on; None if a file can't be read."""
        content = self.facts.content()
        pixels = self._pixels and self._pixels[:-1]  # without its function
        return content and f"{content} {pixels} {self._changes[1:]}"

    def made_for(self, feeds: Mapping[str, NDArray[Any]]) -> Any:
        """Return OpenVINO's model for inputs of these types and shapes.

        Raises:
            WeightsError: if the file can't be read, or the model may need too much memory.
            RuntimeError: if the model doesn't take these shapes.
        """
        model = self.model.clone()
        model.reshape({at: list(shape) for at, shape in self._shapes(feeds).items()})
        _check_sizes(self._path, model)
        if self._pixels is None:
            return model
        return with_normalisation(model, self._pixels, feeds[self._pixels.port])

    def values(self, feeds: Mapping[str, NDArray[Any]], count: int) -> dict[int, NDArray[Any]]:
        """Return a number of inputs by index, planes last where the graph reads them, too."""
        values = {index: feeds[port.name] for index, port in enumerate(self.facts.inputs)}
        if self._pixels is not None and count > len(values):
            values[len(values)] = self._pixels.split(feeds[self._pixels.port])
        return values

    def _shapes(self, feeds: Mapping[str, NDArray[Any]]) -> dict[int, tuple[int, ...]]:
        """Return the shapes of the graph's own inputs, by index."""
        shapes = {index: feeds[port.name].shape for index, port in enumerate(self.facts.inputs)}
        if self._pixels is not None:
            index = [port.name for port in self.facts.inputs].index(self._pixels.port)
            batch, height, width, channels = shapes[index]
            shapes[index] = (batch, channels, height, width)
        return shapes


def _without_bfloat16(model: Any) -> Any:
    """Return a model whose inputs and outputs are float32 in the place of bfloat16.

    NumPy has no such numbers, and OpenVINO takes the bits of float16 for them.
    """
    kind = library("openvino").Type
    inputs, outputs = (
        [index for index, port in enumerate(ports) if port.get_element_type() == kind.bf16]
        for ports in (model.inputs, model.outputs)
    )
    if not inputs and not outputs:
        return model
    processor = library("openvino.preprocess").PrePostProcessor(model)
    for port in (*map(processor.input, inputs), *map(processor.output, outputs)):
        port.tensor().set_element_type(kind.f32)
    return processor.build()


def _skipping(model: Any, skipped: str, instead: str) -> Any:
    """Return a model without two outputs, one of which takes the other's place in the graph."""
    given, unused = (model.output(name).get_node().input_value(0) for name in (instead, skipped))
    for reader in unused.get_target_inputs():
        reader.replace_source_output(given)
    kept = [each for each in model.outputs if not {skipped, instead} & each.get_names()]
    return library("openvino").Model([each.get_node() for each in kept], model.get_parameters())


def _without(outputs: Sequence[str], facts: FileFacts) -> FileFacts:
    """Return the facts of a file as if it had no outputs of these names."""
    kept = {name: shape for name, shape in facts.outputs.items() if name not in outputs}
    return replace(facts, outputs=kept)


def _check_sizes(path: Path, model: Any) -> None:
    """Refuse a model with a value that is too large, or of unknown size, for given inputs."""
    operations = model.get_ops()
    most = max(_most_bytes(output) for each in operations for output in each.outputs())
    has_branches = any(each.get_type_name() in _BRANCHES for each in operations)
    if has_branches or math.isinf(most):
        is_own = path.suffix.lower() == ".xml"
        cure = "Open the ONNX file that it was made from." if is_own else "Use --backend auto."
        raise WeightsError(
            f"{path.name} has branches, loops or values of unknown size, and their memory can't be "
            f"limited in OpenVINO. {cure}"
        )
    if most > MAX_TENSOR_BYTES:
        raise WeightsError(
            f"{path.name} may need more than 2 GB of memory for one value in OpenVINO. "
            "Export it for a smaller input."
        )


def _most_bytes(output: Any) -> float:
    """Return the largest size that a value can have; infinite if its shape has no limit."""
    shape = output.get_partial_shape()
    if shape.rank.is_dynamic:
        return float("inf")
    count = float(output.get_element_type().size)
    for side in shape:
        most = side.get_max_length()
        count *= most if most >= 0 else float("inf")
    return count


def _facts(path: Path, model: Any) -> FileFacts:
    outputs = {_name(each, f"output{index}"): each for index, each in enumerate(model.outputs)}
    return FileFacts(
        path.stem,
        tuple(
            Port(_name(each, f"input{index}"), _shape(each), _element(each))
            for index, each in enumerate(model.inputs)
        ),
        {name: _shape(each) for name, each in outputs.items()},
        openvino_metadata(path, model),
        {name: _element(each) for name, each in outputs.items()},
        path,
    )


def _name(port: Any, otherwise: str) -> str:
    return str(port.get_any_name()) if port.get_names() else otherwise


def _shape(port: Any) -> Shape:
    shape = port.get_partial_shape()
    if shape.rank.is_dynamic:
        return ()
    return tuple(side.get_length() if side.is_static else None for side in shape)


def _element(port: Any) -> str:
    name: str = port.get_element_type().to_dtype().name
    return name
