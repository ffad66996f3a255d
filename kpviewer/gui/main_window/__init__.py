"""Main window: connects the parts, and folds the plots if there is little room.

Only ``app`` imports it; the parts take the objects that they need.
"""

from collections.abc import Callable
from functools import partial

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QCloseEvent, QResizeEvent
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.controllers.any_window import AnyWindow
from kpviewer.gui.controllers.dropping import DropTarget, open_dropped
from kpviewer.gui.controllers.everyday import EverydayObjects
from kpviewer.gui.controllers.saving import Saving
from kpviewer.gui.keys import Act
from kpviewer.gui.language import tr
from kpviewer.gui.main_window.bridge import Bridge
from kpviewer.gui.main_window.compare_link import CompareLink
from kpviewer.gui.main_window.demo_banner import DemoBanner
from kpviewer.gui.main_window.exporting import Exporter
from kpviewer.gui.main_window.image_actions import ImageActions
from kpviewer.gui.main_window.menus import SourceMenu, add_compare_menu
from kpviewer.gui.main_window.nothing_found import NothingFoundLine
from kpviewer.gui.main_window.opener import Opener
from kpviewer.gui.main_window.scanning import Scanning
from kpviewer.gui.main_window.table_link import TableLink
from kpviewer.gui.main_window.timeline_link import TimelineLink
from kpviewer.gui.main_window.turning import Turning
from kpviewer.gui.opening.clipboard import paste
from kpviewer.gui.opening.engine_loading import LOADERS
from kpviewer.gui.opening.loaders import Loaders
from kpviewer.gui.opening.model_loading import ModelLoading
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.session import Session
from kpviewer.gui.settings.remembered import RememberedSettings
from kpviewer.gui.views.dialogs.questions import ask_for_files, ask_for_ground_truth
from kpviewer.gui.views.panels.docks import Part
from kpviewer.gui.views.panels.plots_panel import FOLDED_HEIGHT
from kpviewer.gui.views.panes import Panes, make_panes
from kpviewer.gui.views.timeline.bar import lack_of
from kpviewer.gui.views.video.video_view import WHEEL_ZOOM, VideoView
from kpviewer.gui.widgets.theme import ThemeManager

JUMP_S = 5.0
"""Length of a jump back or forward, in seconds."""
ROOMY_PX = 1240
"""Width of the window from which the plots stand side by side."""


