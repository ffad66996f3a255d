"""The window: it makes the widgets, lays them out, and folds them when there is little room."""

from __future__ import annotations

from dataclasses import replace

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QCloseEvent, QGuiApplication, QResizeEvent
from PyQt6.QtWidgets import QMainWindow

from kpviewer.gui.actions import Actions
from kpviewer.gui.bridge import Bridge
from kpviewer.gui.comparing.link import CompareLink
from kpviewer.gui.comparing.menu import add_compare_menu
from kpviewer.gui.keys import Act
from kpviewer.gui.keys_dialog import KeysDialog
from kpviewer.gui.language import tr
from kpviewer.gui.menus import DEVICES, fill_device_menu, fill_model_menu
from kpviewer.gui.opening.cameras import CameraFinder
from kpviewer.gui.opening.clipboard import paste_into, use_truth
from kpviewer.gui.opening.code_question import may_open
from kpviewer.gui.opening.dialogs import (
    ask_for_file,
    ask_for_folder,
    ask_for_model,
    ask_for_truth,
)
from kpviewer.gui.opening.dropping import DropTarget
from kpviewer.gui.opening.permission import CodePermission
from kpviewer.gui.opening.source_menu import SourceMenu
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.panels.docks import DockArea, Part, column_of
from kpviewer.gui.panels.plots_panel import FOLDED_HEIGHT, PlotsPanel
from kpviewer.gui.panels.side_panel import JUDGE, SidePanel
from kpviewer.gui.panels.status_bar import StatusBar
from kpviewer.gui.panels.top_bar import TopBar
from kpviewer.gui.panels.transport import TransportBar
from kpviewer.gui.saving.link import RecordingLink
from kpviewer.gui.saving.saving import Saving
from kpviewer.gui.session import Session
from kpviewer.gui.settings.memory import WindowMemory
from kpviewer.gui.settings.profiles import fill_settings_menu
from kpviewer.gui.settings.recall import Recall
from kpviewer.gui.settings.store import SettingsStore
from kpviewer.gui.table.link import TableLink
from kpviewer.gui.table.panel import TablePanel
from kpviewer.gui.video.pair_view import PairView
from kpviewer.gui.video.video_view import WHEEL_ZOOM, VideoView
from kpviewer.gui.widgets.icons import icon
from kpviewer.gui.widgets.theme import ThemeManager
from kpviewer.runtime.abandoned import wait_for_stragglers

ROOMY_WH = (1340, 780)
"""Windows smaller than this show one plot at a time."""
START_WH = (1360, 860)
LOADERS_S = 0.5
"""At the end, for what loads and may be about to end by itself."""


