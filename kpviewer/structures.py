"""The messages between the parts of kpviewer: frozen dataclasses over numpy arrays.

Shapes and dtypes are checked at construction. Empty means N = 0, never None. Coordinates are
source pixels: x to the right, y down, (0, 0) the outer corner of the top-left pixel. No torch, Qt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

import kpviewer

if TYPE_CHECKING:
    import supervision

FloatArray: TypeAlias = NDArray[np.float32]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]
ImageArray: TypeAlias = NDArray[np.uint8]


def _check(name: str, array: NDArray[Any], shape: tuple[int | str, ...], dtype: type) -> None:
    """Raise ValueError unless ``array`` has ``dtype`` and ``shape`` (a str stands for any size)."""
    fits = array.ndim == len(shape) and all(
        isinstance(want, str) or got == want for got, want in zip(array.shape, shape, strict=False)
    )
    if not fits:
        wanted = "(" + ", ".join(str(size) for size in shape) + ")"
        raise ValueError(f"{name} must have shape {wanted}, got {array.shape}")
    if array.dtype != np.dtype(dtype):
        raise ValueError(f"{name} must have dtype {np.dtype(dtype)}, got {array.dtype}")


def _no_rows(*shape: int) -> FloatArray:
    return np.zeros((0, *shape), np.float32)


class Lease(Protocol):
    """A counted claim on a reusable frame buffer; see ``runtime.buffers``."""

    def retain(self) -> None:
        """Add a holder. Raises PipelineError if the buffer was already given back."""

    def release(self) -> None:
        """Drop a holder; the last gives the buffer back. Raises PipelineError if none is left."""


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What a source says of itself once it is open."""

    name: str
    """For people: a file name, a camera's name, a URL without its password."""
    width: int
    height: int
    nominal_fps: float | None
    frame_count: int | None
    is_live: bool
    """Live sources keep the newest frame; the others lose none."""
    is_seekable: bool
    duration_s: float | None = None
    """How long it lasts by its timestamps; None where it has none, or is live."""


