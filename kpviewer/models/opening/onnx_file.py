"""Detectors from ONNX files, run by ONNX Runtime on the CPU in the precision of the export."""

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from kpviewer.errors import WeightsError
from kpviewer.models.files.paths import check_model_file
from kpviewer.models.libraries.torch_needed import require_torch
from kpviewer.models.limits import MAX_OUTPUTS, clean_name
from kpviewer.models.names.coco_keypoints import mirrored_keypoints
from kpviewer.models.names.models import is_engine
from kpviewer.models.onnx.description import GUIDE, OF_CROPS, Channels, OnnxDescription
from kpviewer.models.onnx.families.point_names import numbered
from kpviewer.models.onnx.inputs import ImageInput, image_input
from kpviewer.models.onnx.network import OnnxNetwork
from kpviewer.models.onnx.openvino.session import OpenVinoSession
from kpviewer.models.onnx.readers import read_outputs
from kpviewer.models.onnx.readers.columns import Outputs
from kpviewer.models.onnx.recognition import describe
from kpviewer.models.onnx.refusals import plain_reason
from kpviewer.models.onnx.session import OrtSession, Session
from kpviewer.models.ranking import DecodedArrays, Rows, dense
from kpviewer.models.spec import CommonSpec, ModelSpec, Resize, Task, checked
from kpviewer.models.tables import changed_fields
from kpviewer.models.top_down import TopDownDetector
from kpviewer.structures import Shape

_NAN_CHECKS = 20
_BLANK_PX = 640
"""Largest side of the blank image that a file is tried with, if its input may be of any size."""


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
        description = self._description
        outlines = " outlines" if self.spec.has_outlines else ""  # scans of before have none
        return f"{description.channels} {changed_fields(description.output)}{outlines}"

    def decode(self, raw: Sequence[Outputs], input_hw: tuple[int, int]) -> DecodedArrays:
        """Return the best predictions of each image, at most 4,000: input px, boxes not clipped."""
        images = [read_outputs(outputs, self._description, input_hw) for outputs in raw]
        if self._checks_left > 0:
            self._checks_left -= 1
            self.has_nan |= any(_has_nan(rows, self.spec.score_threshold) for rows in images)
        return dense(images)


def _has_nan(rows: Rows, least_score: float) -> bool:
    """Return whether scores, or what objects of at least a score consist of, aren't numbers."""
    found = rows.take(np.flatnonzero(rows.scores.max(-1) >= least_score))
    parts = [found.xyxy, found.keypoints_xy, found.keypoint_scores]
    if found.masks is not None:
        whole = slice(None), slice(None)
        parts += [found.masks.levels(row, whole) for row in range(len(found.xyxy))]
    return bool(np.isnan(rows.scores).any()) or any(
        part is not None and not np.isfinite(part).all() for part in parts
    )


def open_onnx(path: Path, layout: str | None = None) -> OnnxDetector | TopDownDetector:
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
    if len(session.facts.outputs) > MAX_OUTPUTS:
        outputs = len(session.facts.outputs)
        raise WeightsError(f"{path.name} has {outputs:,} outputs; at most {MAX_OUTPUTS} are read.")
    image = image_input(session.facts)
    found = describe(path, session.facts.of_one_image(image.batch), layout)
    description, own_summary = found.description, found.summary
    cure = f"Correct {path.stem}.toml" if not own_summary else "Export it again"
    own_spec = found.spec or _spec(path, description, image)
    spec = checked(own_spec, path.name, f"{cure}: see {GUIDE}.")
    channels = Channels.RGB if image.is_grey else description.channels
    network = OnnxNetwork(session, image, channels)
    detector = OnnxDetector(spec, network, description)
    blank_hw = spec.input_hw
    if spec.resize is Resize.NONE:
        blank_hw = (min(blank_hw[0], _BLANK_PX), min(blank_hw[1], _BLANK_PX))
    raw = _tried(path, network, blank_hw)
    try:
        decoded = detector.decode(raw, blank_hw)
    except WeightsError as error:
        contradicts = f" contradicts its own metadata ({own_summary})" if own_summary else ""
        raise WeightsError(f"{path.name}{contradicts}: {error}") from error
    if decoded.keypoint_scores is not None:
        detector.spec = replace(spec, keypoint_threshold=description.keypoint_threshold)
    if decoded.outlines_xy is not None or decoded.masks:
        shape = Shape.MASKS if decoded.masks else Shape.ROTATED
        detector.spec = replace(detector.spec, shape=shape)
    is_of_crops = description.output.kind in OF_CROPS
    return TopDownDetector(detector) if is_of_crops else detector


def _tried(path: Path, network: OnnxNetwork, input_hw: tuple[int, int]) -> list[Outputs]:
    """Return the outputs for a blank image."""
    try:
        return network(np.zeros((1, 3, *input_hw), np.float32))
    except WeightsError:
        raise
    except Exception as error:  # ONNX Runtime's error classes share no base
        size = f"{input_hw[1]}x{input_hw[0]} px"
        if "Available memory of" in str(error):
            raise WeightsError(
                f"{path.name} needs more than 2 GB of memory for an input of {size}. "
                "Export it for a smaller one."
            ) from error
        raise WeightsError(
            f"{path.name} can't run on an input of {size}: {plain_reason(error)}. "
            f"Is the input in {path.stem}.toml right?"
        ) from error


def _session(path: Path) -> Session:
    if is_engine(path):
        require_torch(f"{path.name}, a TensorRT engine,")
        from kpviewer.models.onnx.tensorrt_session import TensorRtSession  # noqa: PLC0415

        return TensorRtSession(path)
    return OpenVinoSession(path) if path.suffix.lower() == ".xml" else OrtSession(path)


def _spec(path: Path, description: OnnxDescription, image: ImageInput) -> ModelSpec:
    """Convert a description of an ONNX model to a ModelSpec."""
    low, high = description.value_range
    # (low + pixel/255 * (high - low) - mean) / std, as mean and std of pixels in [0, 1]
    mean = tuple((each - low) / (high - low) for each in description.mean)
    std = tuple(each / (high - low) for each in description.std)
    if image.takes_levels:  # the graph normalises: whole numbers can't be normalised colours
        mean, std = (0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255)
    if description.channels is Channels.BGR:
        mean, std = mean[::-1], std[::-1]
    input_hw, stride = _input(path, description, image.size_hw)
    points = description.keypoints
    is_named = points != numbered(len(points))  # else nobody knows which swap in a mirror
    return ModelSpec(
        name=description.name or clean_name(path.stem),
        architecture="onnx",
        task=Task.DETECT_KEYPOINTS if points else Task.DETECT,
        class_names=description.classes,
        input_hw=input_hw,
        keypoint_names=points,
        mirrored_keypoints=mirrored_keypoints(points) if is_named else (),
        content_hw=description.content,
        stride=stride,
        mean=(mean[0], mean[1], mean[2]),
        std=(std[0], std[1], std[2]),
        **{each.name: getattr(description, each.name) for each in fields(CommonSpec)},
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
