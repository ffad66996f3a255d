"""Sessions of OpenVINO: ONNX files and OpenVINO's own (``.xml`` with ``.bin``)."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from numpy.typing import NDArray

from kpviewer.errors import WeightsError
from kpviewer.models.libraries.compiled_models import Compiler
from kpviewer.models.libraries.openvino_requests import (
    CompiledModel,
    CompiledModels,
    cpu_settings,
)
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.onnx.openvino.graph import Changes, OpenVinoGraph
from kpviewer.models.tables import first_line
from kpviewer.system.cpu_threads import cpu_threads

PRECISION_HINTS = {"fp32": "f32", "bf16": "bf16", "fp16": "f16", "int8": "f32"}
"""Hints by precision; a quantised model computes in int8 whatever the hint says."""
_Key: TypeAlias = tuple[tuple[str, str, tuple[int, ...]], ...]
"""Name, type and shape of each input."""


class OpenVinoSession:
    """A session of OpenVINO on one device, compiled once for each shape of the inputs.

    Args:
        path: path of the file, ``.onnx`` or ``.xml``.
        device: device as OpenVINO names it: CPU, GPU, GPU.1, NPU.
        precision: precision of the computation, one of PRECISION_HINTS.
        changes: changes of the graph.
        facts: facts of the file, if they are known; it then is read only to be compiled.
        threads: number of threads on the CPU; None: as many as a model may use.

    Raises:
        WeightsError: if OpenVINO isn't installed or can't read the file.
    """

    def __init__(
        self,
        path: Path,
        device: str = "CPU",
        precision: str = "fp32",
        changes: Changes | None = None,
        facts: FileFacts | None = None,
        threads: int | None = None,
    ) -> None:
        self._path, self._device = path, device
        self._graph = OpenVinoGraph(path, changes, facts)
        self._settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": PRECISION_HINTS[precision],
        }
        if device == "CPU":
            self._settings |= cpu_settings(threads or cpu_threads())
        self._compiled = CompiledModels()
        self.facts = self._graph.facts
        """Inputs, outputs and metadata of the graph."""

    @property
    def is_quantised(self) -> bool:
        """Whether the model was quantised to 8 bits before it was exported."""
        return any(each.get_type_name() == "FakeQuantize" for each in self._graph.model.get_ops())

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
        return self._compiled.of(key, lambda: self._compiled_for(feeds, key))

    def _compiled_for(self, feeds: Mapping[str, NDArray[Any]], key: _Key) -> CompiledModel:
        graph = self._graph
        content = graph.content and f"{graph.content} {key}"
        compiler = Compiler(partial(graph.made_for, feeds), self._device, content)
        try:
            return CompiledModel(compiler, self._settings, partial(graph.values, feeds))
        except RuntimeError as error:
            raise WeightsError(
                f"{self._path.name} can't run in OpenVINO on {self._device}: {first_line(error)}."
            ) from error

    def values(self, feeds: Mapping[str, NDArray[Any]]) -> dict[int, NDArray[Any]]:
        """Return inputs by index, planes last where the graph reads them, too."""
        return self._graph.values(feeds, self.compiled(feeds).inputs)


def _key(feeds: Mapping[str, NDArray[Any]]) -> _Key:
    return tuple((name, value.dtype.char, value.shape) for name, value in feeds.items())
