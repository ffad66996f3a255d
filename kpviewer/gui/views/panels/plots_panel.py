"""Plots of frames per second, latency by stage, and error: side by side, or one at a time."""

from typing import TYPE_CHECKING

from PyQt6.QtCore import QSize, QTimer
from PyQt6.QtGui import QShowEvent
from PyQt6.QtWidgets import QFrame, QWidget

from kpviewer.gui.background.loader import BackgroundLoader
from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.widgets.buttons import SegmentedControl
from kpviewer.gui.widgets.history import WINDOW_S, History, PlotSpec
from kpviewer.gui.widgets.layouts import column_of, row_of
from kpviewer.gui.widgets.theme import Theme
from kpviewer.pipeline_status import PipelineStats
from kpviewer.runtime.process.threads import short_turns
from kpviewer.structures import FrameError, StageTimings

if TYPE_CHECKING:
    from kpviewer.gui.widgets.plot import Plot

HEIGHT = 148
SHARES = (6, 9, 6)
"""Shares of the width: the latency has the longest legend."""
FOLDED_HEIGHT = 168
TICKS = int(WINDOW_S * 10) + 2
"""Number of rows of a plot that is fed at 10 Hz."""
FRAMES = int(WINDOW_S * 120)
"""Number of rows of a plot that is fed with each frame."""
STAGES = ("read", "queue_wait", "upload", "forward", "postprocess")

FPS = PlotSpec(
    tr_noop("FPS"),
    (tr_noop("capture"), tr_noop("model"), tr_noop("display")),
    digits=1,
    least_top=10.0,
)
LATENCY = PlotSpec(
    tr_noop("Latency, ms"),
    (tr_noop("read"), tr_noop("wait"), tr_noop("upload"), tr_noop("model"), tr_noop("select")),
    1,
    stacked=True,
    least_top=5.0,
)
ERROR = PlotSpec(
    tr_noop("Error, px"),
    (tr_noop("mean distance"),),
    1,
    least_top=2.0,
)
DIFFERENCE = tr_noop("Difference A–B, px")
SPECS = (FPS, LATENCY, ERROR)


class PlotsPanel(QFrame):
    """Panel that collects numbers as they come and draws them at 10 Hz.

    The plots are made once the panel is first shown. pyqtgraph is imported on a thread, as that
    takes 0.1 s, and a plot, which takes 20 ms, is made in a turn of the event loop of its own.
    See ``stop``.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("plots")
        self._theme = theme
        self._loader = BackgroundLoader()
        self.made: list[Plot] = []
        """Plots of the rates, of a frame's time by stage and of the error, once they are made."""
        self._nominal_fps: float | None = None
        self._fps_history = History(3, TICKS)
        self._stage_history = History(len(STAGES), FRAMES)
        self._error_history = History(1, FRAMES)
        self.tabs = SegmentedControl(
            tr("Plot"),
            (
                (tr("FPS"), tr("Frames per second")),
                (tr("Latency"), tr("Time of a frame by stage")),
                (tr("Error"), tr("Distance from the ground truth")),
            ),
        )
        self.tabs.chosen.connect(self._on_tab_chosen)
        self._tab_row = QWidget()
        row_of(self.tabs, margins=(12, 8, 12, 0), grows=self.tabs, into=self._tab_row)
        self._is_folded = self._plots_difference = False
        self._lack = ""
        self._row = row_of(gap=0)
        column_of(self._tab_row, self._row, gap=0, grows=self._row, into=self)
        self.set_folded(False)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Begin to make the plots, unless they are made."""
        super().showEvent(event)
        if not self.made and self._loader.busy_with is None:
            self._loader.submit("plots", _import_plot, lambda _: self._make_next())

    def stop(self) -> None:
        """Make no more plots."""
        self._loader.close()

    def _make_next(self) -> None:
        from kpviewer.gui.widgets.plot import Plot  # noqa: PLC0415 - as above

        made = len(self.made)
        if made == len(SPECS):
            self._update_plots()
            return
        plot = Plot(SPECS[made], self._theme)
        plot.hide()  # until all are made: each would be laid out and painted again with the next
        self._row.addWidget(plot, SHARES[made])
        self.made.append(plot)
        QTimer.singleShot(0, self._make_next)

    def _update_plots(self) -> None:
        """Show what was set since; plots that aren't made yet will."""
        fps, is_difference = self._nominal_fps, self._plots_difference
        targets = (fps, 1000 / fps if fps else None, None)
        titles = (FPS.title, LATENCY.title, DIFFERENCE if is_difference else ERROR.title)
        for index, plot in enumerate(self.made):
            plot.setVisible(not self._is_folded or index == self.tabs.index())
            plot.set_target(targets[index])
            plot.set_title(tr(titles[index]))

    def set_folded(self, is_folded: bool) -> None:
        """Show one plot with a switch above it (True), or the three side by side."""
        self._is_folded = is_folded
        self._tab_row.setVisible(is_folded)
        self.setMinimumHeight(FOLDED_HEIGHT if is_folded else HEIGHT)
        self._update_plots()

    def is_folded(self) -> bool:
        """Return whether one plot is shown at a time."""
        return self._is_folded

    def sizeHint(self) -> QSize:
        """Return the smallest height: the image takes the rest."""
        return QSize(super().sizeHint().width(), self.minimumHeight())

    def set_theme(self, theme: Theme) -> None:
        """Use the colours of a theme."""
        self._theme = theme
        for plot in self.made:
            plot.set_theme(theme)

    def set_source(self, nominal_fps: float | None) -> None:
        """Clear the plots for another source, with faint lines at its rate and frame budget."""
        self._fps_history.clear()
        self._stage_history.clear()
        self._nominal_fps = nominal_fps
        self.forget_errors()

    def forget_errors(self) -> None:
        """Forget the errors of a former model."""
        self._plots_difference = False
        self._error_history.clear()
        self._update_plots()

    def show_lack(self, text: str) -> None:
        """Show why there are no errors; empty if they may still come."""
        self._lack = text

    def add_frame(
        self,
        now_s: float,
        timings: StageTimings,
        error: FrameError | None,
        difference: FrameError | None = None,
    ) -> None:
        """Add the numbers of a frame that was shown.

        A difference of two models is plotted if there is no ground truth.
        """
        spent_ms = timings.by_stage()
        self._stage_history.add(now_s, *(spent_ms[stage] for stage in STAGES))
        shown = difference if error is None else error
        if shown is None:
            return
        is_difference = error is None
        if is_difference is not self._plots_difference:
            self._plots_difference = is_difference
            self._error_history.clear()
            self._update_plots()
        self._error_history.add(now_s, shown.mean_px)

    def add_stats(self, now_s: float, stats: PipelineStats, *, has_model: bool) -> None:
        """Add the current rates."""
        model_fps = stats.inference_fps if has_model else None
        rates = (stats.capture_fps, model_fps, stats.display_fps)
        self._fps_history.add(now_s, *rates)

    def draw(self, now_s: float) -> None:
        """Draw the numbers that were added."""
        histories = (self._fps_history, self._stage_history, self._error_history)
        if not self.isVisible():
            return
        hints = "", "", "" if len(self._error_history) else self._lack
        for plot, history, hint in zip(self.made, histories, hints, strict=False):
            if plot.isVisible():
                plot.show_rows(*history.recent(now_s), now_s)
                plot.show_hint(hint)

    def _on_tab_chosen(self, _index: int) -> None:
        self.set_folded(self._is_folded)


@short_turns()
def _import_plot() -> None:
    import kpviewer.gui.widgets.plot  # noqa: F401, PLC0415 - as above
