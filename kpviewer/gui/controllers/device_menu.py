"""Menu of devices and recent sources, filled each time it opens, as devices come and go."""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from functools import partial

from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QMenu

from kpviewer.gui.controllers.recent_items import add_recent
from kpviewer.gui.controllers.window_memory import WindowMemory
from kpviewer.gui.keys import Act, with_key
from kpviewer.gui.language import tr
from kpviewer.gui.opening.cameras import CameraFinder, Devices
from kpviewer.gui.widgets.menu_entries import add_entry, add_note

ACTS = (
    ("file", Act.OPEN_FILE),
    ("folder", Act.OPEN_FOLDER),
    ("camera", Act.OPEN_URL),
    ("paste", Act.PASTE),
)
"""Icons and acts of the entries that ask for a source."""


class DeviceMenu(QObject):
    """Menu that is filled each time it opens, with the devices that are there."""

    def __init__(
        self,
        menu: QMenu,
        cameras: CameraFinder,
        memory: WindowMemory,
        choose: Callable[[str], None],
        ask: Callable[[Act], None],
    ) -> None:
        super().__init__(menu)
        self._menu, self._memory = menu, memory
        self._cameras, self._choose, self._ask = cameras, choose, ask
        menu.aboutToShow.connect(self._on_about_to_show)

    @abstractmethod
    def _fill(self, devices: Devices | None) -> None:
        """Fill the empty menu; ``devices`` is None while they are being looked for."""

    def _add_sources(
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
