"""What the analysis computes on its thread, from everything that was scanned. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kpviewer.pipeline.comparing import shared_ids
from kpviewer.scanning.differences import differences
from kpviewer.scanning.lanes import Lanes, lanes_of
from kpviewer.scanning.scores import Scorer
from kpviewer.scanning.selector import Selector
from kpviewer.scanning.store import ScanStore
from kpviewer.scanning.suspects import Other, Suspect, suspects

if TYPE_CHECKING:
    from kpviewer.gui.scanning.truths import Truths
    from kpviewer.models.spec import ModelSpec
    from kpviewer.scanning.columns import ScannedFrame
    from kpviewer.scanning.frame_errors import FrameErrors
    from kpviewer.scanning.ground_truth import GroundTruthColumns
    from kpviewer.scanning.records import ScanChunk
    from kpviewer.scanning.scores import ScanScores
    from kpviewer.scanning.selection import Survivors
    from kpviewer.structures import GroundTruth, Thresholds


class Side:
    """One of two compared models, and all that was scanned with it.

    What was computed is kept for as long as its part of the store is unchanged. All but
    ``spec`` is for one thread at a time.

    Args:
        spec: description of the model.
        floor: lowest score that is kept.
    """

    def __init__(self, spec: ModelSpec, floor: float) -> None:
        self.spec = spec
        self.store = ScanStore(len(spec.class_names), len(spec.keypoint_names), floor)
        self.scorer = Scorer()
        self.files: dict[int, str] = {}
        """Files of frames, as ``Frame.file`` has them, as far as they are known."""
        self.errors: FrameErrors | None = None
        """Errors of frames at some earlier state; None before the first scores."""
        self.differences: tuple[object, FrameErrors | None] = (None, None)
        """What the differences of a second model depend on, and they themselves."""
        self.has_old_errors = False
        """Whether the last lanes show errors or differences of an earlier state, or none yet."""
        self._selector = Selector()

    def survivors(
        self, thresholds: Thresholds, is_wanted: Callable[[], bool]
    ) -> tuple[Survivors, ...]:
        """Return what suppression leaves of each block of frames.

        Raises:
            Superseded: if it isn't wanted any longer.
        """
        return self._selector.survivors(self.store.blocks(), thresholds, is_wanted)


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
                side.store.add_columns(chunk.columns)
                side.files.update(
                    zip(chunk.columns.frame_index.tolist(), chunk.files, strict=False)
                )
        self.truths.add_live(live)

    def sides(self) -> list[tuple[Side, Thresholds]]:
        """Return the models and their thresholds."""
        pairs = [(self.first, self.thresholds)]
        if self.second is not None and self.second_thresholds is not None:
            pairs.append((self.second, self.second_thresholds))
        return pairs


def lanes_in(question: Question) -> Lanes | None:
    """Compute the lanes of the first model; None if nothing was scanned.

    Errors and differences are those of the last scores, unless they are known for the present
    confidence.
    """
    side, thresholds = question.first, question.thresholds
    parts = side.survivors(thresholds, question.is_wanted)
    if not parts:
        return None
    truth = _truth_of(question, side)
    fresh = side.scorer.kept_errors(parts, truth, thresholds) if truth is not None else None
    side.errors = side.errors if fresh is None else fresh
    if question.second is None:
        side.differences = None, None
    is_same = question.second is None or side.differences[0] == _difference_key(question)
    side.has_old_errors = (truth is not None and fresh is None) or not is_same
    count = question.frame_count
    if count is None:
        count = max(int(part.columns.frame_index[-1]) for part in parts) + 1
    return lanes_of(
        parts,
        thresholds,
        frames=range(count),
        errors=side.errors,
        differences=side.differences[1],
    )


def scores_of(question: Question) -> TwoScores:
    """Compute the scores of both models, and how they differ.

    Raises:
        Superseded: if they aren't wanted any longer.
    """
    scores = TwoScores(*(_scores(question, *each) for each in question.sides()))
    key = _difference_key(question)
    if question.second is not None and question.first.differences[0] != key:
        (first, at), (second, its) = question.sides()
        parts = [
            side.survivors(each, question.is_wanted) for side, each in ((first, at), (second, its))
        ]
        found = differences(parts[0], parts[1], (at, its), _shared(question))
        first.differences = key, found
    return scores


def suspects_in(question: Question) -> list[Suspect]:
    """Find the frames to look at.

    Raises:
        Superseded: if they aren't wanted any longer.
    """
    side, wanted = question.first, question.is_wanted
    parts = side.survivors(question.thresholds, wanted)
    if not parts:
        return []
    other = None
    if question.second is not None and question.second_thresholds is not None:
        its = question.second.survivors(question.second_thresholds, wanted)
        other = Other(its, question.second_thresholds, _shared(question))
    is_video = len(set(side.files.values())) <= 1  # a folder has a file for each frame
    return suspects(parts, question.thresholds, is_video=is_video, other=other, is_wanted=wanted)


def _shared(question: Question) -> Mapping[int, int]:
    """Return the class ids of the first model by those of the second."""
    assert question.second is not None
    return shared_ids(question.first.spec.class_names, question.second.spec.class_names)


def _difference_key(question: Question) -> object:
    """Return what the differences depend on."""
    return tuple((side.store.blocks(), thresholds) for side, thresholds in question.sides())


def _scores(question: Question, side: Side, thresholds: Thresholds) -> ScanScores | None:
    truth = _truth_of(question, side)
    if truth is None:
        side.errors = None
        return None
    parts = side.survivors(thresholds, question.is_wanted)
    scores = side.scorer.score(parts, truth, thresholds, question.is_wanted)
    side.errors = scores.errors
    return scores


def _truth_of(question: Question, side: Side) -> GroundTruthColumns | None:
    """Return the ground truth of the source for a model; None if it has none."""
    blocks = side.store.blocks()
    if not blocks:
        return None
    truth = question.truths.columns(side.spec.class_names, blocks, side.files)
    return truth if len(truth) else None
