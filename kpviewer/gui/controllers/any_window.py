"""What the window of a source and that of a grid have in common: keys, memory, their end."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QCloseEvent
from PyQt6.QtWidgets import QMainWindow, QMenu, QWidget

from kpviewer.config.settings import WindowSettings
from kpviewer.gui.controllers.actions import Actions, refresh_tooltips
from kpviewer.gui.controllers.any_bridge import AnyBridge
from kpviewer.gui.controllers.everyday import EverydayObjects
from kpviewer.gui.controllers.model_menu import ModelMenu
from kpviewer.gui.controllers.opener import ModelOpener
from kpviewer.gui.controllers.recording_link import RecordingLink
from kpviewer.gui.controllers.settings_menu import SettingsMenu
from kpviewer.gui.controllers.shown_settings import IdleScan, ShownSettings
from kpviewer.gui.controllers.window_memory import WindowMemory
from kpviewer.gui.keys import Act
from kpviewer.gui.opening.loaders import Loaders, with_own
from kpviewer.gui.opening.permission import CodePermission
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.saving.target import RecordingTarget
from kpviewer.gui.session.base import AnySession
from kpviewer.gui.settings.key_bindings import KeyBindings
from kpviewer.gui.settings.recent import Recent
from kpviewer.gui.settings.remembered import RememberedSettings
from kpviewer.gui.settings.store import SettingsStore
from kpviewer.gui.views.dialogs.keys_dialog import GESTURES, KeysDialog
from kpviewer.gui.views.dialogs.questions import ask_for_folder, ask_for_model
from kpviewer.gui.views.dialogs.url_dialog import UrlDialog
from kpviewer.gui.views.panels.docks import Part
from kpviewer.gui.views.panes import AnyPanes
from kpviewer.gui.views.window_geometry import (
    LEAST_WH,
    fitting_size,
    geometry_of,
    restore_geometry,
    set_fullscreen,
)
from kpviewer.gui.widgets.icons import icon
from kpviewer.gui.widgets.theme import ThemeManager
from kpviewer.runtime.process.abandoned import wait_for_stragglers

LOADERS_S = 0.5
"""Time at the end for loaders that may be about to finish."""


class AnyWindow(QMainWindow):
    """Base of both windows; they make what they see and run, then call ``_link``."""

    closing = pyqtSignal()
    """Emitted before the window closes: everything after that is bounded in time."""
    finishing = pyqtSignal(bool)
    """Emitted with whether files of recordings are being finished, which may take longer."""
    remembers_docks = True
    """Whether the places of the panels are remembered."""
    gestures = GESTURES
    """Title and lines of the help sheet beside the keys, which can't be changed."""

    panes: AnyPanes
    view: QWidget
    """View of the images, which has the focus."""
    session: AnySession
    saving: RecordingTarget
    opener: ModelOpener
    everyday: EverydayObjects
    bridge: AnyBridge
    actions_of_keys: Actions

    def __init__(
        self, options: ViewerOptions, loaders: Loaders, before: RememberedSettings | None = None
    ) -> None:
        """Prepare; ``before``: settings of the window that this one replaces; None reads them."""
        super().__init__()
        self.setWindowIcon(icon("model"))
        self.resize(fitting_size())
        self.setMinimumSize(fitting_size(LEAST_WH))
        if before is None:
            store = SettingsStore(options.settings_folder, options.profile)
        else:
            store = before.store
        self.key_bindings = KeyBindings(store)  # before the tooltips that name keys
        self.remembered = RememberedSettings(store, options, before)
        # Before anything is recalled: only models that the command line names may run code.
        permission = CodePermission((options.model, options.compare or ""))
        self._loaders = replace(with_own(loaders, options), permission=permission)
        self._options = self.remembered.fill(options)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Hide at once, finish recordings, and wait for threads, in bounded time."""
        self.closing.emit()
        self.hide()
        self.memory.close(self._geometry())
        self.bridge.stop()
        self.saving.stop_recording()
        self._stop_showing()
        self.session.close()
        self.finishing.emit(True)
        self.saving.close()
        self.finishing.emit(False)
        self._close_parts()
        wait_for_stragglers(LOADERS_S)
        super().closeEvent(event)

    def set_fullscreen(self, wanted: bool) -> None:
        """Show the images alone on the whole screen, or return to the window."""
        bars = (self.panes.top_bar, self.panes.status_bar, self.panes.notices)
        set_fullscreen(self, self.panes.docks, bars, wanted)

    @abstractmethod
    def _stop_showing(self) -> None:
        """Let go of the images on the screen, before the session closes."""

    def _close_parts(self) -> None:
        """Close what runs in the background, after the session."""
        self._recording_link.close()
        self.everyday.close()
        self.opener.close()

    def _acts(self) -> dict[Act, Callable[[], object]]:
        """Return the functions of the acts that are the same in both windows."""
        opener, saving = self.opener, self.saving
        return {
            Act.OPEN_FOLDER: lambda: opener.choose_source(
                ask_for_folder(self, self.memory.recent_sources())
            ),
            Act.OPEN_URL: self._ask_for_url,
            Act.OPEN_MODEL: lambda: opener.choose_model(
                ask_for_model(self, self.memory.recent_models())
            ),
            Act.RECORD: saving.toggle_recording,
            Act.PAUSE_RECORDING: saving.toggle_pause,
            Act.SPLIT_RECORDING: saving.split_recording,
            Act.FULLSCREEN: lambda: self.set_fullscreen(not self.isFullScreen()),
            Act.PANEL: lambda: self.panes.docks.toggle(Part.SIDE),
            Act.KEYS: self._show_keys,
            Act.QUIT: self.close,
        }

    def _run(self, act: Act) -> None:
        """Run an act, for parts that are made before the actions."""
        self.actions_of_keys.run(act)

    def _link(
        self,
        themes: ThemeManager,
        handlers: Mapping[Act, Callable[[], object]],
        scan: IdleScan | None = None,
        add_to_models: Callable[[QMenu, Recent], None] | None = None,
    ) -> None:
        """Connect the parts with keys, memory, menus and the panel of recordings.

        Args:
            themes: themes that the menu of settings offers.
            handlers: functions of acts, beside those of both windows.
            scan: scan of the source, if the window has one.
            add_to_models: adds entries to the menu of models, with the recent ones.
        """
        panes, keys = self.panes, self.key_bindings
        acts = self.actions_of_keys = Actions(self, {**self._acts(), **handlers})
        self.bridge.titled.connect(self.setWindowTitle)
        panes.top_bar.asked.connect(acts.run)
        acts.done.connect(self.bridge.refresh)
        keys.changed.connect(acts.take_keys)
        keys.changed.connect(lambda: refresh_tooltips(self))
        kept = self.remembered.store.current.window
        if not self.remembers_docks:
            kept = replace(kept, docks=None)
        restore_geometry(self, panes.docks, kept)
        shown = ShownSettings(panes, self.session, self.saving, themes, scan)
        memory = WindowMemory(shown, self.session, self.remembered, self._options, self)
        memory.told.connect(panes.say)
        memory.thresholds_recalled.connect(self.bridge.use_thresholds)
        memory.model_recalled.connect(self.opener.choose_model)
        panes.side_panel.thresholds_edited.connect(memory.note_after_paint)
        self.session.models.noted.connect(panes.say)
        self.memory = memory
        bar = panes.top_bar
        self._recording_link = RecordingLink(bar.recording, self.saving, self)
        SettingsMenu(bar.settings_menu, panes, self.session, self.saving, memory, acts.run)
        ModelMenu(bar.model.popup, self.opener, self.everyday, memory, acts.run, add_to_models)

    def _geometry(self) -> WindowSettings:
        geometry, kept = geometry_of(self, self.panes.docks), self.memory.store.current.window
        return geometry if self.remembers_docks else replace(geometry, docks=kept.docks)

    def _show_keys(self) -> None:
        KeysDialog(self, self.key_bindings, self.gestures, self.actions_of_keys.acts).open()

    def _ask_for_url(self) -> None:
        dialog = UrlDialog(self)
        dialog.chosen.connect(self.opener.choose_source)
        dialog.open()
