"""Data that the parts of kpviewer exchange: frozen dataclasses over numpy arrays.

Shapes and dtypes are checked at construction. Empty means N = 0, never None. Coordinates are
source pixels: x to the right, y down, (0, 0) the outer corner of the top-left pixel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
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
    """Raise ValueError unless ``array`` has ``dtype`` and ``shape`` (a str allows any size)."""
    fits = array.ndim == len(shape) and all(
        isinstance(size, str) or got == size for got, size in zip(array.shape, shape, strict=False)
    )
    if not fits:
        required = "(" + ", ".join(str(size) for size in shape) + ")"
        raise ValueError(f"{name} must have shape {required}, got {array.shape}")
    if array.dtype != np.dtype(dtype):
        raise ValueError(f"{name} must have dtype {np.dtype(dtype)}, got {array.dtype}")


def _taken(value: Any, rows: IntArray | BoolArray) -> dict[str, Any]:
    """Return the arrays of a dataclass in some rows, by field."""
    arrays = {each.name: getattr(value, each.name) for each in fields(value)}
    return {name: array[rows] for name, array in arrays.items() if isinstance(array, np.ndarray)}


def _no_rows(*shape: int) -> FloatArray:
    return np.zeros((0, *shape), np.float32)


class Lease(Protocol):
    """Counted claim on a reusable frame buffer; see ``runtime.buffers``."""

    def retain(self) -> None:
        """Add a holder. Raises PipelineError if the buffer was already returned."""

    def release(self) -> None:
        """Remove a holder; the last returns the buffer. Raises PipelineError if none is left."""


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """Description of an open source."""

    name: str
    """Display name: a file name, a camera's name, a URL without its password."""
    width: int
    height: int
    nominal_fps: float | None
    frame_count: int | None
    is_live: bool
    """Whether only the newest frame is kept; other sources lose no frame."""
    is_seekable: bool
    duration_s: float | None = None
    """Duration by the timestamps; None without timestamps, and for live sources."""
    turn: str = ""
    """Rotation and mirroring of the frames, as ``sources.turn.Turn`` writes them."""


