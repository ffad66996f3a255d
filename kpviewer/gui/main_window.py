"""Main window: connects the parts, and folds the plots if there is little room.

Only ``app`` imports it; the parts take the objects that they need.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QCloseEvent, QResizeEvent
from PyQt6.QtWidgets import QMainWindow, QWidget

from kpviewer.gui.controllers.actions import Actions, refresh_tooltips
from kpviewer.gui.controllers.bridge import Bridge
from kpviewer.gui.controllers.compare_link import CompareLink
from kpviewer.gui.controllers.demo_banner import DemoBanner
from kpviewer.gui.controllers.dropping import DropTarget, open_dropped
from kpviewer.gui.controllers.everyday import EverydayObjects
from kpviewer.gui.controllers.exporting import Exporter
from kpviewer.gui.controllers.menus.compare_menu import add_compare_menu
from kpviewer.gui.controllers.menus.model_menu import ModelMenu
from kpviewer.gui.controllers.menus.settings_menu import SettingsMenu
from kpviewer.gui.controllers.menus.source_menu import SourceMenu
from kpviewer.gui.controllers.nothing_found import NothingFoundLine
from kpviewer.gui.controllers.opener import Opener
from kpviewer.gui.controllers.picture_link import PictureLink
from kpviewer.gui.controllers.real_speed import RealSpeed
from kpviewer.gui.controllers.recording_link import RecordingLink
from kpviewer.gui.controllers.saving import Saving
from kpviewer.gui.controllers.scanning import Scanning
from kpviewer.gui.controllers.shown_settings import ShownSettings
from kpviewer.gui.controllers.table_link import TableLink
from kpviewer.gui.controllers.timeline_link import TimelineLink
from kpviewer.gui.controllers.turning import Turning
from kpviewer.gui.controllers.window_memory import WindowMemory
from kpviewer.gui.keys import Act
from kpviewer.gui.opening.clipboard import paste
from kpviewer.gui.opening.engine_loading import LOADERS
from kpviewer.gui.opening.loaders import Loaders, with_own
from kpviewer.gui.opening.permission import CodePermission
from kpviewer.gui.opening.second_model import SecondLoading
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.session import Session
from kpviewer.gui.settings.key_bindings import KeyBindings
from kpviewer.gui.settings.remembered import RememberedSettings
from kpviewer.gui.settings.store import SettingsStore
from kpviewer.gui.views.dialogs.file_dialogs import (
    ask_for_files,
    ask_for_folder,
    ask_for_ground_truth,
    ask_for_model,
)
from kpviewer.gui.views.dialogs.keys_dialog import KeysDialog
from kpviewer.gui.views.dialogs.url_dialog import UrlDialog
from kpviewer.gui.views.panels.docks import Part
from kpviewer.gui.views.panels.plots_panel import FOLDED_HEIGHT
from kpviewer.gui.views.panes import make_panes
from kpviewer.gui.views.video.video_view import WHEEL_ZOOM
from kpviewer.gui.views.window_geometry import (
    fitting_size,
    geometry_of,
    restore_geometry,
    set_fullscreen,
)
from kpviewer.gui.widgets.icons import icon
from kpviewer.gui.widgets.theme import ThemeManager
from kpviewer.runtime.abandoned import wait_for_stragglers

ROOMY_PX = 1240
"""Width of the window from which the plots stand side by side."""
LOADERS_S = 0.5
"""Time at the end for loaders that may be about to finish."""


class MainWindow(QMainWindow):
    """Owner of the widgets, the session and the bridge between them."""

    several_asked = pyqtSignal(list)
    """Emitted with the names of several sources, which a grid shows."""
    closing = pyqtSignal()
    """Emitted before the window closes: everything after that is bounded in time."""
    finishing = pyqtSignal(bool)
    """Emitted with whether a recording's files are being finished, which may take longer."""

    def __init__(
        self, options: ViewerOptions, themes: ThemeManager, loaders: Loaders = LOADERS
    ) -> None:
        super().__init__()
        self.setWindowTitle("kpviewer")
        self.setWindowIcon(icon("model"))
        self.resize(fitting_size())
        self.setMinimumSize(760, 520)
        store = SettingsStore(options.settings_folder, options.profile)
        self.key_bindings = KeyBindings(store)  # before the tooltips that name keys
        self.setCentralWidget(center := QWidget())
        panes = self.panes = make_panes(themes.theme, center)
        self.top_bar, self.status_bar, self.docks = panes.top_bar, panes.status_bar, panes.docks
        self.view, self.pair, self.transport = panes.view, panes.pair, panes.transport
        self.side_panel, self.plots, self.table = panes.side_panel, panes.plots, panes.table
        self._remembered = RememberedSettings(store, options)
        # Before anything is recalled: only models that the command line names may run code.
        permission = CodePermission((options.model, options.compare or ""))
        loaders = replace(with_own(loaders, options), permission=permission)
        options = self._remembered.fill(options)
        self.session = Session(options, loaders, self._remembered)
        self.saving = Saving(self.session, options.folder, with_results=options.with_results)
        second = SecondLoading(options, loaders)
        self.compare = CompareLink(second, self.session, self.pair, self.side_panel.compare)
        load_preview = loaders.load_first or loaders.load_engine
        self.opener = Opener(self.session, self.compare, permission, panes, load_preview)
        self.choose_source, self.choose_model = self.opener.choose_source, self.opener.choose_model
        self.everyday = EverydayObjects(panes.notices.add(), self.opener.choose_model)
        self.session.models.noted.connect(panes.say)
        DropTarget(self, lambda texts: self._open_all(texts, self.opener.open))
        self.scanning = Scanning(self.session, self.compare, panes.transport.scan, loaders)
        self.bridge = Bridge(panes, self.opener, self.saving, self.scanning)
        speed = RealSpeed(panes, self.session, self.bridge.playback)
        self.bridge.titled.connect(lambda title: self.setWindowTitle(speed.titled(title)))
        table = TableLink(self.table, self.view, self.session)
        table.reported.connect(panes.say)
        self.table.export_asked.connect(lambda: table.export(self.saving.save))
        self.exporter = Exporter(panes, self.session, self.saving)
        self.actions_of_keys = Actions(self)
        self.timeline = TimelineLink(
            panes, self.session, self.bridge.playback, self._remembered, loaders.open_source
        )
        self.scanning.analysis.lanes_changed.connect(self.timeline.show_lanes)
        self._connect_acts()
        self._connect_score()
        self.side_panel.score.set_theme(themes.theme)
        themes.changed.connect(lambda: self.plots.set_theme(themes.theme))
        themes.changed.connect(lambda: self.side_panel.score.set_theme(themes.theme))
        self._remember(options, themes)
        self._connect_menus()
        run = self.actions_of_keys.run
        self.demo_banner = DemoBanner(panes.notices.add(), self.session, run)
        self.nothing_found = NothingFoundLine(panes, self.opener, self.bridge)
        self.view.setFocus()  # else the first picker has it, with a frame
        self._recording_link = RecordingLink(self.top_bar.recording, self.saving, self)

    def begin(self, options: ViewerOptions) -> None:
        """Open the source and load the model, once the window is on the screen."""
        options = self._remembered.fill(options)
        self.session.open(options.source)
        self.opener.choose_model(options.model)
        self.opener.compare_with(options.compare or "")
        self.saving.recover_leftovers()
        if options.record is not None:
            self.saving.record_from_start(options.record)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Fold the plots if the video would get too small."""
        super().resizeEvent(event)
        was_folded = self.plots.is_folded()
        self.plots.set_folded(self.width() < ROOMY_PX)
        if self.plots.is_folded() is not was_folded:
            self.docks.fit_height(Part.PLOTS, FOLDED_HEIGHT)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Hide at once, finish the recording, and wait for threads, in bounded time."""
        self.closing.emit()
        self.hide()
        self.memory.close(geometry_of(self, self.docks))
        self.bridge.stop()
        self.timeline.close()
        self.saving.stop_recording()
        self.view.clear()
        self.session.close()
        self.finishing.emit(True)
        self.saving.close()
        self.finishing.emit(False)
        self._recording_link.close()
        self.exporter.close()
        self.everyday.close()
        self.compare.close()
        self.opener.close()
        self.picture.close()
        self.scanning.close()
        wait_for_stragglers(LOADERS_S)
        super().closeEvent(event)

    def _remember(self, options: ViewerOptions, themes: ThemeManager) -> None:
        restore_geometry(self, self.docks, self._remembered.store.current.window)
        shown = ShownSettings(self.panes, self.session, self.saving, themes, self.scanning.scan)
        self.memory = WindowMemory(shown, self.session, self._remembered, options, self)
        self.memory.told.connect(self.panes.say)
        self.memory.thresholds_recalled.connect(self.bridge.use_thresholds)
        self.memory.model_recalled.connect(self.opener.choose_model)
        self.side_panel.thresholds_edited.connect(self.memory.note_after_paint)

    def _connect_score(self) -> None:
        score, run = self.side_panel.score, self.actions_of_keys.run
        score.summary.demo_asked.connect(lambda: self.opener.choose_source("demo"))
        score.summary.annotations_asked.connect(lambda: run(Act.OPEN_GROUND_TRUTH))
        score.summary.score_all_asked.connect(self.scanning.scan.start)
        self.scanning.scan.scan.state_changed.connect(self.bridge.scores.show_scan)
        score.report_asked.connect(self.exporter.ask_for_report)
        self.exporter.scan_file = self.scanning.scan.file

    def _connect_acts(self) -> None:
        playback, saving, view = self.bridge.playback, self.saving, self.view
        opener, say = self.opener, self.panes.say
        self.actions_of_keys.handle(
            {
                Act.PLAY: playback.toggle,
                Act.BACK: lambda: playback.jump(-1),
                Act.FORWARD: lambda: playback.jump(1),
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
                Act.OPEN_FOLDER: lambda: opener.choose_source(
                    ask_for_folder(self, self.memory.recent_sources())
                ),
                Act.OPEN_URL: self._ask_for_url,
                Act.PASTE: lambda: paste(opener.open, say),
                Act.OPEN_GROUND_TRUTH: lambda: opener.use_ground_truth(
                    ask_for_ground_truth(self, self.session.source_text)
                ),
                Act.OPEN_MODEL: lambda: opener.choose_model(
                    ask_for_model(self, self.memory.recent_models())
                ),
                Act.SCAN: self.scanning.scan.toggle,
                Act.RECORD: saving.toggle_recording,
                Act.PAUSE_RECORDING: saving.toggle_pause,
                Act.SPLIT_RECORDING: saving.split_recording,
                Act.SNAPSHOT: lambda: saving.save_snapshot(view.result()),
                Act.EXPORT: self.exporter.ask,
                Act.FIT: view.fit,
                Act.ZOOM_IN: lambda: view.zoom(WHEEL_ZOOM),
                Act.ZOOM_OUT: lambda: view.zoom(1 / WHEEL_ZOOM),
                Act.FULLSCREEN: lambda: self.set_fullscreen(not self.isFullScreen()),
                Act.LEAVE: lambda: self.set_fullscreen(False),
                Act.PANEL: lambda: self.docks.toggle(Part.SIDE),
                Act.PLOTS: lambda: self.docks.toggle(Part.PLOTS),
                Act.TABLE: lambda: self.docks.toggle(Part.TABLE),
                Act.KEYS: lambda: KeysDialog(self, self.key_bindings).open(),
                Act.QUIT: self.close,
            }
        )
        self.actions_of_keys.handle(self.timeline.acts)
        run = self.actions_of_keys.run
        self.top_bar.asked.connect(run)
        self.status_bar.asked.connect(run)
        self.docks.wanted_changed.connect(self._on_wanted_changed)
        self.transport.asked.connect(run)
        self.actions_of_keys.done.connect(self.bridge.refresh)
        self.key_bindings.changed.connect(self.actions_of_keys.take_keys)
        self.key_bindings.changed.connect(lambda before: refresh_tooltips(self, before))

    def _connect_menus(self) -> None:
        run, opener, memory, bar = self.actions_of_keys.run, self.opener, self.memory, self.top_bar
        self.turning = Turning(
            self.session,
            self._remembered,
            self.view,
            self.bridge.playback,
            lambda: self.saving.recorded_s is not None,
        )
        self.picture = PictureLink(self.panes, self.actions_of_keys, self.turning)
        SourceMenu(bar.source.popup, opener, memory, self.turning, run)
        SettingsMenu(bar.settings_menu, self.panes, self.session, self.saving, memory, run)
        ModelMenu(
            bar.model.popup,
            opener,
            self.everyday,
            memory,
            run,
            partial(add_compare_menu, opener),
        )
        self.view.card_pressed.connect(self._on_card_pressed)

    def set_fullscreen(self, wanted: bool) -> None:
        """Show the video alone on the whole screen, or return to the window."""
        bars = (self.top_bar, self.status_bar, self.panes.notices)
        set_fullscreen(self, self.docks, bars, wanted)

    def _open_all(self, texts: list[str], open_one: Callable[[str], None]) -> None:
        open_dropped(texts, open_one, self.several_asked.emit, self.panes.say)

    def _ask_for_url(self) -> None:
        dialog = UrlDialog(self)
        dialog.chosen.connect(self.opener.choose_source)
        dialog.open()

    def _on_wanted_changed(self) -> None:
        self.status_bar.show_plots(are_open=self.docks.wanted()[Part.PLOTS])

    def _on_card_pressed(self, key: str) -> None:
        presses = {
            "camera": self.opener.open_camera,
            "file": lambda: self.actions_of_keys.run(Act.OPEN_FILE),
            "demo": lambda: self.opener.choose_source("demo"),
            "model": lambda: self.actions_of_keys.run(Act.OPEN_MODEL),
            "retry": self.session.reopen,
            "cancel": self.session.close_source,
        }
        presses[key]()
