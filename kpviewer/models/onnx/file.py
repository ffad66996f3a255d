"""Detectors from ONNX files, run by ONNX Runtime on the CPU in the precision of the export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kpviewer.errors import PipelineError, WeightsError
from kpviewer.models.base import DecodedBatch
from kpviewer.models.coco_keypoints import mirrored_keypoints
from kpviewer.models.files import check_model_file
from kpviewer.models.limits import clean_name
from kpviewer.models.names import is_engine
from kpviewer.models.onnx.description import GUIDE, Channels, OnnxDescription, OutputKind
from kpviewer.models.onnx.inputs import ImageInput, image_input
from kpviewer.models.onnx.openvino_session import OpenVinoSession
from kpviewer.models.onnx.readers import read_outputs
from kpviewer.models.onnx.readers.base import Outputs
from kpviewer.models.onnx.readers.openmmlab import read_crops
from kpviewer.models.onnx.recognition import describe
from kpviewer.models.onnx.session import OrtSession, Session
from kpviewer.models.onnx.tensorrt_session import TensorRtSession
from kpviewer.models.ranking import Rows, dense
from kpviewer.models.spec import ModelSpec, Resize, Task, checked
from kpviewer.models.tables import first_line
from kpviewer.models.top_down import CropReader, TopDownDetector

_NAN_CHECKS = 20
_BLANK_PX = 640
"""Largest side of the blank image that a file is tried with, if its input may be of any size."""


class OnnxNetwork(nn.Module):
    """Adapter that runs an ONNX Runtime session as a torch module.

    It has no parameters: moving or copying it does nothing, and copies share the session. Tracing
    would freeze its output, and autocast has no effect on it, so both are refused.

    Args:
        session: session of a model that takes one image.
        image: form of its input.
        channels: colour order of the input.
    """

    compile_refusal = (
        "A model in a file runs in its own graph and can't be compiled by another backend. "
        "Use --backend auto."
    )

    def __init__(self, session: Session, image: ImageInput, channels: Channels) -> None:
        super().__init__()
        self.session, self.image, self.channels = session, image, channels

    def __deepcopy__(self, memo: dict[int, Any]) -> OnnxNetwork:
        return self

    def with_session(self, session: Session) -> OnnxNetwork:
        """Return a network that runs the same graph in another session."""
        return OnnxNetwork(session, self.image, self.channels)

    def forward(self, images: Tensor) -> list[Outputs]:
        """Run each image of (B, 3, H, W) and return its outputs by name, on the same device."""
        if torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
            raise PipelineError(self.compile_refusal)
        if torch.is_autocast_enabled(images.device.type):
            raise PipelineError(
                "An ONNX file runs in the precision that it was exported with. "
                "Use --precision auto."
            )
        found = self.outputs_of(images.to("cpu", torch.float32).numpy())
        return [{name: each.to(images.device) for name, each in one.items()} for one in found]

    def outputs_of(self, planes: NDArray[Any]) -> list[Outputs]:
        """Run each image of (B, 3, H, W) float32, RGB, and return its outputs by name."""
        batch = planes[:, ::-1] if self.channels is Channels.BGR else planes
        return [self.run(self.session, self.image.feeds(image)) for image in batch]

    def run(self, session: Session, feeds: Mapping[str, NDArray[Any]]) -> Outputs:
        """Run a session; return the outputs of the first image by name, with a batch axis of 1."""
        shapes, batch = self.session.facts.outputs, self.image.batch
        outputs = {}
        for name, value in session.run(feeds).items():
            has_batch = batch > 1 and shapes[name][:1] == (batch,)
            outputs[name] = torch.from_numpy(value[:1] if has_batch else value)
        return outputs


class OnnxDetector:
    """An ONNX model with its description and decoding."""

    def __init__(self, spec: ModelSpec, network: OnnxNetwork, description: OnnxDescription) -> None:
        self.spec = spec
        self.network = network
        self._description = description
        self._checks_left = _NAN_CHECKS
        self.has_nan = False
        """Whether an output of one of the first images had no numbers; such rows are left out."""

    @property
    def identity(self) -> str:
        """Text of how the outputs are read, which ``runtime.content`` hashes."""
        return repr(self._description)

    def decode(self, raw: list[Outputs], input_hw: tuple[int, int]) -> DecodedBatch:
        """Return the best predictions of each image, at most 4,000: input px, boxes not clipped."""
        images = [read_outputs(outputs, self._description, input_hw) for outputs in raw]
        if self._checks_left > 0:
            self._checks_left -= 1
            self.has_nan |= any(_has_nan(rows, self.spec.score_threshold) for rows in images)
        return dense(images)


def _has_nan(rows: Rows, least_score: float) -> bool:
    """Return whether scores, or boxes of at least a score, aren't numbers."""
    found = rows.scores.amax(-1) >= least_score
    return bool(rows.scores.isnan().any() or not rows.xyxy[found].isfinite().all())


