"""Keeps the frames that were seen with ground truth, judges them, and shows what comes out.

Work is done on the GUI thread in slices of a few ms, and no frame is worked on twice: what a move
of the confidence leaves as it was is kept. A thread would fight with the model for Python's lock.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QTimer

from kpviewer.gui.evaluating.evaluated_frames import FLOOR, ErrorSummary, EvaluatedFrames
from kpviewer.gui.evaluating.worst_frames import ROWS
from kpviewer.gui.language import tr

if TYPE_CHECKING:
    from kpviewer.gui.panels.side_panel import SidePanel
    from kpviewer.gui.playback import Playback
    from kpviewer.models.spec import ModelSpec
    from kpviewer.structures import FrameResult, StreamInfo, Thresholds

TICK_MS, WORK_S = 12, 0.005
DRAW_S = 0.25
"""Between two drawings while frames come in."""


class LiveEvaluation(QObject):
    """Stands behind the tab Judge of the side panel."""

    def __init__(self, panel: SidePanel, playback: Playback) -> None:
        super().__init__(panel)
        self._panel = panel
        self._playback = playback
        self._frames = EvaluatedFrames()
        self._shown: int | None = None
        self._drawn_s = -DRAW_S
        self._is_stale = True
        self._has_old_curves = False
        self.summary = ErrorSummary()
        """Of all frames, as of the last drawing."""
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._on_tick)
        panel.curves.class_chosen.connect(self._draw_soon)
        panel.curves.best_chosen.connect(self._on_best_chosen)
        panel.worst.kind_chosen.connect(self._draw_soon)
        panel.worst.sought.connect(playback.show)
        panel.tabs.chosen.connect(self._draw_soon)

    @property
    def is_busy(self) -> bool:
        """Whether what is shown will change without another frame or edit."""
        return self._timer.isActive()

    def stop(self) -> None:
        """Judge nothing any more."""
        self._timer.stop()

    def set_model(self, spec: ModelSpec) -> None:
        """Begin again with another model."""
        # a model that is meant to be used at low scores is judged at lower ones
        self._frames.clear(floor=min(FLOOR, spec.score_threshold / 4))
        self._panel.curves.set_class_names(spec.class_names)
        self._draw_soon()

    def set_source(self, info: StreamInfo | None) -> None:
        """Begin again with another source; None until it is open."""
        if info is None:
            self._frames.clear()
            self._shown = None
        else:
            self._panel.worst.set_can_seek(can_seek=info.is_seekable)
        self._draw_soon()

    def add(self, result: FrameResult) -> None:
        """Take a frame that is shown, if a model looked at it and its ground truth is known."""
        self._shown = result.frame.index
        if result.error is not None:
            self._frames.add(result)
        self._draw_later()

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Judge by other thresholds."""
        self._frames.set_thresholds(thresholds)
        self._show_point()
        self._draw_soon()

    def _draw_soon(self) -> None:
        self._drawn_s = -DRAW_S
        self._draw_later()

    def _draw_later(self) -> None:
        self._is_stale = True
        if not self._timer.isActive():
            self._timer.start(TICK_MS)

    def _on_tick(self) -> None:
        now = time.monotonic()
        self._frames.work(now + WORK_S, time.monotonic)
        pending = self._frames.pending
        self._panel.curves.show_frames(len(self._frames) - pending, pending, self._note())
        if not pending and self._is_stale and now - self._drawn_s >= DRAW_S:
            self._drawn_s, self._is_stale = now, False
            self._draw_numbers()
        elif self._has_old_curves:  # not in the same tick, so that none is long
            self._draw_curves()
        if not pending and not self._is_stale and not self._has_old_curves:
            self._timer.stop()

    def _draw_numbers(self) -> None:
        panel, frames = self._panel, self._frames
        self.summary = frames.summary()
        panel.show_judged(has_frames=len(frames) > 0)
        # a hidden tab is drawn when it is chosen
        self._has_old_curves = panel.curves.isVisible()
        if panel.worst.isVisible():
            panel.worst.show_frames(frames.worst(panel.worst.by, ROWS), self._shown)

    def _draw_curves(self) -> None:
        panel, frames = self._panel, self._frames
        self._has_old_curves = False
        curve = frames.curve(panel.curves.class_id) if len(frames) else None
        panel.curves.show_curve(curve, floor=frames.floor)
        self._show_point()

    def _show_point(self) -> None:
        thresholds, class_id = self._frames.thresholds, self._panel.curves.class_id
        score = thresholds.score
        if class_id is not None:
            score = thresholds.class_scores.get(class_id, score)
        self._panel.curves.show_score(score)

    def _note(self) -> str:
        floor = self._frames.floor
        is_lower = self._frames.thresholds.score < floor
        return tr(", judged from confidence {score:g} on").format(score=floor) if is_lower else ""

    def _on_best_chosen(self, class_id: int | None, score: float) -> None:
        if class_id is None:
            self._panel.thresholds.choose_confidence(score)
        else:
            self._panel.classes.choose_own_score(class_id, score)
