"""Sessions of OpenVINO: ONNX files and OpenVINO's own (``.xml`` with ``.bin``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from kpviewer.cpu_threads import cpu_threads
from kpviewer.errors import WeightsError
from kpviewer.models.libraries.inference import openvino_core
from kpviewer.models.libraries.openvino_requests import CompiledModel, cpu_settings
from kpviewer.models.onnx.facts import FileFacts, Port, Shape
from kpviewer.models.onnx.openvino_int8 import Ranges, round_convolutions
from kpviewer.models.onnx.openvino_metadata import openvino_metadata
from kpviewer.models.onnx.openvino_pixels import PixelInput, reads_planes, with_normalisation
from kpviewer.models.onnx.refusals import refusal
from kpviewer.models.tables import first_line

PRECISION_HINTS = {"fp32": "f32", "bf16": "bf16", "fp16": "f16", "int8": "f32"}
"""Hints by precision; a quantised model computes in int8 whatever the hint says."""
MAX_TENSOR_BYTES = 2 * 1024**3
"""Memory limit of one value inside a model: a file of a few hundred bytes can request any amount.

OpenVINO has no limit of its own, so models with values of unknown size aren't run by it.
"""
_MAX_COMPILED = 8
"""Most shapes of inputs that stay compiled."""


class OpenVinoSession:
    """A session of OpenVINO on one device, compiled once for each shape of the inputs.

    Args:
        path: path of the file, ``.onnx`` or ``.xml``.
        device: device as OpenVINO names it: CPU, GPU, GPU.1, NPU.
        precision: precision of the computation, one of PRECISION_HINTS.
        pixels: normalisation to add to the graph.
        ranges: inputs of convolutions to compute in 8-bit integers.

    Raises:
        WeightsError: if OpenVINO isn't installed or can't read the file.
    """

    facts: FileFacts
    """Inputs, outputs and metadata of the file."""

    def __init__(
        self,
        path: Path,
        device: str = "CPU",
        precision: str = "fp32",
        pixels: PixelInput | None = None,
        ranges: Ranges | None = None,
    ) -> None:
        try:
            self._model = openvino_core().read_model(str(path))
        except ImportError as error:
            raise WeightsError(f"{path.name} needs OpenVINO: pip install openvino") from error
        except RuntimeError as error:
            raise refusal(path, error) from error
        if ranges:
            round_convolutions(self._model, ranges)
        self._path, self._device, self._pixels = path, device, pixels
        self._reads_planes = pixels is not None and reads_planes(self._model, pixels)
        self._settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": PRECISION_HINTS[precision],
        }
        if device == "CPU":
            self._settings |= cpu_settings(cpu_threads())
        self._compiled: dict[tuple[tuple[int | str, ...], ...], CompiledModel] = {}
        self.facts = _facts(path, self._model)

    @property
    def is_quantised(self) -> bool:
        """Whether the model was quantised to 8 bits before it was exported."""
        return any(each.get_type_name() == "FakeQuantize" for each in self._model.get_ops())

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run once; the arrays have the types and shapes of the inputs."""
        return self.by_name(self.compiled(feeds).infer(self.values(feeds)))

    def by_name(self, outputs: Sequence[NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return outputs by name, from those in the order of the model."""
        return dict(zip(self.facts.outputs, outputs, strict=True))

    def is_compiled(self, feeds: Mapping[str, NDArray[Any]]) -> bool:
        """Return whether inputs of these shapes run without being compiled for."""
        return _key(feeds) in self._compiled

    def compiled(self, feeds: Mapping[str, NDArray[Any]]) -> CompiledModel:
        """Return the model compiled for inputs of these shapes; compiling takes a second.

        Raises:
            WeightsError: if the model may need too much memory, or can't be compiled.
        """
        key = _key(feeds)
        if key in self._compiled:
            return self._compiled[key]
        model = self._model.clone()
        try:
            model.reshape({at: list(shape) for at, shape in self._shapes(feeds).items()})
            _check_sizes(self._path, model)
            if self._pixels is not None:
                model = with_normalisation(model, self._pixels, feeds[self._pixels.port])
            compiled = CompiledModel(model, self._device, self._settings, self.values(feeds))
        except RuntimeError as error:
            raise WeightsError(
                f"{self._path.name} can't run in OpenVINO on {self._device}: {first_line(error)}."
            ) from error
        while len(self._compiled) >= _MAX_COMPILED:
            del self._compiled[next(iter(self._compiled))]
        self._compiled[key] = compiled
        return compiled

    def values(self, feeds: Mapping[str, NDArray[Any]]) -> dict[int, NDArray[Any]]:
        """Return inputs by index, planes last where the graph reads them, too."""
        values = {index: feeds[port.name] for index, port in enumerate(self.facts.inputs)}
        if self._pixels is not None and self._reads_planes:
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


def _key(feeds: Mapping[str, NDArray[Any]]) -> tuple[tuple[int | str, ...], ...]:
    return tuple((name, str(value.dtype), *value.shape) for name, value in feeds.items())


def _check_sizes(path: Path, model: Any) -> None:
    """Refuse a model with a value that is too large, or of unknown size, for given inputs."""
    for operation in model.get_ops():
        if operation.get_type_name() in ("If", "Loop", "TensorIterator"):
            raise WeightsError(f"{path.name} has branches or loops, of unknown size in OpenVINO.")
        for output in operation.outputs():
            if _most_bytes(output) > MAX_TENSOR_BYTES:
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
