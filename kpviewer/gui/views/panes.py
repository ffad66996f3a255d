"""The widgets of the window, and their layout."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from PyQt6.QtWidgets import QWidget

from kpviewer.gui.views.panels.docks import DockArea, Part
from kpviewer.gui.views.panels.plots_panel import PlotsPanel
from kpviewer.gui.views.panels.side_panel import SidePanel
from kpviewer.gui.views.panels.status_bar import StatusBar
from kpviewer.gui.views.panels.table_panel import TablePanel
from kpviewer.gui.views.panels.top_bar import TopBar
from kpviewer.gui.views.timeline.bar import TimelineBar
from kpviewer.gui.views.video.pair_view import PairView
from kpviewer.gui.views.video.video_view import VideoView
from kpviewer.gui.widgets.layouts import boxed, column_of
from kpviewer.gui.widgets.notice_line import NoticeColumn
from kpviewer.gui.widgets.theme import ThemeManager


@dataclass(frozen=True, slots=True)
class AnyPanes:
    """Widgets that the window of a source and that of a grid have.

    Objects between session and widgets take this, or the one widget that they need, never the
    window.
    """

    top_bar: TopBar
    notices: NoticeColumn
    """Lines above the image."""
    side_panel: SidePanel
    status_bar: StatusBar
    docks: DockArea
    """Area of all widgets but the bars at top and bottom."""

    @property
    @abstractmethod
    def view(self) -> VideoView:
        """View of the image that keys act on."""

    @property
    def say(self) -> Callable[[str], None]:
        """Function that shows a message to the user; signals can be connected to it."""
        return self.status_bar.show_message


@dataclass(frozen=True, slots=True)
class Panes(AnyPanes):
    """Widgets that show a session."""

    pair: PairView
    """``view``, and a second view beside it if two models are compared."""
    transport: TimelineBar
    plots: PlotsPanel
    table: TablePanel

    @property
    def view(self) -> VideoView:
        """View of the image."""
        return self.pair.view


def make_panes(themes: ThemeManager, holder: QWidget) -> Panes:
    """Make the widgets in the colours of the theme, and lay them out in ``holder``."""
    top_bar, status_bar = TopBar(), StatusBar()
    pair, notices, transport = PairView(VideoView()), NoticeColumn(), TimelineBar()
    side_panel, plots, table = SidePanel(), PlotsPanel(themes.theme), TablePanel()
    docks = DockArea(
        boxed(column_of(notices, pair, transport, gap=0, grows=pair)),
        {Part.SIDE: side_panel, Part.PLOTS: plots, Part.TABLE: table},
        holder,
    )
    column_of(top_bar, docks, status_bar, gap=0, grows=docks, into=holder)
    docks.wanted_changed.connect(lambda: status_bar.show_plots(are_open=docks.wanted()[Part.PLOTS]))
    side_panel.score.set_theme(themes.theme)
    for part in (plots, side_panel.score):
        themes.changed.connect(part.set_theme)
    return Panes(top_bar, notices, side_panel, status_bar, docks, pair, transport, plots, table)
