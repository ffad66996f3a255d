"""Menu of settings: theme, language, panels, folder, profiles, keys, About."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QFileDialog, QInputDialog, QMenu, QWidget

from kpviewer.gui.about import AboutDialog, versions
from kpviewer.gui.keys import Act, with_key
from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.panels.view_menu import add_view_menu
from kpviewer.gui.panes import PanelPanes
from kpviewer.gui.saving.target import RecordingTarget
from kpviewer.gui.settings.language_menu import add_language_menu
from kpviewer.gui.settings.memory import WindowMemory
from kpviewer.gui.settings.recent import add_heading
from kpviewer.gui.settings.shown import Detecting
from kpviewer.gui.widgets.plain_text import plain_tip, without_mnemonic
from kpviewer.gui.widgets.theme import ThemeChoice

THEMES = {
    ThemeChoice.SYSTEM: tr_noop("As the system"),
    ThemeChoice.DARK: tr_noop("Dark"),
    ThemeChoice.LIGHT: tr_noop("Light"),
}


class SettingsMenu(QObject):
    """Fills the menu each time it opens."""

    def __init__(
        self,
        menu: QMenu,
        panes: PanelPanes,
        session: Detecting,
        saving: RecordingTarget,
        memory: WindowMemory,
        run: Callable[[Act], None],
    ) -> None:
        super().__init__(menu)
        self._run = run
        self._menu, self._panes, self._parent = menu, panes, panes.docks
        self._session, self._saving, self._memory = session, saving, memory
        menu.aboutToShow.connect(self._fill)

    def _fill(self) -> None:
        menu, memory = self._menu, self._memory
        menu.clear()
        menu.setToolTipsVisible(True)
        themes = menu.addMenu(tr("Theme"))
        for choice, text in THEMES.items():
            if themes is not None:
                take = partial(memory.set_theme, choice.value)
                _add(themes, tr(text), take, choice is memory.theme)
        add_language_menu(menu, memory.store, self._panes.say)
        add_view_menu(menu, self._panes.docks)
        menu.addSeparator()
        if (scan := memory.scan) is not None:
            tip = tr("While a file is paused, run the model over the rest of it")
            change = partial(setattr, scan, "runs_when_idle", not scan.runs_when_idle)
            _add(menu, tr("Scan while paused"), change, scan.runs_when_idle, tip)
        folder = tr("Folder for recordings…")
        _add(menu, folder, self._ask_for_folder, tip=str(self._saving.folder))
        menu.addSeparator()
        self._add_profiles()
        menu.addSeparator()
        keys = with_key(Act.KEYS, tr(Act.KEYS.value.text))
        _add(menu, keys, partial(self._run, Act.KEYS))
        _add(menu, tr("About kpviewer"), self._open_about)

    def _add_profiles(self) -> None:
        menu, memory = self._menu, self._memory
        add_heading(menu, tr("Profiles"))
        names = memory.store.profiles()
        for name in names:
            tip = tr("Load the profile {name}").format(name=name)
            _add(menu, name, partial(memory.load_profile, name), tip=tip)
        if not names:
            _add(menu, tr("No profile yet")).setEnabled(False)
        save = _add(menu, tr("Save as profile…"), self._ask_for_name)
        save.setEnabled(memory.store.has_folder)
        delete = menu.addMenu(tr("Delete profile"))
        if delete is not None:
            delete.setEnabled(bool(names))
            for name in names:
                _add(delete, name, partial(memory.delete_profile, name))

    def _open_about(self) -> None:
        AboutDialog(versions(self._session.engine), self._parent).open()

    def _ask_for_name(self) -> None:
        names = self._memory.store.profiles()
        title = tr("Save as profile")
        hint = tr("Name (an existing profile is replaced):") if names else tr("Name:")
        name, is_meant = QInputDialog.getItem(self._parent, title, hint, ["", *names], 0, True)
        if is_meant and name.strip():
            self._memory.save_profile(name.strip())

    def _ask_for_folder(self) -> None:
        folder = ask_for_recordings_folder(self._parent, self._saving)
        if folder:
            self._saving.folder = Path(folder)
            self._panes.say(tr("Recordings go to {folder}").format(folder=folder))


def ask_for_recordings_folder(parent: QWidget, saving: RecordingTarget) -> str:
    """Return the folder that the user chooses; empty if they choose none."""
    # A dialog on a folder that doesn't answer would freeze the window.
    start = Path.home() if saving.watch.is_silent else saving.folder
    return QFileDialog.getExistingDirectory(parent, tr("Folder for recordings"), str(start))


def _add(
    menu: QMenu,
    text: str,
    run: Callable[[], None] | None = None,
    is_on: bool | None = None,
    tip: str = "",
) -> QAction:
    """Add an entry; with ``is_on`` it is checkable."""
    action = QAction(without_mnemonic(text), menu)
    action.setToolTip(plain_tip(tip))
    if is_on is not None:
        action.setCheckable(True)
        action.setChecked(is_on)
    if run is not None:
        action.triggered.connect(lambda _checked: run())
    menu.addAction(action)
    return action