@dataclass(frozen=True, slots=True, eq=False)
class GroundTruth:
    """Ground truth of one image, in source pixels."""

    xyxy: FloatArray
    """(N, 4)."""
    class_ids: IntArray
    """(N,)."""
    keypoints_xy: FloatArray
    """(N, K, 2); K = 0 where there are none."""
    keypoints_visible: BoolArray
    """(N, K): labelled; only these are compared."""
    difficult: BoolArray
    """(N,): neither a hit nor a miss when found or not (VOC difficult, COCO crowd)."""
    image_id: int | None = None
    """Id of the image in a COCO ground truth; None in others."""
    labelled_ids: frozenset[int] | None = None
    """Class ids that are annotated: detections of others neither hit nor fail. None is all."""

    def __post_init__(self) -> None:
        """Check shapes and dtypes."""
        count, points = len(self.xyxy), self.keypoints_xy.shape[1]
        _check("xyxy", self.xyxy, ("N", 4), np.float32)
        _check("class_ids", self.class_ids, (count,), np.int64)
        _check("keypoints_xy", self.keypoints_xy, (count, points, 2), np.float32)
        _check("keypoints_visible", self.keypoints_visible, (count, points), np.bool_)
        _check("difficult", self.difficult, (count,), np.bool_)

    def __len__(self) -> int:
        """Number of objects."""
        return len(self.xyxy)

    @classmethod
    def empty(cls, num_keypoints: int = 0) -> GroundTruth:
        """No object at all: an image known to be empty."""
        return cls(
            np.zeros((0, 4), np.float32),
            np.zeros(0, np.int64),
            np.zeros((0, num_keypoints, 2), np.float32),
            np.zeros((0, num_keypoints), np.bool_),
            np.zeros(0, np.bool_),
        )

    def take(self, rows: IntArray | BoolArray) -> GroundTruth:
        """Give some of the objects, by index or by mask."""
        return GroundTruth(
            self.xyxy[rows],
            self.class_ids[rows],
            self.keypoints_xy[rows],
            self.keypoints_visible[rows],
            self.difficult[rows],
            self.image_id,
            self.labelled_ids,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One image of a stream, in a leased buffer."""

    index: int
    """Counts every frame that the source gave, from 0; for a file, the frame's number in it."""
    captured_ns: int
    """Monotonic clock at capture, in ns."""
    position_s: float | None
    """Media time in seconds, where the source has one."""
    bgr: ImageArray
    """(H, W, 3) uint8. Valid while the lease is held: retain it, or copy."""
    ground_truth: GroundTruth | None = None
    lease: Lease | None = None
    file: str | None = None
    """File that the frame comes from, relative to the opened folder, with ``/``; None: no file."""
    frame_in_file: int | None = None
    """Number of the frame in ``file``, from 0; None where the file holds this one image."""

    def __post_init__(self) -> None:
        """Check shape and dtype of the image."""
        _check("bgr", self.bgr, ("H", "W", 3), np.uint8)

    def retain(self) -> None:
        """Hold the buffer, once per ``release``. Frames with no lease own their pixels."""
        if self.lease is not None:
            self.lease.retain()

    def release(self) -> None:
        """Let the buffer go."""
        if self.lease is not None:
            self.lease.release()


class NmsKind(StrEnum):
    """What overlapping boxes do to each other's score."""

    HARD = "hard"
    SOFT_LINEAR = "soft-linear"
    SOFT_GAUSSIAN = "soft-gaussian"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The settings that turn candidates into detections; swapped as one."""

    score: float = 0.5
    iou: float = 0.45
    nms: NmsKind = NmsKind.HARD
    sigma: float = 0.5
    """Of the Gaussian soft-NMS (Bodla et al. 2017, arXiv:1704.04503, eq. 5)."""
    classes: frozenset[int] | None = None
    """Class ids shown; None is all."""
    class_scores: Mapping[int, float] = field(default_factory=dict)
    """Score thresholds of single classes, before ``score``."""
    max_detections: int = 100

    def __post_init__(self) -> None:
        """Check ranges."""
        for name, value in (("score", self.score), ("iou", self.iou)):
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"{name} must be in [0, 1], got {value}")


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """The best decoded predictions of one image, before threshold and NMS.

    ``models.selection.select`` turns them into Detections, as often as a slider moves.
    """

    xyxy: FloatArray
    """(M, 4) source px; M <= 400."""
    scores: FloatArray
    """(M, C) in [0, 1]: one column a class, background left out."""
    keypoints_xy: FloatArray
    """(M, K, 2) source px."""

    def __post_init__(self) -> None:
        """Check shapes and dtypes."""
        count = len(self.xyxy)
        _check("xyxy", self.xyxy, ("M", 4), np.float32)
        _check("scores", self.scores, (count, "C"), np.float32)
        _check("keypoints_xy", self.keypoints_xy, (count, "K", 2), np.float32)

    def __len__(self) -> int:
        """Number of candidates."""
        return len(self.xyxy)

    @classmethod
    def empty(cls, num_classes: int = 1, num_keypoints: int = 0) -> Candidates:
        """No candidate: what a stream without a model has."""
        return cls(_no_rows(4), _no_rows(num_classes), _no_rows(num_keypoints, 2))


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """What the model sees at the present thresholds, by descending score."""

    xyxy: FloatArray
    """(N, 4) source px."""
    scores: FloatArray
    """(N,) in [0, 1], descending."""
    class_ids: IntArray
    """(N,)."""
    keypoints_xy: FloatArray
    """(N, K, 2) source px."""
    keypoint_scores: FloatArray
    """(N, K) in [0, 1]; the box's score where the model gives none."""
    smoothed_xy: FloatArray | None = None
    """(N, K, 2) source px: ``keypoints_xy`` filtered over time, to be looked at; None: not done."""
    track_ids: IntArray | None = None
    """(N,) the same for an object from frame to frame, -1 for none yet; None: not followed."""
    trails: tuple[FloatArray, ...] | None = None
    """N times (T, 2) source px: where the middle of each was, oldest first; None: not followed."""

    def __post_init__(self) -> None:
        """Check shapes and dtypes."""
        count, points = len(self.xyxy), self.keypoints_xy.shape[1]
        _check("xyxy", self.xyxy, ("N", 4), np.float32)
        _check("scores", self.scores, (count,), np.float32)
        _check("class_ids", self.class_ids, (count,), np.int64)
        _check("keypoints_xy", self.keypoints_xy, (count, points, 2), np.float32)
        _check("keypoint_scores", self.keypoint_scores, (count, points), np.float32)
        if self.smoothed_xy is not None:
            _check("smoothed_xy", self.smoothed_xy, (count, points, 2), np.float32)
        if self.track_ids is not None:
            _check("track_ids", self.track_ids, (count,), np.int64)

    def __len__(self) -> int:
        """Number of detections."""
        return len(self.xyxy)

    @classmethod
    def empty(cls, num_keypoints: int = 0) -> Detections:
        """Nothing seen."""
        ids, points = np.zeros(0, np.int64), _no_rows(num_keypoints, 2)
        return cls(_no_rows(4), _no_rows(), ids, points, _no_rows(num_keypoints))

    def take(self, rows: IntArray | BoolArray) -> Detections:
        """Give some of the detections, by index or by mask."""
        chosen = np.arange(len(self))[rows]
        return Detections(
            self.xyxy[rows],
            self.scores[rows],
            self.class_ids[rows],
            self.keypoints_xy[rows],
            self.keypoint_scores[rows],
            None if self.smoothed_xy is None else self.smoothed_xy[rows],
            None if self.track_ids is None else self.track_ids[rows],
            None if self.trails is None else tuple(self.trails[i] for i in chosen),
        )

    def to_supervision(self, class_names: Sequence[str] = ()) -> supervision.Detections:
        """Return the same boxes as an object of the package ``supervision``.

        Args:
            class_names: by class id, for ``data["class_name"]``; empty leaves that out.

        Raises:
            KpviewerError: if the package isn't installed.
        """
        return kpviewer.to_supervision(self, class_names)


@dataclass(frozen=True, slots=True)
class StageTimings:
    """Where one frame's time went. GPU stages come from CUDA events."""

    read_ms: float = 0.0
    queue_wait_ms: float = 0.0
    upload_ms: float = 0.0
    """To the device, resized and normalised."""
    forward_ms: float = 0.0
    postprocess_ms: float = 0.0
    """Decode, copy back, threshold and NMS."""
    total_ms: float = 0.0
    """From capture to result."""

    @property
    def model_ms(self) -> float:
        """Time that the model took: upload, forward pass and postprocessing."""
        return self.upload_ms + self.forward_ms + self.postprocess_ms

    def by_stage(self) -> dict[str, float]:
        """Return the times in ms by name of the stage, as files have them: without ``_ms``."""
        return {name.removesuffix("_ms"): value for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class FrameError:
    """How far the detections of one frame are from its ground truth."""

    mean_px: float | None
    """Mean distance of the keypoints (of box centres where there are none); None: none matched."""
    nme: float | None
    """Mean distance over the normaliser; None without keypoints."""
    nme_normaliser: str
    """"inter-ocular" or "box diagonal"."""
    mean_iou: float | None
    matched: int
    false_negatives: int
    false_positives: int


@dataclass(frozen=True, slots=True, eq=False)
class SecondResult:
    """What a second model saw in the same frame, and how far that is from the first."""

    candidates: Candidates
    detections: Detections
    """At the second model's thresholds; class ids are its own."""
    model_ms: float
    """Time that the second model took, selection included."""
    difference: FrameError
    """The second model's error with the first model's detections as ground truth: its false
    negatives are only the first's, its false positives only the second's."""


class ModelDescription(Protocol):
    """What is needed to show a result; ``models.spec.ModelSpec`` is one."""

    @property
    def task(self) -> str:
        """A value of ``models.spec.Task``."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names by class id."""

    @property
    def keypoint_names(self) -> tuple[str, ...]:
        """Names of the K keypoints."""

    @property
    def skeleton(self) -> tuple[tuple[int, int], ...]:
        """Pairs of keypoint indices joined by a line."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameResult:
    """A frame with what was seen in it: the two never part."""

    frame: Frame
    candidates: Candidates
    detections: Detections
    timings: StageTimings
    error: FrameError | None = None
    has_model: bool = True
    """Whether a model looked at the frame: without one, no detection means nothing."""
    second: SecondResult | None = None
    """Of the model that is compared with; None while there is none."""
    spec: ModelDescription | None = None
    """Description of the model; None without one."""
    thresholds: Thresholds | None = None
    """Thresholds that ``detections`` were selected by; None without a model."""

    def _repr_png_(self) -> bytes:
        """Return the annotated image as PNG, which notebooks show."""
        return kpviewer.png_of(self)
