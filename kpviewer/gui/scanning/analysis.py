"""Analysis of everything that was scanned, or seen while playing: lanes, scores, suspects.

Frames and thresholds come on the GUI thread. All else runs on a background thread, one calculation
at a time with the newest state, so that nothing piles up while a slider moves.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from kpviewer.gui.background import BackgroundLoader
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
from kpviewer.gui.scanning.truths import Truths
from kpviewer.scanning.columns import ScannedFrame
from kpviewer.scanning.header import floor_of
from kpviewer.scanning.selection import Superseded

if TYPE_CHECKING:
    from kpviewer.gui.opening.ground_truth_lookup import GroundTruthLookup
    from kpviewer.models.spec import ModelSpec
    from kpviewer.runtime.loading import Outcome
    from kpviewer.scanning.records import ScanChunk
    from kpviewer.structures import Candidates, Frame, FrameResult, StreamInfo, Thresholds

MAX_WAITING = 128
"""Greatest number of live frames that wait to be stored; the oldest are dropped."""
PATIENCE_S = 0.5
"""Time after which an outdated calculation is given up, or a waiting one comes first, s."""

_log = logging.getLogger(__name__)


class Stage(Enum):
    """Calculations, the most urgent one first, with the least time between two for new frames."""

    LANES = 0.1
    SCORES = 0.25
    SUSPECTS = 1.0


_WORK: dict[Stage, Callable[[Question], Any]] = {
    Stage.LANES: lanes_in,
    Stage.SCORES: scores_of,
    Stage.SUSPECTS: suspects_in,
}
_SHARE = 4
"""New frames make a calculation wait for this many times the time that the last one took."""
_PATIENT = 8
"""While a slider moves, a calculation waits for this many times that time, so that lanes flow."""


class Analysis(QObject):
    """Owner of what was scanned of the present source with one model or two; see ``close``.

    Args:
        clock: current time, s.
    """

    lanes_changed = pyqtSignal(object)
    """Emitted with the Lanes; None if there are none."""
    scores_changed = pyqtSignal(object)
    """Emitted with TwoScores."""
    suspects_changed = pyqtSignal(list)
    """Emitted with a list of Suspect, the most suspicious first."""

    def __init__(
        self, parent: QObject | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(parent)
        self._clock = clock
        self._info: StreamInfo | None = None
        self._find: Callable[[], GroundTruthLookup | None] = lambda: None
        self._truths = Truths(self._find, (), None)
        self._first: Side | None = None
        self._second: Side | None = None
        self._thresholds: tuple[Thresholds | None, Thresholds | None] = (None, None)
        self._arrivals: deque[Arrival] = deque()
        self._due: dict[Stage, float] = {}
        self._cost_s = dict.fromkeys(Stage, 0.0)
        self._begun_s = dict.fromkeys(Stage, 0.0)
        self._running: tuple[Stage, object] | None = None
        self._state = object()
        """Source and models; another one makes what runs worthless."""
        self._edits = 0
        self._loader = BackgroundLoader(NEVER_S)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._run_due)

    @property
    def is_busy(self) -> bool:
        """Whether something will change without another frame or edit."""
        return bool(self._due) or self._running is not None

    def close(self) -> None:
        """Calculate no more; doesn't wait for what runs."""
        self._due.clear()
        self._timer.stop()
        self._loader.close()

    # -- what the calculations depend on -------------------------------------------------------

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

    def set_models(self, first: ModelSpec | None, second: ModelSpec | None) -> None:
        """Show other models; what was scanned with a model that is the same stays."""
        before = self._first.spec if self._first is not None else None
        self._first, self._second = _side(self._first, first), _side(self._second, second)
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
            self._want_all()

    # -- what was scanned ----------------------------------------------------------------------

    def add(self, result: FrameResult) -> None:
        """Add a frame that is shown, if a model ran on it."""
        frame, side = result.frame, self._first
        if not result.has_model or side is None or self._info is None:
            return
        if self._info.is_live and frame.ground_truth is None:
            return  # it can't be shown again, and there is no end of it
        if result.spec is not side.spec and result.spec != side.spec:
            return  # of the model before
        self._arrive(Arrival(side, _scanned(frame, result.candidates), (), frame.ground_truth))
        second, its = self._second, result.second
        if second is not None and its is not None and its.spec == second.spec:
            self._arrive(Arrival(second, _scanned(frame, its.candidates)))

    def add_chunks(self, model: str, chunks: Sequence[ScanChunk]) -> None:
        """Add frames of a scan with model A or B."""
        side = self._first if model == "A" else self._second
        if side is not None and chunks:
            self._arrive(Arrival(side, chunks=tuple(chunks)))

    # -- inside --------------------------------------------------------------------------------

    def _arrive(self, arrival: Arrival) -> None:
        self._arrivals.append(arrival)
        waiting = [each for each in self._arrivals if each.frame is not None]
        if len(waiting) > MAX_WAITING:
            self._arrivals.remove(waiting[0])
        for stage in Stage:
            pause_s = max(stage.value, _SHARE * self._cost_s[stage])
            self._want(stage, self._begun_s[stage] + pause_s)
        self._schedule()

    def _start_again(self) -> None:
        """Find the ground truth anew; what frames brought is in the class ids of a model."""
        names = self._first.spec.class_names if self._first is not None else ()
        count = self._info.frame_count if self._info is not None else None
        self._truths = Truths(self._find, names, count)
        self._begin_state()

    def _begin_state(self) -> None:
        self._state = object()
        if self._first is None or self._info is None:
            self._due.clear()
            self.lanes_changed.emit(None)
            self.scores_changed.emit(TwoScores())
            self.suspects_changed.emit([])
        else:
            self._want_all()

    def _want_all(self) -> None:
        for stage in Stage:
            self._want(stage, self._clock())
        self._schedule()

    def _want(self, stage: Stage, due_s: float) -> None:
        self._due[stage] = min(self._due.get(stage, due_s), due_s)

    def _schedule(self) -> None:
        if self._running is None and self._due:
            wait_s = min(self._due.values()) - self._clock()
            self._timer.start(max(round(wait_s * 1000), 0))

    def _next(self) -> Stage | None:
        """Return the most urgent calculation that is due; one that has waited long comes first."""
        now = self._clock()
        due = [stage for stage in Stage if self._due.get(stage, now + 1) <= now]
        late = [stage for stage in due if now - self._due[stage] > self._patience_s(stage)]
        return next(iter(late or due), None)

    def _patience_s(self, stage: Stage) -> float:
        """Return how long a calculation waits while more urgent ones are due again and again."""
        return max(PATIENCE_S, _PATIENT * self._cost_s[stage])

    def _run_due(self) -> None:
        stage = self._next()
        if stage is None or self._running is not None:
            self._schedule()
            return
        question = self._question()
        if question is None:
            self._due.clear()
            return
        del self._due[stage]
        self._running = stage, self._state
        self._begun_s[stage] = self._clock()
        self._loader.submit(stage.name, lambda: _answer(question, stage), self._on_done)

    def _question(self) -> Question | None:
        thresholds, its_thresholds = self._thresholds
        if self._first is None or thresholds is None or self._info is None:
            return None
        arrivals = tuple(self._arrivals)
        self._arrivals.clear()
        state, edits, begun_s = self._state, self._edits, self._clock()

        def is_wanted() -> bool:
            is_new = self._edits == edits or self._clock() - begun_s < PATIENCE_S
            return self._state is state and is_new

        return Question(
            self._info.frame_count,
            self._truths,
            self._first,
            thresholds,
            self._second,
            its_thresholds,
            arrivals,
            is_wanted,
        )

    def _on_done(self, outcome: Outcome[Any]) -> None:
        running, self._running = self._running, None
        if running is None:
            return
        stage, state = running
        self._cost_s[stage] = self._clock() - self._begun_s[stage]
        if isinstance(outcome.failure, Superseded):
            if state is self._state:
                self._want(stage, self._clock())
        elif outcome.failure is not None:
            _log.error("Calculating %s failed", stage.name.lower(), exc_info=outcome.failure)
        elif state is self._state:
            signals = {
                Stage.LANES: self.lanes_changed,
                Stage.SCORES: self.scores_changed,
                Stage.SUSPECTS: self.suspects_changed,
            }
            if stage is Stage.SCORES and self._first is not None and self._first.has_old_errors:
                self._want(Stage.LANES, self._clock())
            signals[stage].emit(outcome.value)
        self._schedule()


def _answer(question: Question, stage: Stage) -> Any:
    """Store what has arrived and calculate, on the thread of the analysis."""
    question.store()
    return _WORK[stage](question)


def _side(before: Side | None, spec: ModelSpec | None) -> Side | None:
    """Return the side of a model, with what was scanned if the model is the same."""
    if spec is None or (before is not None and before.spec == spec):
        return before if spec is not None else None
    return Side(spec, floor_of(spec))


def _renewed(side: Side | None) -> Side | None:
    return Side(side.spec, floor_of(side.spec)) if side is not None else None


def _scanned(frame: Frame, candidates: Candidates) -> ScannedFrame:
    return ScannedFrame(frame.index, frame.position_s, candidates, frame.file)