class MainWindow(AnyWindow):
    """Owner of the widgets, the session and the bridge between them."""

    several_asked = pyqtSignal(list)
    """Emitted with the names of several sources, which a grid shows, and of what came with them."""

    panes: Panes
    view: VideoView
    session: Session
    saving: Saving
    opener: Opener
    bridge: Bridge

    def __init__(
        self,
        options: ViewerOptions,
        themes: ThemeManager,
        loaders: Loaders = LOADERS,
        before: RememberedSettings | None = None,
    ) -> None:
        super().__init__(options, loaders, before)
        options, loaders, remembered = self._options, self._loaders, self.remembered
        self.setWindowTitle("kpviewer")
        self.setCentralWidget(center := QWidget())
        # What is seen.
        panes = self.panes = make_panes(themes, center)
        self.top_bar, self.status_bar, self.docks = panes.top_bar, panes.status_bar, panes.docks
        self.view, self.pair, self.transport = panes.view, panes.pair, panes.transport
        self.side_panel, self.plots, self.table = panes.side_panel, panes.plots, panes.table
        # What runs.
        session = self.session = Session(options, loaders, remembered)
        saving = self.saving = Saving(session, options.folder, with_results=options.with_results)
        # What opens and scans, and what joins it with what is seen.
        second = ModelLoading(options, loaders, is_second=True)
        second.noted.connect(panes.say)
        self.compare = CompareLink(second, session, panes.pair, panes.side_panel.compare)
        opener = self.opener = Opener(session, self.compare, panes, loaders)
        self.choose_source, self.choose_model = opener.choose_source, opener.choose_model
        self.everyday = EverydayObjects(panes.notices.add(), opener.choose_model)
        self.scanning = Scanning(session, self.compare, panes.transport.scan, loaders)
        self.bridge = Bridge(panes, opener, saving, self.scanning)
        playback, analysis, scan = self.bridge.playback, self.scanning.analysis, self.scanning.link
        scan.told.connect(panes.say)
        self.timeline = TimelineLink(
            panes, session, playback, analysis, remembered, loaders.open_source
        )
        self.exporter = Exporter(panes, session, saving, scan_file=scan.file)
        self.turning = Turning(session, remembered, panes.view, playback, saving)
        self.image_actions = ImageActions(panes, opener, self.turning, self._run, self._open_any)
        TableLink(panes, session, saving)
        # What is said, and what the user may ask for.
        self.demo_banner = DemoBanner(panes.notices.add(), session, self._run)
        self.nothing_found = NothingFoundLine(panes, opener, self.bridge)
        DropTarget(self, self._open_any)
        self._link(themes, self._handlers(), scan, partial(add_compare_menu, opener))
        SourceMenu(panes.top_bar.source.popup, opener, self.memory, self.turning, self._run)
        for part in (panes.status_bar, panes.transport):
            part.asked.connect(self._run)
        panes.side_panel.score.summary.annotations_asked.connect(
            partial(self._run, Act.OPEN_GROUND_TRUTH)
        )
        self.view.setFocus()  # else the first picker has it, with a frame

    def begin(self, options: ViewerOptions) -> None:
        """Open the source and load the model, once the window is on the screen."""
        options = self.remembered.fill(options)
        self.session.open(options.source)
        self.opener.choose_model(options.model)
        self.opener.compare_with(options.compare or "")
        self.saving.recover_leftovers()
        if options.record is not None:
            self.saving.record_from_start(options.record)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Close; if the user wants it while an export runs, ask first."""
        if event is not None and event.spontaneous() and self.exporter.asks_before(self.close):
            event.ignore()
        else:
            super().closeEvent(event)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Fold the plots if the video would get too small."""
        super().resizeEvent(event)
        was_folded = self.plots.is_folded()
        self.plots.set_folded(self.width() < ROOMY_PX)
        if self.plots.is_folded() is not was_folded:
            self.docks.fit_height(Part.PLOTS, FOLDED_HEIGHT)

    def _stop_showing(self) -> None:
        self.timeline.close()
        self.plots.stop()
        self.view.clear()

    def _close_parts(self) -> None:
        self.exporter.close()
        self.compare.close()
        super()._close_parts()
        self.image_actions.close()
        self.scanning.close()

    def _handlers(self) -> dict[Act, Callable[[], object]]:
        """Return the functions of the acts of this window, which say why they have no effect."""
        return {act: partial(self._run_or_say, act, run) for act, run in self._own_acts().items()}

    def _run_or_say(self, act: Act, run: Callable[[], object]) -> None:
        session = self.session
        lack = lack_of(act, session.info)
        is_opening = session.info is None and session.source_name and session.failure is None
        if lack is None or is_opening:
            run()
        else:
            self.panes.say(tr(lack))

    def _own_acts(self) -> dict[Act, Callable[[], object]]:
        """Return the functions of the acts that only this window has."""
        playback, saving, view = self.bridge.playback, self.saving, self.view
        opener, say = self.opener, self.panes.say
        return {
            **self.timeline.acts,
            **self.image_actions.acts,
            Act.PLAY: playback.toggle,
            Act.BACK: lambda: self._jump(-JUMP_S),
            Act.FORWARD: lambda: self._jump(JUMP_S),
            Act.STEP_BACK: playback.step_back,
            Act.STEP_FORWARD: playback.step_forward,
            Act.START: lambda: playback.seek(0),
            Act.SLOWER: lambda: playback.change_speed(-1),
            Act.FASTER: lambda: playback.change_speed(1),
            Act.LOOP: playback.toggle_loop,
            Act.REPEAT: playback.mark_ab,
            Act.OPEN_FILE: lambda: self._open_all(
                ask_for_files(self, self.memory.recent_sources()), opener.choose_source
            ),
            Act.PASTE: lambda: paste(self._open_any, say),
            Act.OPEN_GROUND_TRUTH: self._ask_for_ground_truth,
            Act.SCAN: self.scanning.link.toggle,
            Act.SNAPSHOT: lambda: saving.save_snapshot(view.result()),
            Act.EXPORT: self.exporter.ask,
            Act.QUIT: lambda: self.exporter.asks_before(self.close) or self.close(),
            Act.FIT: view.fit,
            Act.ZOOM_IN: lambda: view.zoom(WHEEL_ZOOM),
            Act.ZOOM_OUT: lambda: view.zoom(1 / WHEEL_ZOOM),
            Act.LEAVE: lambda: self.set_fullscreen(False),
            Act.PLOTS: lambda: self.docks.toggle(Part.PLOTS),
            Act.TABLE: lambda: self.docks.toggle(Part.TABLE),
        }

    def _jump(self, seconds: float) -> None:
        playback = self.bridge.playback
        playback.seek(self.transport.frame_beside(playback.index, seconds))

    def _ask_for_ground_truth(self) -> None:
        opener = self.opener
        if opener.can_use_ground_truth():
            opener.use_ground_truth(ask_for_ground_truth(self, self.session.source_text))

    def _open_any(self, texts: list[str]) -> None:
        """Open sources, models or annotations that were dropped or pasted."""
        self._open_all(texts, self.opener.open)

    def _open_all(self, texts: list[str], open_one: Callable[[str], None]) -> None:
        open_dropped(texts, open_one, self.several_asked.emit, self.panes.say)