@dataclass(frozen=True, slots=True, eq=False)
class GroundTruth:
    """Ground truth of one image, in source pixels."""

    xyxy: FloatArray
    """(N, 4) corners of the boxes."""
    class_ids: IntArray
    """(N,) class of each object."""
    keypoints_xy: FloatArray
    """(N, K, 2) keypoints; K = 0 if there are none."""
    keypoints_visible: BoolArray
    """(N, K) labelled keypoints; only these are compared."""
    difficult: BoolArray
    """(N,) objects that count neither as found nor as missed (VOC difficult, COCO crowd)."""
    image_id: int | None = None
    """Image id in a COCO ground truth; None for other formats."""
    labelled_ids: frozenset[int] | None = None
    """Annotated class ids; detections of other classes aren't scored. None means all classes."""

    def __post_init__(self) -> None:
        count, points = len(self.xyxy), self.keypoints_xy.shape[1]
        _check("xyxy", self.xyxy, ("N", 4), np.float32)
        _check("class_ids", self.class_ids, (count,), np.int64)
        _check("keypoints_xy", self.keypoints_xy, (count, points, 2), np.float32)
        _check("keypoints_visible", self.keypoints_visible, (count, points), np.bool_)
        _check("difficult", self.difficult, (count,), np.bool_)

    def __len__(self) -> int:
        return len(self.xyxy)

    @classmethod
    def empty(cls, num_keypoints: int = 0) -> GroundTruth:
        """Return the ground truth of an image without objects."""
        visible = np.zeros((0, num_keypoints), np.bool_)
        ids, points = np.zeros(0, np.int64), _no_rows(num_keypoints, 2)
        return cls(_no_rows(4), ids, points, visible, np.zeros(0, np.bool_))

    def take(self, rows: IntArray | BoolArray) -> GroundTruth:
        """Return some of the objects, by index or by mask."""
        return replace(self, **_taken(self, rows))


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Image of a stream, in a leased buffer."""

    index: int
    """Frame number from 0: within a file, or among the frames read from a live source."""
    captured_ns: int
    """Time of capture on the monotonic clock, ns."""
    position_s: float | None
    """Media time in seconds; None if the source has none."""
    bgr: ImageArray
    """(H, W, 3) uint8. Valid while the lease is held: retain the frame, or copy the pixels."""
    ground_truth: GroundTruth | None = None
    lease: Lease | None = None
    file: str | None = None
    """File of the frame, relative to the opened folder, with ``/``; None if there is no file."""
    frame_in_file: int | None = None
    """Frame number within ``file``, from 0; None if the file holds a single image."""

    def __post_init__(self) -> None:
        _check("bgr", self.bgr, ("H", "W", 3), np.uint8)

    def retain(self) -> None:
        """Hold the buffer until a matching ``release``. Frames without a lease own their pixels."""
        if self.lease is not None:
            self.lease.retain()

    def release(self) -> None:
        """Release the buffer once."""
        if self.lease is not None:
            self.lease.release()


class NmsKind(StrEnum):
    """Kind of non-maximum suppression: how a box lowers the scores of overlapping boxes."""

    NONE = "none"
    """For models whose predictions are distinct: end-to-end heads, and graphs with NMS inside."""
    HARD = "hard"
    SOFT_LINEAR = "soft-linear"
    SOFT_GAUSSIAN = "soft-gaussian"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Settings that select detections from candidates; replaced as a whole."""

    score: float = 0.5
    iou: float = 0.45
    nms: NmsKind = NmsKind.HARD
    sigma: float = 0.5
    """Sigma of the Gaussian soft-NMS (Bodla et al. 2017, arXiv:1704.04503, eq. 5)."""
    classes: frozenset[int] | None = None
    """Class ids to show; None means all."""
    class_scores: Mapping[int, float] = field(default_factory=dict)
    """Score thresholds of single classes, which override ``score``."""
    max_detections: int = 300
    keypoint: float = 0.5
    """Score below which a keypoint counts as not predicted, where the model predicts scores."""

    def __post_init__(self) -> None:
        for name, value in (("score", self.score), ("iou", self.iou), ("keypoint", self.keypoint)):
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"{name} must be in [0, 1], got {value}")

    def least_scores(self, class_ids: IntArray) -> FloatArray:
        """Return the score that a detection of each class must reach: (N,) float32."""
        least = np.full(len(class_ids), self.score, np.float32)
        for class_id, score in self.class_scores.items():
            least[class_ids == class_id] = score
        return least


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Best predictions of one image, from which thresholds and NMS select Detections."""

    xyxy: FloatArray
    """(M, 4) corners of whole boxes, source px, also beyond the image's edges. M <= 4,000."""
    scores: FloatArray
    """(M, C) scores in [0, 1], one column per class without background."""
    keypoints_xy: FloatArray
    """(M, K, 2) keypoints, source px."""
    keypoint_scores: FloatArray | None = None
    """(M, K) scores in [0, 1]; None if the model predicts none."""
    size_wh: tuple[int, int] | None = None
    """Width and height of the image, px, that detections are clipped to; None: they aren't."""
    overlaps: FloatArray | None = None
    """(M,) largest IoU with a better candidate of the class; None: NMS compares the boxes."""

    def __post_init__(self) -> None:
        count, points = len(self.xyxy), self.keypoints_xy.shape[1]
        _check("xyxy", self.xyxy, ("M", 4), np.float32)
        _check("scores", self.scores, (count, "C"), np.float32)
        _check("keypoints_xy", self.keypoints_xy, (count, "K", 2), np.float32)
        if self.keypoint_scores is not None:
            _check("keypoint_scores", self.keypoint_scores, (count, points), np.float32)

    def __len__(self) -> int:
        return len(self.xyxy)

    @classmethod
    def empty(cls, num_classes: int = 1, num_keypoints: int = 0) -> Candidates:
        """Return no candidates, as for a frame without a model."""
        return cls(_no_rows(4), _no_rows(num_classes), _no_rows(num_keypoints, 2))


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Detections of a model at given thresholds, by descending score."""

    xyxy: FloatArray
    """(N, 4) corners of the boxes, source px."""
    scores: FloatArray
    """(N,) scores in [0, 1], descending."""
    class_ids: IntArray
    """(N,) class of each detection."""
    keypoints_xy: FloatArray
    """(N, K, 2) keypoints, source px."""
    keypoint_scores: FloatArray
    """(N, K) scores in [0, 1]; NaN if the model predicts none."""
    smoothed_xy: FloatArray | None = None
    """(N, K, 2) ``keypoints_xy`` filtered over time for display, source px; None if off."""
    track_ids: IntArray | None = None
    """(N,) track of each object over frames, -1 for none yet; None without tracking."""
    trails: tuple[FloatArray, ...] | None = None
    """N arrays (T, 2) of past box centres, oldest first, source px; None without tracking."""
    keypoint_threshold: float = 0.0
    """Score below which a keypoint counts as not predicted."""

    def __post_init__(self) -> None:
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
        return len(self.xyxy)

    @property
    def keypoints_predicted(self) -> BoolArray:
        """(N, K) keypoints whose score reaches the threshold; all, if the model predicts none."""
        return ~(self.keypoint_scores < self.keypoint_threshold)  # false for NaN

    @property
    def has_keypoint_scores(self) -> bool:
        """Whether the model predicts scores of keypoints and there is one."""
        return not bool(np.isnan(self.keypoint_scores).all())

    @classmethod
    def empty(cls, num_keypoints: int = 0) -> Detections:
        """Return no detections."""
        ids, points = np.zeros(0, np.int64), _no_rows(num_keypoints, 2)
        return cls(_no_rows(4), _no_rows(), ids, points, _no_rows(num_keypoints))

    def take(self, rows: IntArray | BoolArray) -> Detections:
        """Return some of the detections, by index or by mask."""
        trails = self.trails and tuple(self.trails[row] for row in np.arange(len(self))[rows])
        return replace(self, **_taken(self, rows), trails=trails)

    def to_supervision(self, class_names: Sequence[str] = ()) -> supervision.Detections:
        """Return the detections as an object of the package ``supervision``.

        Args:
            class_names: names by class id for ``data["class_name"]``; empty leaves that out.

        Raises:
            KpviewerError: if the package isn't installed.
        """
        return kpviewer.to_supervision(self, class_names)


@dataclass(frozen=True, slots=True)
class StageTimings:
    """Times of one frame by stage. GPU stages are measured with CUDA events."""

    read_ms: float = 0.0
    queue_wait_ms: float = 0.0
    upload_ms: float = 0.0
    """Time to copy to the device, resize and normalise."""
    forward_ms: float = 0.0
    postprocess_ms: float = 0.0
    """Time to decode, copy back, threshold and suppress overlapping boxes."""
    total_ms: float = 0.0
    """Time from capture to result."""

    @property
    def model_ms(self) -> float:
        """Time of the model: upload, forward pass and postprocessing."""
        return self.upload_ms + self.forward_ms + self.postprocess_ms

    def by_stage(self) -> dict[str, float]:
        """Return the times in ms by stage name without ``_ms``, as files have them."""
        return {name.removesuffix("_ms"): value for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class FrameError:
    """Deviation of a frame's detections from its ground truth."""

    mean_px: float | None
    """Mean distance of keypoints, or of box centres without them; None if nothing matched."""
    nme: float | None
    """Normalised mean error of the keypoints; None without keypoints."""
    nme_normaliser: str
    """Length that ``nme`` is divided by: "inter-ocular" or "box diagonal"."""
    mean_iou: float | None
    """Mean IoU of matched boxes; None if nothing matched."""
    matched: int
    """Number of true positives."""
    false_negatives: int
    false_positives: int
    keypoints_not_predicted: int = 0
    """Number of labelled keypoints of true positives that the model didn't predict."""


