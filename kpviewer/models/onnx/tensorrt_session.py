"""Sessions of TensorRT: engines (``.engine``) that fit one kind of GPU and one version.

Opening an engine runs code that is in the file. NVIDIA calls an engine an executable artifact
(TensorRT's documentation, *Security Considerations*). ``models.names.models.code_in`` therefore
counts its name as code: only the command line, the user in the window, or a program may name it.
"""

import contextlib
import json
import shlex
from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from kpviewer.errors import WeightsError
from kpviewer.models.libraries.inference import library
from kpviewer.models.limits import clean_name
from kpviewer.models.onnx.facts import FileFacts, Port, Shape, shape_text
from kpviewer.models.tables import first_line

MAX_METADATA_BYTES = 1_000_000
MAX_OUTPUT_BYTES = 2 * 1024**3
"""Memory limit of one output."""
_ELEMENTS = {
    "FLOAT": "float32",
    "HALF": "float16",
    "INT8": "int8",
    "UINT8": "uint8",
    "INT32": "int32",
    "INT64": "int64",
    "BOOL": "bool",
}
"""Types of elements, as TensorRT and NumPy name them."""
_LENGTH_BYTES = 4


class TensorRtSession:
    """A session of TensorRT.

    Args:
        path: path of the engine. It is code: see the module.
        device: the GPU to run on; the first one by default.

    Raises:
        WeightsError: if TensorRT or the GPU is missing, or the engine doesn't fit them.
    """

    facts: FileFacts
    """Inputs, outputs and metadata of the file."""

    def __init__(self, path: Path, device: torch.device | None = None) -> None:
        try:
            tensorrt = library("tensorrt")
        except ImportError as error:
            raise WeightsError(
                f"{path.name} is a TensorRT engine: pip install tensorrt, in the version that "
                "built it. Or export the trained model to ONNX instead; with Ultralytics: "
                f"yolo export model={shlex.quote(f'{clean_name(path.stem)}.pt')} format=onnx."
            ) from error
        metadata, plan = read_engine(path)
        self._path, self._device = path, device or _first_gpu(path)
        with self._on_device():
            self._engine = _deserialised(tensorrt, path, plan)
            self.facts = _facts(tensorrt, path, self._engine, metadata)
            self._context = self._engine.create_execution_context()
        if self._context is None:
            raise WeightsError(f"{path.name} needs more memory than the GPU has free.")

    @property
    def precision(self) -> str:
        """Precision that the metadata name: int8, fp16, or fp32."""
        arguments = self.facts.metadata.get("args", "")
        if "'int8': True" in arguments:
            return "int8"
        is_half = "'half': True" in arguments or self.facts.inputs[0].element == "float16"
        return "fp16" if is_half else "fp32"

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run once; the arrays have the types and shapes of the inputs.

        Raises:
            WeightsError: if the engine takes no inputs of these shapes, or fails.
        """
        with self._on_device() as stream:
            given = {
                port.name: torch.from_numpy(np.ascontiguousarray(feeds[port.name])).to(self._device)
                for port in self.facts.inputs
            }
            for name, value in given.items():
                if not self._context.set_input_shape(name, tuple(value.shape)):
                    raise WeightsError(
                        f"{self._path.name} takes no input of {shape_text(tuple(value.shape))}. "
                        "Build it for that size, or use the ONNX file."
                    )
            results = {name: self._buffer(name) for name in self.facts.outputs}
            for name, value in (given | results).items():
                self._context.set_tensor_address(name, value.data_ptr())
            if not self._context.execute_async_v3(stream):
                raise WeightsError(
                    f"{self._path.name} can't run in TensorRT. Use the ONNX file that it was "
                    "built from."
                )
            return {name: value.cpu().numpy() for name, value in results.items()}

    def _buffer(self, name: str) -> torch.Tensor:
        """Return memory for an output, once the shapes of the inputs are set."""
        shape = tuple(self._context.get_tensor_shape(name))
        element = getattr(torch, self.facts.output_elements[name])
        if any(side < 0 for side in shape) or prod(shape) * element.itemsize > MAX_OUTPUT_BYTES:
            raise WeightsError(
                f"{self._path.name} has an output of unknown size, or of more than 2 GB "
                f"({name}). Use the ONNX file that it was built from."
            )
        return torch.empty(shape, dtype=element, device=self._device)

    @contextlib.contextmanager
    def _on_device(self) -> Iterator[int]:
        """Make the session's GPU and a stream the present ones; yield the stream's handle."""
        if self._device.type != "cuda":
            yield 0
            return
        with torch.cuda.device(self._device):
            stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
            with torch.cuda.stream(stream):
                yield int(stream.cuda_stream)
            stream.synchronize()


def read_engine(path: Path) -> tuple[dict[str, str], bytes]:
    """Return metadata, as texts like those of an ONNX file, and the plan of an engine.

    Ultralytics writes a length (4 bytes, the lowest first) and JSON before the plan; others write
    the plan alone.

    Raises:
        WeightsError: if the file is damaged.
    """
    content = path.read_bytes()
    if content[_LENGTH_BYTES : _LENGTH_BYTES + 1] != b"{":
        return {}, _plan(path, content)
    end = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "little")
    try:
        if end > min(len(content), MAX_METADATA_BYTES):
            raise ValueError("its metadata are cut off, or larger than 1 MB")
        table = json.loads(content[_LENGTH_BYTES:end].decode("utf-8"))
        if not isinstance(table, dict):
            raise ValueError("its metadata must list entries by name")
        texts = {key: each if isinstance(each, str) else repr(each) for key, each in table.items()}
    except (ValueError, RecursionError) as error:
        raise WeightsError(
            f"{path.name} can't be opened: {first_line(error)}. Export the engine again."
        ) from error
    return texts, _plan(path, content[end:])


def _plan(path: Path, content: bytes) -> bytes:
    if not content:
        raise WeightsError(f"{path.name} holds no engine. Is the file complete?")
    return content


def _first_gpu(path: Path) -> torch.device:
    if not torch.cuda.is_available():
        raise WeightsError(
            f"{path.name} is a TensorRT engine, and torch sees no NVIDIA GPU. Use the ONNX file "
            "that it was built from."
        )
    return torch.device("cuda", 0)


def _deserialised(tensorrt: Any, path: Path, plan: bytes) -> Any:
    """Load the plan; TensorRT's ``engine_host_code_allowed`` keeps its default, off."""
    logger = tensorrt.Logger(tensorrt.Logger.ERROR)
    tensorrt.init_libnvinfer_plugins(logger, "")
    try:
        engine = tensorrt.Runtime(logger).deserialize_cuda_engine(plan)
    except Exception as error:  # of pybind11
        raise WeightsError(_unfit(tensorrt, path)) from error
    if engine is None:
        raise WeightsError(_unfit(tensorrt, path))
    return engine


def _unfit(tensorrt: Any, path: Path) -> str:
    return (
        f"{path.name} is damaged, or was built for another GPU or another TensorRT than "
        f"{tensorrt.__version__}. Build it again here, or use the ONNX file."
    )


def _facts(tensorrt: Any, path: Path, engine: Any, metadata: Mapping[str, str]) -> FileFacts:
    inputs: list[Port] = []
    outputs: dict[str, Shape] = {}
    elements: dict[str, str] = {}
    for index in range(engine.num_io_tensors):
        name = engine.get_tensor_name(index)
        shape = tuple(side if side >= 0 else None for side in engine.get_tensor_shape(name))
        kind = engine.get_tensor_dtype(name).name
        if kind not in _ELEMENTS:
            raise WeightsError(
                f"{path.name} has values of type {kind} ({name}), which NumPy lacks. Build it "
                "with inputs and outputs of FLOAT or HALF."
            )
        if engine.get_tensor_mode(name) == tensorrt.TensorIOMode.INPUT:
            inputs.append(Port(name, shape, _ELEMENTS[kind]))
        else:
            outputs[name], elements[name] = shape, _ELEMENTS[kind]
    return FileFacts(path.stem, tuple(inputs), outputs, metadata, elements, path)
