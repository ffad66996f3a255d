"""What the analysis computes on its thread, from everything that was scanned. No Qt."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from kpviewer.gui.scanning.truths import Truths
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.pipeline.results.comparing import shared_ids, shared_points
from kpviewer.scanning.columns import ScannedFrame, concatenated
from kpviewer.scanning.differences import differences
from kpviewer.scanning.frame_errors import FrameErrors
from kpviewer.scanning.ground_truth import GroundTruthColumns
from kpviewer.scanning.lanes import Lanes, lanes_of
from kpviewer.scanning.records import ScanChunk
from kpviewer.scanning.scorer import Scorer
from kpviewer.scanning.scores import ScanScores
from kpviewer.scanning.selection import Survivors
from kpviewer.scanning.selector import Selector
from kpviewer.scanning.signs import SecondScan
from kpviewer.scanning.store import ScanStore
from kpviewer.scanning.suspects import Suspect, suspects
from kpviewer.structures import GroundTruth, Thresholds

TOGETHER = 64
"""Number of chunks of a scan that are stored at once: a block is copied for each."""

Parts = tuple[Survivors, ...]
"""What suppression leaves of each block of frames."""


class Side:
    """One of two compared models, and all that was scanned with it.

    The thread of the lanes stores and selects; the thread of the scores reads what it selected.
    """

    def __init__(self, spec: ModelSpec, floor: float, content: str | None = None) -> None:
        self.spec, self.content = spec, content
        """Description of the model as it is run now, and the hash of its content."""
        self.store = ScanStore(len(spec.class_names), len(spec.keypoint_names), floor)
        self.has_reported_drops = False
        """Whether it was reported that frames are dropped."""
        self.files: dict[int, str] = {}
        """Files of frames, as ``Frame.file`` has them, as far as they are known."""
        self.selector = Selector()
        self.has_old_errors = False
        """Whether the last lanes lack errors or differences, or show those of an earlier state."""
        self.scorer = Scorer()
        self.truth: GroundTruthColumns | None = None
        """Ground truth of the last scores."""
        self.errors: FrameErrors | None = None
        """Errors of the last scores, or of lanes after them."""
        self.differences: tuple[DifferenceKey | None, FrameErrors | None] = (None, None)
        """What the differences of a second model depend on, and they themselves."""


DifferenceKey = tuple[Side | None, tuple[Parts, ...], Thresholds, Thresholds | None]
"""Second model, survivors and thresholds of both."""


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """Frames that were scanned, or seen while playing, and aren't in a store yet."""

    side: Side
    frame: ScannedFrame | None = None
    chunks: tuple[ScanChunk, ...] = ()
    ground_truth: GroundTruth | None = None
    """Ground truth that the frame brought itself, in the class ids of the first model."""


