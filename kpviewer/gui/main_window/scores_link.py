"""Connection of the scores of everything that was scanned with the section that shows them."""

from PyQt6.QtCore import QObject

from kpviewer.gui.controllers.playback import Playback
from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.main_window.opener import Opener
from kpviewer.gui.main_window.scanning import Scanning
from kpviewer.gui.scanning.calculation import TwoScores
from kpviewer.gui.scanning.scan import ScanState
from kpviewer.gui.views.panels.side_panel import SidePanel
from kpviewer.models.spec import Task
from kpviewer.scanning.frame_errors import ErrorSummary
from kpviewer.scanning.suspects import Suspect
from kpviewer.structures import FrameResult, StreamInfo, Thresholds

NO_BOXES = tr_noop("This model gives classes of whole images, no boxes. kpviewer eval scores it.")


class ScoresLink(QObject):
    """Logic of the section Score.

    What comes while the section is folded is shown when it opens.
    """

    def __init__(
        self, panel: SidePanel, opener: Opener, scanning: Scanning, playback: Playback
    ) -> None:
        super().__init__(panel)
        self._panel, self._score = panel, panel.score
        self._session = opener.session
        self._scores: TwoScores | None = None
        self._suspects: list[Suspect] | None = None
        self._is_old = False
        self.summary = ErrorSummary()
        """Summary of all scored frames."""
        scanning.analysis.scores_changed.connect(self._on_scores_changed)
        scanning.analysis.suspects_changed.connect(self._on_suspects_changed)
        scanning.scan.state_changed.connect(self._on_scan_state_changed)
        score = self._score
        score.summary.demo_asked.connect(lambda: opener.choose_source("demo"))
        score.summary.score_all_asked.connect(scanning.link.start)
        score.curves.class_chosen.connect(self._show_point)
        score.curves.best_chosen.connect(self._on_best_chosen)
        score.frames.sought.connect(playback.show)
        panel.unfolded.connect(self._draw)
        self._thresholds: Thresholds | None = None

    def update_models(self) -> None:
        """Use the names of the present models."""
        engine, second = self._session.engine, self._session.second
        if engine is None:
            return
        first, its = engine.spec, None if second is None else second.engine.spec
        names = None if its is None else its.class_names
        self._score.set_models(first.class_names, first.keypoint_names, names)
        if its is not None:
            self._score.summary.table.set_names(first.name, its.name)

    def set_source(self, info: StreamInfo | None) -> None:
        """Adapt to another source; None until it is open."""
        frames = self._score.frames
        if info is None:
            frames.show_frame(None)
            frames.forget_choice()
        else:
            frames.set_can_seek(can_seek=info.is_seekable)

    def show_result(self, result: FrameResult | None) -> None:
        """Show the error of the frame on the screen, and select it in the list."""
        if not self._score.isVisible():
            return
        frame = None if result is None else result.frame
        summary, annotated = self._score.summary, self._session.ground_truth
        engine = self._session.engine
        is_classifier = engine is not None and engine.spec.task is Task.CLASSIFY
        why = tr(NO_BOXES) if is_classifier else annotated.problem
        summary.show_reason(why)
        is_in_frame = frame is not None and frame.ground_truth is not None
        summary.show_error(
            None if result is None else result.error,
            has_ground_truth=not why and (is_in_frame or bool(annotated.spec)),
            has_model=engine is not None,
        )
        self._score.frames.show_frame(None if frame is None else frame.index)

    def _on_scan_state_changed(self, state: ScanState) -> None:
        self._score.summary.set_scan(
            is_running=state.is_running,
            is_complete=state.is_complete,
            hindrance=state.hindrance or "",
        )

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Mark the confidence on the curves at once; other scores follow."""
        self._thresholds = thresholds
        self._show_point()

    def _on_scores_changed(self, scores: TwoScores) -> None:
        self._scores = scores
        first = scores.first
        ap = first.precision.ap50 if first is not None else None
        self.summary = first.summary if first is not None else ErrorSummary()
        self._panel.show_average_precision(ap)
        self._draw_later()

    def _on_suspects_changed(self, suspects: list[Suspect]) -> None:
        self._suspects = suspects
        self._draw_later()

    def _draw_later(self) -> None:
        self._is_old = True
        if self._score.isVisible():
            self._draw()

    def _draw(self) -> None:
        """Show what has come."""
        if not self._is_old:
            return
        self._is_old = False
        if self._scores is not None:
            scores, self._scores = self._scores, None
            self._score.frames.set_files(scores.files.get)
            self._score.show_scores(scores.first, scores.second)
        if self._suspects is not None:
            suspects, self._suspects = self._suspects, None
            self._score.show_suspects(suspects)
        self._show_point()

    def _show_point(self) -> None:
        thresholds, class_id = self._thresholds, self._score.curves.class_id
        if thresholds is None:
            return
        score = thresholds.score
        if class_id is not None:
            score = thresholds.class_scores.get(class_id, score)
        self._score.curves.show_score(score)

    def _on_best_chosen(self, class_id: int | None, score: float) -> None:
        if class_id is None:
            self._panel.thresholds.choose_confidence(score)
        else:
            self._panel.classes.choose_own_score(class_id, score)
