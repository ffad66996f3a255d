"""Menus of sources, filled each time they open, as cameras and screens come and go."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QMenu

from kpviewer.gui.controllers.menus.camera_formats import fill_format_menu, read_format
from kpviewer.gui.controllers.menus.recent_items import add_recent
from kpviewer.gui.controllers.opener import Opener
from kpviewer.gui.controllers.turning import Turning
from kpviewer.gui.controllers.window_memory import WindowMemory
from kpviewer.gui.keys import Act, with_key
from kpviewer.gui.language import tr
from kpviewer.gui.opening.cameras import CameraFinder, Device, Devices
from kpviewer.gui.opening.driver_formats import driver_formats
from kpviewer.gui.settings.recent import kept_source
from kpviewer.gui.widgets.menu_entries import add_entry, add_note, add_submenu
from kpviewer.sources.naming import CameraRequest, parse_camera

ACTS = (
    ("file", Act.OPEN_FILE),
    ("folder", Act.OPEN_FOLDER),
    ("camera", Act.OPEN_URL),
    ("paste", Act.PASTE),
)
"""Icons and acts of the entries that ask for a source."""


class DeviceMenu(QObject):
    """Menu that is filled each time it opens, with the devices that are there.

    ``fill`` fills the empty menu; it gets None while the devices are being looked for.
    """

    def __init__(
        self,
        menu: QMenu,
        cameras: CameraFinder,
        memory: WindowMemory,
        choose: Callable[[str], None],
        ask: Callable[[Act], None],
        fill: Callable[[Devices | None], None],
    ) -> None:
        super().__init__(menu)
        self._menu, self._memory = menu, memory
        self._cameras, self._choose, self._ask, self._fill = cameras, choose, ask, fill
        menu.aboutToShow.connect(self._on_about_to_show)

    def add_sources(
        self,
        devices: Devices | None,
        acts: Iterable[tuple[str, Act]],
        present: str = "",
        add_formats: Callable[[], None] = lambda: None,
    ) -> None:
        """Add the demo, devices, recent sources, and entries that ask for others.

        Args:
            devices: cameras and screens; None while they are being looked for.
            acts: icons and acts of the last entries.
            present: recent source that is ticked.
            add_formats: adds entries after the cameras.
        """
        menu, choose = self._menu, self._choose
        add_entry(menu, tr("Demo"), partial(choose, "demo"), "demo")
        menu.addSeparator()
        for camera in devices.cameras if devices is not None else ():
            add_entry(menu, camera.name, partial(choose, camera.source), "camera")
        if devices is None or not devices.cameras:
            text = tr("Looking for cameras …") if devices is None else tr("No camera found")
            add_note(menu, text, "camera")
        add_formats()
        for screen in devices.screens if devices is not None else ():
            add_entry(menu, screen.name, partial(choose, screen.source), "panel")
        menu.addSeparator()
        add_recent(menu, "file", self._memory.recent_sources(), choose, present)
        for name, act in acts:
            more = "" if act is Act.PASTE else "…"  # a dialog follows
            label = with_key(act, f"{tr(act.value.text)}{more}")
            add_entry(menu, label, partial(self._ask, act), name)

    def _on_about_to_show(self) -> None:
        """Show the devices that were found last, then search and update the menu."""
        shown = self._cameras.known
        self._refill(shown)
        self._cameras.ask(lambda found: None if found == shown else self._refill(found))

    def _refill(self, devices: Devices | None) -> None:
        self._menu.clear()
        self._fill(devices)


class SourceMenu:
    """Menu with devices, recent sources, entries that open others, and turns of the image."""

    def __init__(
        self,
        menu: QMenu,
        opener: Opener,
        memory: WindowMemory,
        turning: Turning,
        ask: Callable[[Act], None],
    ) -> None:
        self._menu, self._opener, self._memory, self._turning = menu, opener, memory, turning
        choose = opener.choose_source
        self._devices = DeviceMenu(menu, opener.cameras, memory, choose, ask, self._fill)

    def _fill(self, devices: Devices | None) -> None:
        present = kept_source(self._opener.session.source_text or "") or ""
        acts = (*ACTS, ("labels", Act.OPEN_GROUND_TRUTH))
        self._devices.add_sources(devices, acts, present, partial(self._add_formats, devices))
        self._turning.add_to(self._menu)

    def _add_formats(self, devices: Devices | None) -> None:
        """Offer the formats of the open camera."""
        camera = self._open_camera(devices)
        if camera is None:
            return
        formats = add_submenu(self._menu, tr("Camera format"), "settings")
        kept = self._memory.store.current.camera_formats.get(camera.id)
        fill_format_menu(
            formats,
            read_format(kept),
            self._opener.session.info,
            driver_formats(camera),
            partial(self._use_format, camera),
        )

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
