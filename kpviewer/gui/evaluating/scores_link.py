"""Connection of the scores of everything that was scanned with the panels that show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject

from kpviewer.gui.evaluating.worst_frames import ROWS
from kpviewer.gui.language import tr
from kpviewer.scanning.frame_errors import ErrorSummary

if TYPE_CHECKING:
    from kpviewer.gui.panels.side_panel import SidePanel
    from kpviewer.gui.playback import Playback
    from kpviewer.gui.scanning.analysis import Analysis
    from kpviewer.gui.scanning.calculation import TwoScores
    from kpviewer.models.spec import ModelSpec
    from kpviewer.scanning.scores import ScanScores
    from kpviewer.structures import StreamInfo, Thresholds


class ScoresLink(QObject):
    """Logic of the scores in the side panel."""

    def __init__(self, panel: SidePanel, analysis: Analysis, playback: Playback) -> None:
        super().__init__(panel)
        self._panel = panel
        self._scores: ScanScores | None = None
        self._thresholds: Thresholds | None = None
        self._shown: int | None = None
        analysis.scores_changed.connect(self._on_scores_changed)
        panel.curves.class_chosen.connect(self._draw)
        panel.curves.best_chosen.connect(self._on_best_chosen)
        panel.worst.kind_chosen.connect(self._draw)
        panel.worst.sought.connect(playback.show)
        panel.unfolded.connect(self._draw)

    @property
    def summary(self) -> ErrorSummary:
        """Summary of all scored frames."""
        return self._scores.summary if self._scores is not None else ErrorSummary()

    def set_model(self, spec: ModelSpec) -> None:
        """Offer the classes of another model."""
        self._panel.curves.set_class_names(spec.class_names)

    def set_source(self, info: StreamInfo | None) -> None:
        """Adapt to another source; None until it is open."""
        if info is None:
            self._shown = None
        else:
            self._panel.worst.set_can_seek(can_seek=info.is_seekable)

    def note_shown(self, index: int) -> None:
        """Note the frame that is on the screen."""
        self._shown = index

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Mark the confidence on the curves at once; other scores follow."""
        self._thresholds = thresholds
        self._show_point()

    def _on_scores_changed(self, scores: TwoScores) -> None:
        self._scores = scores.first
        self._panel.show_evaluated(has_frames=scores.first is not None and scores.first.scored > 0)
        self._draw()

    def _draw(self) -> None:
        panel, scores = self._panel, self._scores
        if panel.worst.isVisible():
            worst = [] if scores is None else scores.worst(panel.worst.by, ROWS)
            panel.worst.show_frames(worst, self._shown)
        if not panel.curves.isVisible():  # drawn when its section opens
            return
        if scores is None:
            panel.curves.show_curve(None, floor=0.0)
            panel.curves.show_frames(0, 0)
            return
        panel.curves.show_curve(scores.curve(panel.curves.class_id), floor=scores.floor)
        panel.curves.show_frames(scores.scored, 0, self._note(scores))
        self._show_point()

    def _show_point(self) -> None:
        thresholds, class_id = self._thresholds, self._panel.curves.class_id
        if thresholds is None:
            return
        score = thresholds.score
        if class_id is not None:
            score = thresholds.class_scores.get(class_id, score)
        self._panel.curves.show_score(score)

    def _note(self, scores: ScanScores) -> str:
        is_lower = scores.thresholds.score < scores.floor
        return tr(", from confidence {score:g}").format(score=scores.floor) if is_lower else ""

    def _on_best_chosen(self, class_id: int | None, score: float) -> None:
        if class_id is None:
            self._panel.thresholds.choose_confidence(score)
        else:
            self._panel.classes.choose_own_score(class_id, score)
