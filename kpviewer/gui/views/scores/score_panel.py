"""The section Score: numbers, curves, details, and the frames to look at."""

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.views.scores.curves_panel import CurvesPanel
from kpviewer.gui.views.scores.details_panel import DetailsPanel
from kpviewer.gui.views.scores.frame_list import FrameList
from kpviewer.gui.views.scores.score_summary import ScoreSummary
from kpviewer.gui.widgets.buttons import PushButton
from kpviewer.gui.widgets.layouts import column_of
from kpviewer.gui.widgets.theme import Theme
from kpviewer.models.names.classes import shown_names
from kpviewer.pipeline.results.comparing import shared_ids
from kpviewer.scanning.scores import ScanScores
from kpviewer.scanning.suspects import Suspect


class ScorePanel(QWidget):
    """Widgets of the section; ``show_scores`` and ``show_suspects`` fill them."""

    report_asked = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.summary = ScoreSummary()
        self.curves = CurvesPanel()
        self.details = DetailsPanel()
        self.frames = FrameList()
        self.report = PushButton(tr("Report…"))
        self.report.setToolTip(tr("Write these scores as a web page, with the worst frames"))
        self.report.clicked.connect(self.report_asked)
        column_of(
            self.summary, self.curves, self.details, self.frames, self.report, gap=12, into=self
        )
        self._class_names: tuple[str, ...] = ()
        self.show_scores(None, None)
        self.show_suspects([])

    def set_theme(self, theme: Theme) -> None:
        """Use the colours of a theme."""
        self.curves.set_theme(theme)
        self.summary.table.set_theme(theme)

    def set_models(
        self,
        class_names: tuple[str, ...],
        keypoint_names: tuple[str, ...],
        second_names: tuple[str, ...] | None,
    ) -> None:
        """Use the names of a model, and the classes of a second one if there is one.

        Scores with other classes are of a former model.
        """
        if class_names != self._class_names:
            self._class_names = class_names
            self.show_scores(None, None)
        shown = shown_names(class_names)
        ids: dict[int, int] = {}
        if second_names is not None:
            shared = shared_ids(class_names, second_names)
            ids = {first: second for second, first in shared.items()}
        self.curves.set_class_names(shown, tuple(ids.get(each) for each in range(len(class_names))))
        self.details.set_class_names(shown)
        self.frames.set_names(shown, keypoint_names)

    def show_scores(self, first: ScanScores | None, second: ScanScores | None) -> None:
        """Show the scores of one model or two; None without ground truth or frames."""
        first = first if first is not None and first.scored else None
        second = second if first is not None else None
        self.summary.show_scores(first, second)
        for widget in (self.curves, self.details, self.report):
            widget.setVisible(first is not None)
        self.curves.show_scores(first, second)
        self.details.show_scores(first)
        self.frames.show_scores(first)

    def show_suspects(self, suspects: list[Suspect]) -> None:
        """Show the suspects, the most suspicious first."""
        self.frames.show_suspects(suspects)
