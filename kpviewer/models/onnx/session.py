"""Sessions: what runs an ONNX file. The rest of the package knows only ``Session``."""

import logging
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kpviewer.errors import WeightsError
from kpviewer.models.libraries.inference import library, onnxruntime_conflict
from kpviewer.models.onnx.facts import FileFacts, Port, Shape
from kpviewer.models.onnx.refusals import refusal
from kpviewer.system.cpu_threads import cpu_threads

_log = logging.getLogger(__name__)

CURE = "pip install onnxruntime"
CPU_PROVIDER = "CPUExecutionProvider"
MAX_MEMORY_BYTES = 2 * 1024**3
"""Memory limit of all open files together: a file of a few hundred bytes can request any amount."""
_FATAL_ONLY = 4  # errors come as exceptions
_ELEMENTS = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(uint8)": "uint8",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(bool)": "bool",
}
"""Types of elements, as ONNX Runtime and NumPy name them."""


class Session(Protocol):
    """A model that runs: inputs by name in, outputs by name out."""

    @property
    def facts(self) -> FileFacts:
        """Inputs, outputs and metadata of the file."""

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run once; the arrays have the types and shapes of the inputs."""


class OrtSession:
    """A session of ONNX Runtime.

    Raises:
        WeightsError: if ONNX Runtime isn't installed or can't open the file.
    """

    facts: FileFacts
    """Inputs, outputs and metadata of the file."""

    def __init__(
        self, path: Path, provider: str = CPU_PROVIDER, options: Mapping[str, str] | None = None
    ) -> None:
        self._session = _opened(path, provider, options or {})
        if provider not in self._session.get_providers():  # it falls back without an error
            raise WeightsError(
                f"{provider} can't start here. Are the libraries and the driver that it needs "
                "installed? Use --device cpu until then."
            )
        try:
            self.facts = _facts(path, self._session)
        except UnicodeDecodeError as error:
            raise WeightsError(
                f"{path.name} has names that aren't text. Is the file damaged? Fetch it again."
            ) from error

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run once; the arrays have the types and shapes of the inputs."""
        names = list(self.facts.outputs)
        values = self._session.run(names, dict(feeds))
        return dict(zip(names, map(np.asarray, values), strict=True))


def _opened(path: Path, provider: str, provider_options: Mapping[str, str]) -> Any:
    try:
        onnxruntime = library("onnxruntime")
    except ImportError as error:
        raise WeightsError(f"{path.name} needs onnxruntime: {CURE}") from error
    _warn_of_conflict()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _FATAL_ONLY
    options.intra_op_num_threads = cpu_threads()
    # its threads would spin between images, and take the cores of the video and the window
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if provider == "DmlExecutionProvider":
        options.enable_mem_pattern = False  # DirectML requires it
    _limit_memory(onnxruntime)
    options.add_session_config_entry("session.use_env_allocators", "1")
    try:
        providers = [(provider, dict(provider_options))]
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # ONNX Runtime's error classes share no base
        raise refusal(path, error) from error


@cache
def _warn_of_conflict() -> None:
    """Warn once if several distributions of ONNX Runtime are installed."""
    if problem := onnxruntime_conflict():
        _log.warning("%s", problem)


@cache
def _limit_memory(ort: Any) -> None:
    """Register the allocator that all sessions share, with a memory limit."""
    memory = ort.OrtMemoryInfo(
        "Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT
    )
    settings = {"max_mem": MAX_MEMORY_BYTES, "arena_extend_strategy": 1}
    ort.create_and_register_allocator(memory, ort.OrtArenaCfg(settings))


def _facts(path: Path, session: Any) -> FileFacts:
    inputs = tuple(
        Port(each.name, _shape(each), _ELEMENTS.get(each.type, each.type))
        for each in session.get_inputs()
    )
    found = session.get_outputs()
    return FileFacts(
        path.stem,
        inputs,
        {each.name: _shape(each) for each in found},
        dict(session.get_modelmeta().custom_metadata_map),
        {each.name: _ELEMENTS.get(each.type, each.type) for each in found},
        path,
    )


def _shape(value: Any) -> Shape:
    """Return the shape of an input or output; None for a dimension that the file leaves open."""
    return tuple(side if isinstance(side, int) and side > 0 else None for side in value.shape)
