"""The widgets of a grid's window, and their layout."""

from dataclasses import dataclass, field

from PyQt6.QtWidgets import QWidget

from kpviewer.gui.grid.view import GridView
from kpviewer.gui.views.panels.docks import DockArea, Part
from kpviewer.gui.views.panels.side_panel import Intent, SidePanel
from kpviewer.gui.views.panels.status_bar import StatusBar
from kpviewer.gui.views.panels.top_bar import TopBar
from kpviewer.gui.views.panes import AnyPanes
from kpviewer.gui.views.video.video_view import VideoView
from kpviewer.gui.widgets.layouts import boxed, column_of
from kpviewer.gui.widgets.notice_line import NoticeColumn


@dataclass(frozen=True, slots=True)
class GridPanes(AnyPanes):
    """Widgets that show the streams of a grid."""

    grid: GridView
    no_view: VideoView = field(default_factory=VideoView)
    """View without an image, for a grid without tiles."""

    @property
    def view(self) -> VideoView:
        """View of the current tile."""
        tile = self.grid.current
        return self.no_view if tile is None else tile.view


def make_panes(holder: QWidget) -> GridPanes:
    """Make the widgets, and lay them out in ``holder``."""
    grid, notices, side_panel = GridView(), NoticeColumn(), SidePanel()
    side_panel.sections[Intent.SCORE].hide()  # of one source at a time
    top_bar = TopBar()
    top_bar.export.hide()
    top_bar.recording.offer_streams()
    status_bar = StatusBar()
    status_bar.hide_plots()
    center = boxed(column_of(notices, grid, gap=0, grows=grid))
    docks = DockArea(center, {Part.SIDE: side_panel}, holder)
    column_of(top_bar, docks, status_bar, gap=0, grows=docks, into=holder)
    return GridPanes(top_bar, notices, side_panel, status_bar, docks, grid)
