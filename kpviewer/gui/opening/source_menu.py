"""Menu of sources, filled each time it opens, as cameras and screens come and go."""

from __future__ import annotations

from functools import partial

from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QMenu

from kpviewer.gui.keys import Act, with_key
from kpviewer.gui.language import tr
from kpviewer.gui.menus import Ask, add_note, add_to
from kpviewer.gui.opening.camera_formats import fill_format_menu, read_format
from kpviewer.gui.opening.cameras import Device, Devices
from kpviewer.gui.opening.driver_formats import driver_formats
from kpviewer.gui.opening.opener import Opener
from kpviewer.gui.opening.turning import Turning
from kpviewer.gui.settings.memory import WindowMemory
from kpviewer.gui.settings.recent import add_recent, kept_source
from kpviewer.gui.widgets.icons import icon
from kpviewer.gui.widgets.plain_text import without_mnemonic
from kpviewer.sources.naming import CameraRequest, parse_camera

ENTRIES = (
    ("file", Act.OPEN_FILE),
    ("folder", Act.OPEN_FOLDER),
    ("camera", Act.OPEN_URL),
    ("paste", Act.PASTE),
    ("labels", Act.OPEN_GROUND_TRUTH),
)


class SourceMenu(QObject):
    """Fills the menu with devices, recent sources, and entries that open others."""

    def __init__(
        self, menu: QMenu, opener: Opener, memory: WindowMemory, turning: Turning, ask: Ask
    ) -> None:
        super().__init__(menu)
        self._menu, self._opener, self._memory, self._ask = menu, opener, memory, ask
        self._turning = turning
        menu.aboutToShow.connect(self._on_about_to_show)

    def _on_about_to_show(self) -> None:
        """Show the devices that were found last, then search and update the menu."""
        shown = self._opener.cameras.known
        self._fill(shown)
        self._opener.cameras.ask(lambda found: None if found == shown else self._fill(found))

    def _fill(self, devices: Devices | None) -> None:
        menu, choose = self._menu, self._opener.choose_source
        menu.clear()
        add_to(menu, "demo", tr("Demo"), lambda: choose("demo"))
        menu.addSeparator()
        for camera in devices.cameras if devices is not None else ():
            add_to(menu, "camera", without_mnemonic(camera.name), partial(choose, camera.source))
        if devices is None or not devices.cameras:
            text = tr("Looking for cameras …") if devices is None else tr("No camera found")
            add_note(menu, text, "camera")
        self._add_formats(devices)
        for screen in devices.screens if devices is not None else ():
            add_to(menu, "panel", without_mnemonic(screen.name), partial(choose, screen.source))
        menu.addSeparator()
        present = kept_source(self._opener.session.source_text or "") or ""
        add_recent(menu, "file", self._memory.recent_sources(), choose, present)
        for name, act in ENTRIES:
            more = "" if act is Act.PASTE else "…"  # a dialog follows
            label = with_key(act, f"{tr(act.value.text)}{more}")
            add_to(menu, name, label, partial(self._ask, act))
        self._turning.add_to(menu)

    def _add_formats(self, devices: Devices | None) -> None:
        """Offer the formats of the open camera."""
        camera = self._open_camera(devices)
        formats = QMenu(tr("Camera format"), self._menu)
        if camera is None:
            formats.deleteLater()
            return
        kept = self._memory.store.current.camera_formats.get(camera.id)
        fill_format_menu(
            formats,
            read_format(kept),
            self._opener.session.info,
            driver_formats(camera),
            partial(self._use_format, camera),
        )
        formats.setIcon(icon("settings"))
        self._menu.addMenu(formats)

    def _open_camera(self, devices: Devices | None) -> Device | None:
        session = self._opener.session
        if devices is None or session.source_name is None:
            return None
        text = session.source_text
        named = parse_camera(text) if text else None
        if named is not None:
            return next((each for each in devices.cameras if each.source == str(named.index)), None)
        info = session.info
        if text or info is None or not info.is_live:
            return None
        return next((each for each in devices.cameras if each.name == info.name), None)

    def _use_format(self, camera: Device, request: CameraRequest | None) -> None:
        """Remember the format, and reopen the camera with it."""
        self._memory.keep_camera_format(camera.id, request)
        self._opener.choose_source(camera.source)
