"""Live evaluation: keeps frames with ground truth, evaluates them, and shows the scores.

Work is done on the GUI thread in slices of a few ms. Matches are computed once for each frame and
serve every confidence. A thread would compete with the model for Python's global lock.
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
"""Time between two drawings while frames come in, in seconds."""


class LiveEvaluation(QObject):
    """Logic of the tab Evaluate of the side panel."""

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
        """Summary of all frames at the last drawing."""
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._on_tick)
        panel.curves.class_chosen.connect(self._draw_soon)
        panel.curves.best_chosen.connect(self._on_best_chosen)
        panel.worst.kind_chosen.connect(self._draw_soon)
        panel.worst.sought.connect(playback.show)
        panel.tabs.chosen.connect(self._draw_soon)

    @property
    def is_busy(self) -> bool:
        """Whether the shown scores will change without another frame or edit."""
        return self._timer.isActive()

    def stop(self) -> None:
        """Stop evaluating."""
        self._timer.stop()

    def set_model(self, spec: ModelSpec) -> None:
        """Start again with another model."""
        # a model with a low default threshold is evaluated at lower confidences
        self._frames.clear(floor=min(FLOOR, spec.score_threshold / 4))
        self._panel.curves.set_class_names(spec.class_names)
        self._draw_soon()

    def set_source(self, info: StreamInfo | None) -> None:
        """Start again with another source; None until it is open."""
        if info is None:
            self._frames.clear()
            self._shown = None
        else:
            self._panel.worst.set_can_seek(can_seek=info.is_seekable)
        self._draw_soon()

    def add(self, result: FrameResult) -> None:
        """Add the shown frame, if a model ran on it and its ground truth is known."""
        self._shown = result.frame.index
        if result.error is not None:
            self._frames.add(result)
        self._draw_later()

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Evaluate at other thresholds."""
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
        elif self._has_old_curves:  # in a tick of its own, to keep each tick short
            self._draw_curves()
        if not pending and not self._is_stale and not self._has_old_curves:
            self._timer.stop()

    def _draw_numbers(self) -> None:
        panel, frames = self._panel, self._frames
        self.summary = frames.summary()
        panel.show_evaluated(has_frames=len(frames) > 0)
        # hidden curves are drawn when their tab is chosen
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
        return tr(", from confidence {score:g}").format(score=floor) if is_lower else ""

    def _on_best_chosen(self, class_id: int | None, score: float) -> None:
        if class_id is None:
            self._panel.thresholds.choose_confidence(score)
        else:
            self._panel.classes.choose_own_score(class_id, score)
