"""Menu of settings: theme, language, panels, folder, profiles, keys, About."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QInputDialog, QMenu

from kpviewer.gui.controllers.window_memory import WindowMemory
from kpviewer.gui.keys import Act, with_key
from kpviewer.gui.language import languages, tr, tr_noop
from kpviewer.gui.saving.target import RecordingTarget
from kpviewer.gui.session.base import AnySession
from kpviewer.gui.views.dialogs.about import AboutDialog, versions
from kpviewer.gui.views.dialogs.questions import ask_for_recordings_folder
from kpviewer.gui.views.panels.docks import PLACES, DockArea
from kpviewer.gui.views.panes import AnyPanes
from kpviewer.gui.widgets.menu_entries import add_entry, add_note, add_submenu
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
        panes: AnyPanes,
        session: AnySession,
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
        themes = add_submenu(menu, tr("Theme"))
        for choice, text in THEMES.items():
            take = partial(memory.shown.set_theme, choice.value)
            add_entry(themes, tr(text), take, is_on=choice is memory.shown.theme)
        known, language = languages(), memory.store.current.language
        submenu = add_submenu(menu, tr("Language"))
        for code, name in ((None, tr("As the system")), *known.items()):
            is_chosen = code == (language if language in known else None)
            add_entry(submenu, name, partial(self._set_language, code), is_on=is_chosen)
        add_panels_menu(menu, self._panes.docks)
        menu.addSeparator()
        if (scan := memory.shown.scan) is not None:
            tip = tr("While a file is paused, run the model over the rest of it")
            change = partial(setattr, scan, "runs_when_idle", not scan.runs_when_idle)
            is_on = scan.runs_when_idle
            add_entry(menu, tr("Scan while paused"), change, is_on=is_on, tip=tip)
        folder = tr("Folder for recordings…")
        add_entry(menu, folder, self._ask_for_folder, tip=str(self._saving.folder))
        menu.addSeparator()
        self._add_profiles()
        menu.addSeparator()
        add_entry(menu, with_key(Act.KEYS), partial(self._run, Act.KEYS))
        add_entry(menu, tr("About kpviewer"), self._open_about)

    def _add_profiles(self) -> None:
        menu, memory = self._menu, self._memory
        add_note(menu, tr("Profiles"))
        names = memory.store.profiles()
        for name in names:
            tip = tr("Load the profile {name}").format(name=name)
            add_entry(menu, name, partial(memory.load_profile, name), tip=tip)
        if not names:
            add_note(menu, tr("No profile yet"))
        save = add_entry(menu, tr("Save as profile…"), self._ask_for_name)
        save.setEnabled(memory.store.has_folder)
        delete = add_submenu(menu, tr("Delete profile"))
        delete.setEnabled(bool(names))
        for name in names:
            add_entry(delete, name, partial(memory.delete_profile, name))

    def _set_language(self, code: str | None) -> None:
        self._memory.store.edit(lambda settings: replace(settings, language=code))
        self._panes.say(tr("The language changes at the next start."))

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


def add_panels_menu(menu: QMenu, docks: DockArea) -> None:
    """Add the submenu with the current state."""
    view = add_submenu(menu, tr("Panels"))
    view.setToolTipsVisible(True)
    for part, is_wanted in docks.wanted().items():
        place = PLACES[part]
        toggle = partial(docks.set_wanted, part, wanted=not is_wanted)
        add_entry(view, with_key(place.act, tr(place.title)), toggle, is_on=is_wanted)
    view.addSeparator()
    move = partial(docks.set_movable, movable=not docks.are_movable)
    tip = tr("Give each panel a title bar to drag, float and close it")
    add_entry(view, tr("Move panels"), move, is_on=docks.are_movable, tip=tip)
    tip = tr("Return all panels to their default positions")
    add_entry(view, tr("Reset panels"), docks.reset, tip=tip)
