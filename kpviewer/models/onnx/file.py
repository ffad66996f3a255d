"""Detectors from ONNX files, run by ONNX Runtime on the CPU in the precision of the export."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from kpviewer.errors import PipelineError, WeightsError
from kpviewer.models.base import DecodedBatch
from kpviewer.models.coco_keypoints import mirrored_keypoints
from kpviewer.models.files import check_model_file
from kpviewer.models.inference_libraries import library
from kpviewer.models.limits import clean_name
from kpviewer.models.onnx.description import GUIDE, Channels, OnnxDescription
from kpviewer.models.onnx.facts import FileFacts, Port, Shape
from kpviewer.models.onnx.readers import read_outputs
from kpviewer.models.onnx.readers.base import Outputs
from kpviewer.models.onnx.recognition import describe
from kpviewer.models.ranking import MAX_CANDIDATES, ranked
from kpviewer.models.spec import ModelSpec, Task, checked
from kpviewer.models.tables import first_line

CURE = "pip install onnxruntime"
MAX_THREADS = 8
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
_DTYPES = {"tensor(float)": torch.float32, "tensor(float16)": torch.float16}
MAX_MEMORY_BYTES = 2 * 1024**3
"""Memory limit of all open files together: a file of a few hundred bytes can request any amount."""
_FATAL_ONLY = 4  # errors come as exceptions


class OnnxNetwork(nn.Module):
    """Adapter that runs an ONNX Runtime session as a torch module.

    It has no parameters: moving or copying it does nothing, and copies share the session. Tracing
    would freeze its output, and autocast has no effect on it, so both are refused.

    Args:
        session: ONNX Runtime session of a model with one image input, (1 or any, 3, H, W).
        channels: colour order of the input.
    """

    compile_refusal = (
        "An ONNX file runs in onnxruntime and can't be compiled by another engine. "
        "Use --engine auto."
    )

    def __init__(self, session: Any, channels: Channels) -> None:
        super().__init__()
        self._session = session
        (image,) = session.get_inputs()
        self._input_name, self._dtype = image.name, _DTYPES[image.type]
        self._output_names = [output.name for output in session.get_outputs()]
        self._flips = channels is Channels.BGR

    def __deepcopy__(self, memo: dict[int, Any]) -> OnnxNetwork:
        return self

    def forward(self, images: Tensor) -> list[Outputs]:
        """Run each image of (B, 3, H, W) and return its outputs by name, on the same device."""
        if torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
            raise PipelineError(self.compile_refusal)
        if torch.is_autocast_enabled(images.device.type):
            raise PipelineError(
                "An ONNX file runs in the precision that it was exported with. "
                "Use --precision auto."
            )
        planes = images.flip(1) if self._flips else images
        batch = planes.to("cpu", self._dtype).contiguous().numpy()
        return [self._run(image[None], images.device) for image in batch]

    def _run(self, image: Any, device: torch.device) -> Outputs:
        values = self._session.run(self._output_names, {self._input_name: image})
        return {
            name: torch.from_numpy(value).to(device)
            for name, value in zip(self._output_names, values, strict=True)
        }


class OnnxDetector:
    """An ONNX model with its description and decoding."""

    def __init__(self, spec: ModelSpec, network: OnnxNetwork, description: OnnxDescription) -> None:
        self.spec = spec
        self.network = network
        self._description = description

    def decode(self, raw: list[Outputs], input_hw: tuple[int, int]) -> DecodedBatch:
        """Return the 400 best predictions of each image: input px, boxes clipped."""
        images = [read_outputs(outputs, self._description, input_hw) for outputs in raw]
        return ranked(images, input_hw, MAX_CANDIDATES)


def open_onnx(path: Path, layout: str | None = None) -> OnnxDetector:
    """Open an ONNX file by its description and check it by a run on a blank image.

    Args:
        path: path of the file.
        layout: name of the layout of its outputs; None: as the file or its description says.

    Raises:
        AmbiguousLayout: if several layouts fit, and nothing in the file says which is right.
        WeightsError: if onnxruntime isn't installed, or the file is missing, damaged, has
            no description, or contradicts it.
    """
    check_model_file(path)
    session = _session(path)
    try:
        (shape,) = (_shape(each) for each in _one_image_input(path, session))
        facts = _facts(path, session)
    except UnicodeDecodeError as error:
        raise WeightsError(
            f"{path.name} has names that aren't text. Is the file damaged? Fetch it again."
        ) from error
    found = describe(path, facts, layout)
    description, own_summary = found.description, found.summary
    cure = f"Correct {path.stem}.toml" if not own_summary else "Export it again"
    spec = checked(_spec(path, description, shape), path.name, f"{cure}: see {GUIDE}.")
    detector = OnnxDetector(spec, OnnxNetwork(session, description.channels), description)
    try:
        with torch.inference_mode():
            raw = detector.network(torch.zeros(1, 3, *spec.input_hw))
            detector.decode(raw, spec.input_hw)
    except WeightsError as error:
        contradicts = f" contradicts its own metadata ({own_summary})" if own_summary else ""
        raise WeightsError(f"{path.name}{contradicts}: {error}") from error
    except Exception as error:  # ONNX Runtime's error classes share no base
        if "Available memory of" in str(error):
            raise WeightsError(
                f"{path.name} needs more than 2 GB of memory for an input of "
                f"{spec.input_hw[1]}x{spec.input_hw[0]} px. Export it for a smaller one."
            ) from error
        raise WeightsError(
            f"{path.name} can't run on an input of {spec.input_hw[1]}x{spec.input_hw[0]} px: "
            f"{first_line(error)}. Is the input in {path.stem}.toml right?"
        ) from error
    return detector


def _session(path: Path) -> Any:
    """Open a CPU session of ONNX Runtime."""
    try:
        onnxruntime = library("onnxruntime")
    except ImportError as error:
        raise WeightsError(f"{path.name} needs onnxruntime: {CURE}") from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _FATAL_ONLY
    options.intra_op_num_threads = min(MAX_THREADS, torch.get_num_threads())
    # its threads would spin between images, and take the cores of the video and the window
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    _limit_memory(onnxruntime)
    options.add_session_config_entry("session.use_env_allocators", "1")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's error classes share no base
        raise WeightsError(
            f"{path.name} can't be opened: {first_line(error)}. Is the file complete?"
        ) from error


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
    outputs = {each.name: _shape(each) for each in session.get_outputs()}
    metadata = dict(session.get_modelmeta().custom_metadata_map)
    return FileFacts(path.stem, inputs, outputs, metadata)


def _one_image_input(path: Path, session: Any) -> list[Any]:
    """Return the inputs of a session: exactly one, which takes an image."""
    inputs: list[Any] = session.get_inputs()
    fits = len(inputs) == 1 and inputs[0].type in _DTYPES
    if fits:
        shape = _shape(inputs[0])
        fits = len(shape) == 4 and shape[0] in (1, None) and shape[1] in (3, None)
    if not fits:
        got = ", ".join(f"{each.name} {each.type} {each.shape}" for each in inputs)
        raise WeightsError(
            f"{path.name} must take one float input of shape (1, 3, height, width), got {got}. "
            "Export it again with one such input."
        )
    return inputs


def _shape(value: Any) -> Shape:
    """Return the shape of an input or output; None for a dimension that the file leaves open."""
    return tuple(side if isinstance(side, int) and side > 0 else None for side in value.shape)


def _spec(path: Path, description: OnnxDescription, shape: Shape) -> ModelSpec:
    """Convert a description of an ONNX model to a ModelSpec."""
    low, high = description.value_range
    # (low + pixel/255 * (high - low) - mean) / std, as mean and std of pixels in [0, 1]
    mean = tuple((each - low) / (high - low) for each in description.mean)
    std = tuple(each / (high - low) for each in description.std)
    if description.channels is Channels.BGR:
        mean, std = mean[::-1], std[::-1]
    input_hw, stride = _input(path, description, shape)
    return ModelSpec(
        name=description.name or clean_name(path.stem),
        architecture="onnx",
        task=Task.DETECT_KEYPOINTS if description.keypoints else Task.DETECT,
        class_names=description.classes,
        input_hw=input_hw,
        keypoint_names=description.keypoints,
        skeleton=description.skeleton,
        mirrored_keypoints=mirrored_keypoints(description.keypoints),
        resize=description.resize,
        placement=description.placement,
        sampling=description.sampling,
        stride=stride,
        mean=(mean[0], mean[1], mean[2]),
        std=(std[0], std[1], std[2]),
        score_threshold=description.score_threshold,
        iou_threshold=description.iou_threshold,
        nms=description.nms,
        padding=description.padding,
        notes=description.notes,
        licence=description.licence,
        trained_on=description.trained_on,
    )


def _input(
    path: Path, description: OnnxDescription, shape: Shape
) -> tuple[tuple[int, int], int | None]:
    """Return the input's (height, width), px, and its step, from the file or the description."""
    height, width = shape[2:]
    if height is not None and width is not None:
        return (height, width), None
    if description.input is None:
        raise WeightsError(
            f"{path.name} leaves the size of its input open: write "
            f"input = [height, width] into {path.stem}.toml."
        )
    own_height, own_width = description.input
    is_open = height is None and width is None
    return (height or own_height, width or own_width), description.stride if is_open else None
