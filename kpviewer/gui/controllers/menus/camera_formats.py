"""Menu of the formats that a camera can be asked for.

It lists the formats of the camera's driver. Without that list, the menu offers usual sizes, rates
and pixel formats. The format that the camera delivers now is its first line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from PyQt6.QtWidgets import QMenu

from kpviewer.gui.language import tr
from kpviewer.gui.widgets.menu_entries import add_entry, add_note, add_submenu
from kpviewer.sources.naming import CameraRequest, parse_camera
from kpviewer.structures import StreamInfo

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