class MainWindow(QMainWindow):
    """Owns the widgets, the session behind them and the bridge between."""

    closing = pyqtSignal()
    """The window is about to go: what happens from now on is bounded."""
    finishing = pyqtSignal(bool)
    """Whether the files of a recording are being finished, which may take more time."""

    def __init__(self, options: ViewerOptions, themes: ThemeManager) -> None:
        super().__init__()
        self.setWindowTitle("kpviewer")
        self.setWindowIcon(icon("model"))
        self.resize(_fitting_size())
        self.setMinimumSize(760, 520)
        self.top_bar, self.view, self.transport = TopBar(), VideoView(), TransportBar()
        self.side_panel, self.status_bar = SidePanel(), StatusBar()
        self.plots = PlotsPanel(themes.theme)
        self.table, self.pair = TablePanel(), PairView(self.view)
        self.docks = self._lay_out()
        self._recall = Recall(SettingsStore(options.settings_folder, options.profile), options)
        # Before anything is recalled: what the command line names, it may run.
        self._permission = CodePermission((options.model, options.compare or ""))
        options = replace(self._recall.fill(options), permission=self._permission)
        self.session = Session(options)
        self.cameras = CameraFinder()
        DropTarget(self)
        self.saving = Saving(self.session, options.folder, with_results=options.with_results)
        self.compare = CompareLink(
            options, self.session, self.view, self.pair, self.side_panel.compare
        )
        self.bridge = Bridge(self, self.session, self.saving)
        table = TableLink(self.table, self.view, self.session)
        table.told.connect(self.status_bar.show_message)
        self.table.export_asked.connect(lambda: table.export(self.saving.save))
        self.actions_of_keys = Actions(self)
        self._connect_acts()
        self._connect_menus()
        self.side_panel.curves.set_theme(themes.theme)
        self.side_panel.error.demo_asked.connect(lambda: self.choose_source("demo"))
        themes.changed.connect(lambda: self.plots.set_theme(themes.theme))
        themes.changed.connect(lambda: self.side_panel.curves.set_theme(themes.theme))
        self.memory = WindowMemory(self, self._recall, options, themes)
        self.memory.told.connect(self.status_bar.show_message)
        self._recording_link = RecordingLink(self.side_panel.recording, self.saving)
        settings_menu = self.top_bar.settings.menu()
        if settings_menu is not None:
            settings_menu.aboutToShow.connect(lambda: fill_settings_menu(settings_menu, self))

    def begin(self, options: ViewerOptions) -> None:
        """Open the source and load the model, once the window is on the screen."""
        options = self._recall.fill(options)
        self.session.open(options.source)
        self.choose_model(options.model)
        self.compare_with(options.compare or "")
        self.top_bar.device.set_choice(tr(DEVICES.get(options.device, options.device)))
        self.saving.recover_leftovers()
        if options.record is not None:
            self.saving.record_from_start(options.record)

    def choose_source(self, text: str) -> None:
        """Watch another source; an empty text is a dialog that was left."""
        if text:
            self.cameras.drop()
            self.session.open(text)

    def try_source(self, text: str) -> None:
        """Watch another source if there is one of that name; else the present one goes on."""
        self.cameras.drop()
        self.session.try_open(text)

    def choose_model(self, name: str) -> None:
        """Take another model; an empty name is a dialog that was left."""
        if name and may_open(self, self._permission, name):
            self.session.models.load(name)
            self.top_bar.model.set_choice(name)

    def compare_with(self, text: str) -> None:
        """Compare with a second model; an empty name is a dialog that was left."""
        if not may_open(self, self._permission, text):
            return
        loaded = self.session.models.loaded
        first = self.session.models.loading or (loaded.model if loaded is not None else "")
        self.compare.start(text, first)
        if text:
            self.side_panel.set_tab(JUDGE)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Fold the plots before the video gets too small."""
        super().resizeEvent(event)
        was_folded = self.plots.is_folded()
        self.plots.set_folded(self.width() < ROOMY_WH[0] or self.height() < ROOMY_WH[1])
        if self.plots.is_folded() is not was_folded:
            self.docks.fit_height(Part.PLOTS, FOLDED_HEIGHT)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Hide at once, finish the recording, and wait for threads; what hangs is let go."""
        self.closing.emit()
        self.hide()
        self.memory.close()
        self.bridge.stop()
        self.saving.stop_recording()
        self.view.clear()
        self.session.close()
        self.finishing.emit(True)
        self.saving.close()
        self.finishing.emit(False)
        self._recording_link.close()
        self.compare.close()
        self.cameras.close()
        wait_for_stragglers(LOADERS_S)
        super().closeEvent(event)

    def _lay_out(self) -> DockArea:
        docks = DockArea(
            column_of(self.pair, self.transport, stretch=0),
            {Part.SIDE: self.side_panel, Part.PLOTS: self.plots, Part.TABLE: self.table},
        )
        self.setCentralWidget(column_of(self.top_bar, docks, self.status_bar, stretch=1))
        return docks

    def _connect_acts(self) -> None:
        playback, saving, view = self.bridge.playback, self.saving, self.view
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
                Act.REPEAT: playback.mark,
                Act.OPEN_FILE: lambda: self.choose_source(
                    ask_for_file(self, self.memory.recent_sources())
                ),
                Act.OPEN_FOLDER: lambda: self.choose_source(
                    ask_for_folder(self, self.memory.recent_sources())
                ),
                Act.PASTE: lambda: paste_into(self),
                Act.OPEN_TRUTH: lambda: use_truth(
                    self, ask_for_truth(self, self.session.source_text)
                ),
                Act.OPEN_MODEL: lambda: self.choose_model(
                    ask_for_model(self, self.memory.recent_models())
                ),
                Act.RECORD: saving.toggle_recording,
                Act.PAUSE_RECORDING: saving.toggle_pause,
                Act.SPLIT_RECORDING: saving.split_recording,
                Act.SNAPSHOT: lambda: saving.save_snapshot(view.result()),
                Act.FIT: view.fit,
                Act.ZOOM_IN: lambda: view.zoom(WHEEL_ZOOM),
                Act.ZOOM_OUT: lambda: view.zoom(1 / WHEEL_ZOOM),
                Act.FULLSCREEN: lambda: self.set_fullscreen(not self.isFullScreen()),
                Act.LEAVE: lambda: self.set_fullscreen(False),
                Act.PANEL: lambda: self.docks.toggle(Part.SIDE),
                Act.PLOTS: lambda: self.docks.toggle(Part.PLOTS),
                Act.TABLE: lambda: self.docks.toggle(Part.TABLE),
                Act.KEYS: lambda: KeysDialog(self).open(),
                Act.QUIT: lambda: (self.close(), None)[1],
            }
        )
        run = self.actions_of_keys.run
        self.top_bar.asked.connect(run)
        self.transport.asked.connect(run)
        self.actions_of_keys.done.connect(self.bridge.refresh)

    def _connect_menus(self) -> None:
        run = self.actions_of_keys.run
        self.sources = SourceMenu(self)
        model_menu = self.top_bar.model.menu()
        if model_menu is not None:
            model_menu.aboutToShow.connect(
                lambda: fill_model_menu(
                    model_menu, self.choose_model, run, self.memory.recent_models()
                )
            )
            model_menu.aboutToShow.connect(lambda: add_compare_menu(model_menu, self))
        device_menu = self.top_bar.device.menu()
        if device_menu is not None:
            device_menu.aboutToShow.connect(
                lambda: fill_device_menu(device_menu, self.session.models)
            )
        self.view.card_pressed.connect(self._on_card_pressed)

    def set_fullscreen(self, wanted: bool) -> None:
        """Give the whole screen to the video, or go back."""
        if wanted != self.isFullScreen():
            state = self.windowState()
            self.setWindowState(
                state | Qt.WindowState.WindowFullScreen
                if wanted
                else state & ~Qt.WindowState.WindowFullScreen
            )
        for bar in (self.top_bar, self.status_bar):
            bar.setVisible(not wanted)
        self.docks.set_clean(is_clean=wanted)

    def _on_card_pressed(self, key: str) -> None:
        presses = {
            "camera": self.sources.open_camera,
            "file": lambda: self.actions_of_keys.run(Act.OPEN_FILE),
            "demo": lambda: self.choose_source("demo"),
            "model": lambda: self.actions_of_keys.run(Act.OPEN_MODEL),
            "retry": self.session.reopen,
            "cancel": self.session.close_source,
        }
        presses[key]()


def _fitting_size() -> QSize:
    """Give the size to start with: never larger than the screen."""
    size, screen = QSize(*START_WH), QGuiApplication.primaryScreen()
    frame_px = 40
    if screen is not None:
        size = size.boundedTo(screen.availableSize() - QSize(0, frame_px))
    return size
