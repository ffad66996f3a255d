"""Menus of sources, with formats of the open camera and turns of the image, and of second models.

The formats are those of the camera's driver. Without that list, the menu offers usual sizes, rates
and pixel formats. The format that the camera delivers now is its first line.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from PyQt6.QtWidgets import QMenu

from kpviewer.gui.controllers.device_menu import ACTS, DeviceMenu
from kpviewer.gui.controllers.recent_items import add_recent
from kpviewer.gui.controllers.window_memory import WindowMemory
from kpviewer.gui.keys import Act
from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.main_window.opener import Opener
from kpviewer.gui.main_window.turning import Turning
from kpviewer.gui.opening.cameras import Device, Devices, driver_formats
from kpviewer.gui.opening.model_names import shipped_models, title_of
from kpviewer.gui.settings.recent import Recent, kept_source
from kpviewer.gui.views.dialogs.questions import ask_for_model
from kpviewer.gui.widgets.menu_entries import add_entry, add_note, add_submenu
from kpviewer.sources.naming import CameraRequest, parse_camera
from kpviewer.structures import StreamInfo


class SourceMenu(DeviceMenu):
    """Menu with devices, recent sources, entries that open others, and turns of the image."""

    def __init__(
        self,
        menu: QMenu,
        opener: Opener,
        memory: WindowMemory,
        turning: Turning,
        ask: Callable[[Act], None],
    ) -> None:
        super().__init__(menu, opener.cameras, memory, opener.choose_source, ask)
        self._opener, self._turning = opener, turning

    def _fill(self, devices: Devices | None) -> None:
        present = kept_source(self._opener.session.source_text or "") or ""
        acts = (*ACTS, ("labels", Act.OPEN_GROUND_TRUTH))
        self._add_sources(devices, acts, present, partial(self._add_formats, devices))
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


SIZES = ((320, 240), (640, 480), (800, 600), (1280, 720), (1280, 960), (1920, 1080), (3840, 2160))
RATES = (15.0, 24.0, 25.0, 30.0, 50.0, 60.0, 120.0)
PIXELS = ("MJPG", "YUYV", "NV12", "H264")
"""FourCC codes of pixel formats."""

Choose = Callable[[CameraRequest | None], None]


def read_format(text: str | None) -> CameraRequest | None:
    """Parse a remembered format; return None if it is not valid."""
    named = parse_camera(f"0:{text}") if text else None
    return named.request if named is not None else None


def fill_format_menu(
    menu: QMenu,
    asked: CameraRequest | None,
    given: StreamInfo | None,
    offered: Sequence[CameraRequest],
    choose: Choose,
) -> None:
    """Fill the menu with the formats that a camera offers; the requested one has a tick."""
    menu.clear()
    if given is not None:
        fps = f" @ {given.nominal_fps:.4g}" if given.nominal_fps else ""
        add_note(menu, tr("Now {format}").format(format=f"{given.width}×{given.height}{fps}"))
    add_entry(menu, tr("Automatic"), partial(choose, None), is_on=asked is None)
    if offered:
        _add_offered(menu, asked, offered, choose)
    else:
        _add_usual(menu, asked, choose)


def _add_offered(
    menu: QMenu, asked: CameraRequest | None, offered: Sequence[CameraRequest], choose: Choose
) -> None:
    """Add a submenu for each pixel format: a camera may have dozens of sizes and rates in each."""
    menu.addSeparator()
    for fourcc in dict.fromkeys(each.fourcc for each in offered):
        sizes = add_submenu(menu, fourcc)
        for each in offered:
            if each.fourcc == fourcc:
                text = f"{each.width}×{each.height} @ {each.fps:g}"
                add_entry(sizes, text, partial(choose, each), is_on=each == asked)


def _add_usual(menu: QMenu, asked: CameraRequest | None, choose: Choose) -> None:
    now = asked or CameraRequest()
    rate = tr("{rate:g} frames a second")
    for group in (
        [(f"{w}×{h}", replace(now, width=w, height=h)) for w, h in SIZES],
        [(rate.format(rate=fps), replace(now, fps=fps)) for fps in RATES],
        [(fourcc, replace(now, fourcc=fourcc)) for fourcc in PIXELS],
    ):
        menu.addSeparator()
        for text, wanted in group:
            add_entry(menu, text, partial(choose, wanted), is_on=wanted == asked)


VARIANTS = {
    "torch": tr_noop("in torch"),
    "openvino": tr_noop("in OpenVINO"),
    "fp32": tr_noop("in single precision (fp32)"),
    "bf16": tr_noop("in half precision (bf16)"),
    "fp16": tr_noop("in half precision (fp16)"),
    "int8": tr_noop("in 8-bit integers (int8)"),
}


def add_compare_menu(opener: Opener, menu: QMenu, recent: Recent) -> None:
    """Add the submenu to the menu of models."""
    compare = opener.compare_with
    menu.addSeparator()
    submenu = add_submenu(menu, tr("Compare with…"), "model")
    if opener.compare.is_on:
        add_entry(submenu, tr("Stop comparing"), opener.compare.stop)
        submenu.addSeparator()
    loaded = opener.models.loaded
    for name, _classes in shipped_models():
        if loaded is None or name != loaded.model:  # with itself nothing differs
            add_entry(submenu, title_of(name) or name, partial(compare, name))
    add_recent(submenu, "model", recent, compare, title_of=title_of)
    submenu.addSeparator()
    add_note(submenu, tr("The same model"))
    for variant, text in VARIANTS.items():
        add_entry(submenu, tr(text), partial(compare, variant))
    submenu.addSeparator()
    parent = menu.parentWidget() or menu
    add_entry(submenu, tr("Open model…"), lambda: compare(ask_for_model(parent, recent)))