@dataclass(frozen=True, slots=True, eq=False)
class SecondResult:
    """Detections of a second model in the same frame, and their difference from the first."""

    candidates: Candidates
    detections: Detections
    """Detections at the second model's thresholds, with its own class ids."""
    model_ms: float
    """Time of the second model, including selection."""
    difference: FrameError
    """Error of the second model, with the first model's detections as the ground truth."""
    spec: ModelDescription | None = None
    """Description of the second model."""


class ModelDescription(Protocol):
    """Description of a model for showing its results; ``models.spec.ModelSpec`` implements it."""

    @property
    def task(self) -> str:
        """Value of ``models.spec.Task``."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Class names by class id."""

    @property
    def keypoint_names(self) -> tuple[str, ...]:
        """Names of the K keypoints."""

    @property
    def skeleton(self) -> tuple[tuple[int, int], ...]:
        """Pairs of keypoint indices joined by a line."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameResult:
    """Frame together with its detections."""

    frame: Frame
    candidates: Candidates
    detections: Detections
    timings: StageTimings
    error: FrameError | None = None
    has_model: bool = True
    """Whether a model processed the frame; without one, detections are always empty."""
    second: SecondResult | None = None
    """Result of the second model; None without a comparison."""
    spec: ModelDescription | None = None
    """Description of the model; None without a model."""
    thresholds: Thresholds | None = None
    """Thresholds of ``detections``; None without a model."""

    def _repr_png_(self) -> bytes:
        """Return the annotated image as PNG, for notebooks."""
        return kpviewer.png_of(self)