@dataclass(frozen=True, slots=True, eq=False)
class TwoScores:
    """Scores of the model, and of a second one; None without ground truth or frames."""

    first: ScanScores | None = None
    second: ScanScores | None = None
    files: Mapping[int, str] = field(default_factory=dict)
    """File of each frame of a folder, as far as they were scanned; empty for videos."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """Everything that a calculation depends on."""

    frame_count: int | None
    """Number of frames of the source; None if unknown."""
    truths: Truths
    first: Side
    thresholds: Thresholds
    second: Side | None = None
    second_thresholds: Thresholds | None = None
    arrivals: tuple[Arrival, ...] = ()
    """To be stored before anything else."""
    is_wanted: Callable[[], bool] = field(default=lambda: True)
    parts: tuple[Parts, ...] = ()
    """Survivors of the first model, and of the second one; for all but the lanes."""

    def store(self) -> None:
        """Store what has arrived."""
        live: dict[int, GroundTruth] = {}
        for arrival in self.arrivals:
            side, frame = arrival.side, arrival.frame
            if frame is not None:
                side.store.add(frame)
                if frame.file is not None:
                    side.files[frame.index] = frame.file
                if arrival.ground_truth is not None:
                    live[frame.index] = arrival.ground_truth
            for chunk in arrival.chunks:
                frames = chunk.columns.frame_index.tolist()
                side.files.update(zip(frames, chunk.files, strict=False))
            columns = [chunk.columns for chunk in arrival.chunks]
            for first in range(0, len(columns), TOGETHER):
                side.store.add_columns(concatenated(columns[first : first + TOGETHER]))
        self.truths.add_live(live)

    def sides(self) -> list[tuple[Side, Thresholds]]:
        """Return the models and their thresholds."""
        pairs = [(self.first, self.thresholds)]
        if self.second is not None and self.second_thresholds is not None:
            pairs.append((self.second, self.second_thresholds))
        return pairs


@dataclass(frozen=True, slots=True, eq=False)
class LanesAnswer:
    """Lanes, and what they were made of."""

    lanes: Lanes | None
    """None if nothing was scanned."""
    parts: tuple[Parts, ...]
    """Survivors of each model."""


def lanes_in(question: Question) -> LanesAnswer:
    """Store what has arrived, and compute the lanes of the first model.

    Errors and differences are those of the last scores, unless they are known for the present
    confidence.
    """
    question.store()
    parts = tuple(
        side.selector.survivors(side.store.blocks(), thresholds)
        for side, thresholds in question.sides()
    )
    side, own = question.first, parts[0]
    if not own:
        return LanesAnswer(None, parts)
    truth, fresh = side.truth, None
    if truth is not None:
        fresh = side.scorer.kept_errors(own, truth, question.thresholds)
        side.errors = side.errors if fresh is None else fresh
    key, found = side.differences
    if question.second is None or key is None or key[0] is not question.second:
        found = None  # of another model
    is_same = question.second is None or key == _difference_key(question, parts)
    side.has_old_errors = fresh is None or not is_same
    count = question.frame_count
    if count is None:
        count = max(int(part.columns.frame_index[-1]) for part in own) + 1
    lanes = lanes_of(
        own, question.thresholds, frames=range(count), errors=side.errors, differences=found
    )
    return LanesAnswer(lanes, parts)


def scores_of(question: Question) -> TwoScores:
    """Compute the scores of both models, and how they differ.

    Raises:
        Superseded: if they aren't wanted any longer.
    """
    pairs = zip(question.sides(), question.parts, strict=False)
    each = [_scores(question, *side, parts) for side, parts in pairs]
    files = dict(question.first.files)  # the thread of the lanes adds to them
    is_folder = len(set(files.values())) > 1
    first, second = [*each, None, None][:2]
    scores = TwoScores(first, second, files if is_folder else {})
    side, at = question.first, question.thresholds
    key = _difference_key(question, question.parts)
    if question.second_thresholds is not None and len(question.parts) > 1:
        if side.differences[0] != key:
            both = (at, question.second_thresholds)
            shared = (_shared(question), _shared_points(question))
            found = differences(question.parts[0], question.parts[1], both, *shared)
            side.differences = key, found
    else:
        side.differences = None, None
    return scores


def suspects_in(question: Question) -> list[Suspect]:
    """Find the frames to look at.

    Raises:
        Superseded: if they aren't wanted any longer.
    """
    parts, other = question.parts, None
    if not parts or not parts[0]:
        return []
    if question.second_thresholds is not None and len(parts) > 1:
        other = SecondScan(parts[1], question.second_thresholds, _shared(question))
    # a folder has a file for each frame
    is_video = len(set(dict(question.first.files).values())) <= 1
    return suspects(
        parts[0],
        question.thresholds,
        is_video=is_video,
        other=other,
        is_wanted=question.is_wanted,
    )


def _scores(
    question: Question, side: Side, thresholds: Thresholds, parts: Parts
) -> ScanScores | None:
    truth = None
    if parts and side.spec.task is not Task.CLASSIFY:  # it has no boxes to compare
        blocks = [part.columns for part in parts]
        names = (side.spec.class_names, side.spec.keypoint_names)
        truth = question.truths.columns(*names, blocks, dict(side.files))
    if truth is None or not len(truth):
        side.truth = side.errors = None
        return None
    scores = side.scorer.score(parts, truth, thresholds, question.is_wanted)
    side.truth, side.errors = truth, scores.errors
    return scores


def _shared(question: Question) -> Mapping[int, int]:
    """Return the class ids of the first model by those of the second."""
    assert question.second is not None
    return shared_ids(question.first.spec.class_names, question.second.spec.class_names)


def _shared_points(question: Question) -> Sequence[int] | None:
    """Return the keypoint of the first model for each of the second's; None by position."""
    assert question.second is not None
    return shared_points(question.first.spec.keypoint_names, question.second.spec.keypoint_names)


def _difference_key(question: Question, parts: tuple[Parts, ...]) -> DifferenceKey:
    """Return what the differences depend on."""
    return question.second, parts, question.thresholds, question.second_thresholds
