"""Analysis of everything that was scanned, or seen while playing: lanes, scores, suspects.

Frames and thresholds come on the GUI thread. Lanes are computed on one background thread, scores
and suspects on another, so that lanes never wait for them: one calculation at a time on each, with
the newest state, so that nothing piles up while a slider moves. Scores and suspects are of what the
last lanes were made of.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from kpviewer.gui.background.loader import BackgroundLoader
from kpviewer.gui.opening.ground_truth_lookup import GroundTruthLookup
from kpviewer.gui.scanning.calculation import (
    Arrival,
    Question,
    Side,
    TwoScores,
    lanes_in,
    scores_of,
    suspects_in,
)
from kpviewer.gui.scanning.following import NEVER_S
from kpviewer.gui.scanning.schedule import Schedule, Stage
from kpviewer.gui.scanning.truths import Truths
from kpviewer.models.spec import ModelSpec
from kpviewer.runtime.process.loading import Outcome
from kpviewer.scanning.columns import ScannedFrame
from kpviewer.scanning.header import floor_of
from kpviewer.scanning.records import ScanChunk
from kpviewer.scanning.selection import Superseded
from kpviewer.structures import Candidates, Frame, FrameResult, StreamInfo, Thresholds

MAX_WAITING = 128
"""Greatest number of live frames that wait to be stored; the oldest are dropped."""
PATIENCE_S = 0.5
"""Time after which scores at outdated thresholds are given up, s."""
_log = logging.getLogger(__name__)


_WORK: dict[Stage, Callable[[Question], Any]] = {
    Stage.LANES: lanes_in,
    Stage.SCORES: scores_of,
    Stage.SUSPECTS: suspects_in,
}


class Analysis(QObject):
    """Owner of what was scanned of the present source with one model or two; see ``close``."""

    lanes_changed = pyqtSignal(object)
    """Emitted with the Lanes; None if there are none."""
    scores_changed = pyqtSignal(object)
    """Emitted with TwoScores."""
    suspects_changed = pyqtSignal(list)
    """Emitted with a list of Suspect, the most suspicious first."""
    dropped = pyqtSignal()
    """Emitted once for a source and model when frames begin to be dropped."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._info: StreamInfo | None = None
        self._find: Callable[[], GroundTruthLookup | None] = lambda: None
        self._truths = Truths(self._find, (), None)
        self._first: Side | None = None
        self._second: Side | None = None
        self._thresholds: tuple[Thresholds | None, Thresholds | None] = (None, None)
        self._arrivals: deque[Arrival] = deque()
        self._schedule = Schedule(time.monotonic)
        self._basis: Question | None = None
        """What the last lanes were made of; None if it is outdated."""
        self._has_errors = False
        """Whether the last lanes show errors."""
        self._state = object()
        """Source and models; another one makes what runs worthless."""
        self._edits = 0
        self._fast, self._slow = BackgroundLoader(NEVER_S), BackgroundLoader(NEVER_S)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._run_due)

    @property
    def is_busy(self) -> bool:
        """Whether something will change without another frame or edit."""
        return not self._schedule.is_idle

    def close(self) -> None:
        """Calculate no more; doesn't wait for what runs."""
        self._schedule.forget()
        self._timer.stop()
        self._fast.close()
        self._slow.close()

    def set_source(
        self,
        info: StreamInfo | None,
        find: Callable[[], GroundTruthLookup | None] = lambda: None,
    ) -> None:
        """Start again with another source.

        Args:
            info: description of the source; None until it is open. Of live sources only frames
                with ground truth are kept.
            find: finds its ground truth, on the thread of the analysis.
        """
        self._info, self._find = info, find
        self._first = _renewed(self._first)
        self._second = _renewed(self._second)
        self._arrivals.clear()
        self._start_again()

    def set_ground_truth(self, find: Callable[[], GroundTruthLookup | None]) -> None:
        """Compare with another ground truth; what was scanned stays."""
        self._find = find
        self._start_again()

    def set_models(
        self,
        first: ModelSpec | None,
        second: ModelSpec | None,
        contents: tuple[str | None, str | None] = (None, None),
    ) -> None:
        """Show other models; what was scanned with a model that is the same stays.

        Args:
            first: description of the model; None without one.
            second: that of the second model.
            contents: hashes of their contents, as two trainings may have the same description.
        """
        former = self._first
        before = former.spec if former is not None else None
        self._first = _side(former, first, contents[0])
        self._second = _side(self._second, second, contents[1])
        if self._first is not former:
            self._show_nothing()
        if (
            self._first is None
            or before is None
            or before.class_names != self._first.spec.class_names
        ):
            self._start_again()
        else:
            self._begin_state()

    def set_thresholds(self, first: Thresholds, second: Thresholds | None) -> None:
        """Calculate at other thresholds."""
        if (first, second) != self._thresholds:
            self._thresholds = first, second
            self._edits += 1
            self._schedule.note_edit()
            self._wait()

    def add(self, result: FrameResult) -> None:
        """Add a frame that was played, if a model ran on it; its pixels aren't used."""
        frame, side = result.frame, self._first
        if not result.has_model or side is None or self._info is None:
            return
        if self._info.is_live and frame.ground_truth is None:
            return  # it can't be shown again, and there is no end of it
        truth = frame.ground_truth
        is_known = truth is None or not self._truths.needs(frame.index)
        if not (is_known and side.store.has_scanned(frame.index)):
            self._arrive(Arrival(side, _scanned(frame, result.candidates), (), truth))
        second, its = self._second, result.second
        if second is None or its is None:
            return
        if not second.store.has_scanned(frame.index):
            self._arrive(Arrival(second, _scanned(frame, its.candidates)))

    def add_chunks(self, model: str, chunks: Sequence[ScanChunk]) -> None:
        """Add frames of a scan with model A or B."""
        side = self._first if model == "A" else self._second
        if side is not None and chunks:
            self._arrive(Arrival(side, chunks=tuple(chunks)))

    def _arrive(self, arrival: Arrival) -> None:
        self._arrivals.append(arrival)
        waiting = [each for each in self._arrivals if each.frame is not None]
        if len(waiting) > MAX_WAITING:
            self._arrivals.remove(waiting[0])
        self._schedule.note_frames()
        self._wait()

    def _start_again(self) -> None:
        """Find the ground truth anew; what frames brought is in the class ids of a model."""
        names = self._first.spec.class_names if self._first is not None else ()
        count = self._info.frame_count if self._info is not None else None
        self._truths = Truths(self._find, names, count)
        self._begin_state()

    def _begin_state(self) -> None:
        self._state, self._basis = object(), None
        if self._first is None or self._info is None:
            self._schedule.forget()
            self._show_nothing()
        else:
            self._schedule.begin_again()
            self._wait()

    def _show_nothing(self) -> None:
        self.lanes_changed.emit(None)
        self.scores_changed.emit(TwoScores())
        self.suspects_changed.emit([])

    def _wait(self) -> None:
        """Wait until the next calculation may begin."""
        wait_s = self._schedule.wait_s
        if wait_s is not None:
            self._timer.start(round(wait_s * 1000))

    def _run_due(self) -> None:
        for stage in self._schedule.due():
            self._run(stage)
        self._wait()

    def _run(self, stage: Stage) -> None:
        is_fast = stage is Stage.LANES
        question = self._question() if is_fast else self._basis
        if question is None:
            self._schedule.forget()
            return
        self._schedule.begin(stage)
        question = replace(question, is_wanted=self._still_wanted(stage))
        loader = self._fast if is_fast else self._slow
        then = partial(self._on_done, question, self._state)
        loader.submit(stage.name, partial(_WORK[stage], question), then)

    def _question(self) -> Question | None:
        thresholds, its_thresholds = self._thresholds
        if self._first is None or thresholds is None or self._info is None:
            return None
        arrivals = tuple(self._arrivals)
        self._arrivals.clear()
        return Question(
            self._info.frame_count,
            self._truths,
            self._first,
            thresholds,
            self._second,
            its_thresholds,
            arrivals,
        )

    def _still_wanted(self, stage: Stage) -> Callable[[], bool]:
        """Return whether a calculation that begins now is worth going on, asked on its thread."""
        state, edits, begun_s = self._state, self._edits, time.monotonic()
        patience_s = PATIENCE_S if stage is Stage.SCORES else 0.0

        def is_wanted() -> bool:
            is_new = self._edits == edits or time.monotonic() - begun_s < patience_s
            return self._state is state and is_new

        return is_wanted

    def _on_done(self, question: Question, state: object, outcome: Outcome[Any]) -> None:
        stage, is_present = Stage[outcome.name], state is self._state
        self._schedule.end(stage, is_good=is_present and outcome.failure is None)
        if isinstance(outcome.failure, Superseded):
            if is_present:
                self._schedule.want_later(stage)
        elif outcome.failure is not None:
            _log.error("Calculating %s failed", stage.name.lower(), exc_info=outcome.failure)
        elif is_present:
            self._show(stage, question, outcome.value)
        self._wait()

    def _show(self, stage: Stage, question: Question, answer: Any) -> None:
        if stage is Stage.LANES:
            self._basis = replace(question, arrivals=(), parts=answer.parts)
            self._has_errors = answer.lanes is not None and answer.lanes.has_errors
            self.lanes_changed.emit(answer.lanes)
            for side, _ in question.sides():
                if side.store.has_dropped and not side.has_reported_drops:
                    side.has_reported_drops = True
                    self.dropped.emit()
        elif stage is Stage.SCORES:
            first = question.first
            has_any = answer.first is not None or first.differences[1] is not None
            if (has_any and first.has_old_errors) or (self._has_errors and answer.first is None):
                self._schedule.want(Stage.LANES)
            self.scores_changed.emit(answer)
        else:
            self.suspects_changed.emit(answer)


def _side(before: Side | None, spec: ModelSpec | None, content: str | None) -> Side | None:
    """Return the side of a model, with what was scanned if the model is the same."""
    if spec is None:
        return None
    if before is not None and (before.spec, before.content) == (spec, content):
        before.spec = spec
        return before
    return Side(spec, floor_of(spec), content)


def _renewed(side: Side | None) -> Side | None:
    return Side(side.spec, floor_of(side.spec), side.content) if side is not None else None


def _scanned(frame: Frame, candidates: Candidates) -> ScannedFrame:
    return ScannedFrame(frame.index, frame.position_s, candidates, frame.file)