OpenedOnnx: TypeAlias = OnnxDetector | TopDownDetector
"""A model of images, or of crops, which takes the whole image as its crop."""


def open_onnx(path: Path, layout: str | None = None) -> OpenedOnnx:
    """Open a file of a graph by its description and check it by a run on a blank image.

    Args:
        path: path of the file.
        layout: name of the layout of its outputs; None: as the file or its description says.

    Raises:
        AmbiguousLayout: if several layouts fit, and nothing in the file says which is right.
        WeightsError: if the library isn't installed, or the file is missing, damaged, has
            no description, or contradicts it.
    """
    check_model_file(path)
    session = _session(path)
    image = image_input(session.facts)
    found = describe(path, session.facts.of_one_image(image.batch), layout)
    description, own_summary = found.description, found.summary
    cure = f"Correct {path.stem}.toml" if not own_summary else "Export it again"
    own_spec = found.spec or _spec(path, description, image.size_hw)
    spec = checked(own_spec, path.name, f"{cure}: see {GUIDE}.")
    network = OnnxNetwork(session, image, description.channels)
    detector: OpenedOnnx = OnnxDetector(spec, network, description)
    if description.output.kind is OutputKind.SIMCC:
        scored = replace(spec, keypoint_threshold=description.keypoint_threshold)
        detector = TopDownDetector(CropReader(scored, network, read_crops))
    blank_hw = detector.spec.input_hw
    if detector.spec.resize is Resize.NONE:
        blank_hw = (min(blank_hw[0], _BLANK_PX), min(blank_hw[1], _BLANK_PX))
    try:
        with torch.inference_mode():
            raw = detector.network(torch.zeros(1, 3, *blank_hw))
            decoded = detector.decode(raw, blank_hw)
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
    if decoded.keypoint_scores is not None:
        detector.spec = replace(detector.spec, keypoint_threshold=description.keypoint_threshold)
    return detector


def _session(path: Path) -> Session:
    if is_engine(path):
        return TensorRtSession(path)
    return OpenVinoSession(path) if path.suffix.lower() == ".xml" else OrtSession(path)


def _spec(
    path: Path, description: OnnxDescription, size_hw: tuple[int | None, int | None]
) -> ModelSpec:
    """Convert a description of an ONNX model to a ModelSpec."""
    low, high = description.value_range
    # (low + pixel/255 * (high - low) - mean) / std, as mean and std of pixels in [0, 1]
    mean = tuple((each - low) / (high - low) for each in description.mean)
    std = tuple(each / (high - low) for each in description.std)
    if description.channels is Channels.BGR:
        mean, std = mean[::-1], std[::-1]
    input_hw, stride = _input(path, description, size_hw)
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
        content_hw=description.content,
        whole_input=description.whole_input,
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
    path: Path, description: OnnxDescription, size_hw: tuple[int | None, int | None]
) -> tuple[tuple[int, int], int | None]:
    """Return the input's (height, width), px, and its step, from the file or the description."""
    height, width = size_hw
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
