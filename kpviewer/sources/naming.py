"""How cameras and screens are written as a source. Imports nothing heavy.

``0``, ``0:1920x1080``, ``0:1920x1080@60``, ``0:1920x1080@60:MJPG``: a camera, and what to ask of it
``screen``, ``screen:2``, ``screen:2:100,50,640,480``: a screen, or x,y,width,height in it
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from kpviewer.errors import SourceError

_CAMERA = re.compile(
    r"(?P<index>\d{1,4})"
    r"(?::(?P<width>\d{1,5})x(?P<height>\d{1,5})(?:@(?P<fps>\d{1,3}(?:\.\d+)?))?"
    r"(?::(?P<fourcc>[A-Za-z0-9]{4}))?)?",
    re.ASCII,
)
_SCREEN = re.compile(
    r"screen(?::(?P<index>\d{1,4})(?::(?P<part>\d{1,6},\d{1,6},\d{1,6},\d{1,6}))?)?",
    re.I | re.ASCII,
)

FILMS = ("demo", "strip")
"""Sources that kpviewer paints."""


@dataclass(frozen=True, slots=True)
class CameraRequest:
    """What a camera is asked for; it gives what it can."""

    width: int = 1280
    height: int = 720
    fps: float = 30.0
    fourcc: str = "MJPG"
    """Pixel format. Over USB 2 the raw ones have 10 frames a second at 1280x720."""

    def __str__(self) -> str:
        """As it is written behind the camera's number."""
        return f"{self.width}x{self.height}@{self.fps:g}:{self.fourcc}"


@dataclass(frozen=True, slots=True)
class CameraName:
    """A camera as a source names it."""

    index: int
    request: CameraRequest | None
    """None: nothing in particular."""


@dataclass(frozen=True, slots=True)
class ScreenName:
    """A screen as a source names it."""

    index: int = 1
    """From 1; 0 is all screens together."""
    part: tuple[int, int, int, int] | None = None
    """x, y, width, height in px, from the screen's upper left corner; None is all of it."""


def is_camera(text: str) -> bool:
    """Tell whether a source is a camera of this machine."""
    return _CAMERA.fullmatch(text) is not None


def is_screen(text: str) -> bool:
    """Tell whether a source is a screen, be it rightly written or not."""
    return text.lower() == "screen" or text.lower().startswith("screen:")


def path_of(text: str | None) -> Path | None:
    """Return the path that a source may name; None where it names no path."""
    text = (text or "").strip()
    is_other = not text or is_camera(text) or is_screen(text) or "://" in text
    if is_other or text.lower() in FILMS:
        return None
    try:
        return Path(text).expanduser()
    except (RuntimeError, ValueError):  # an unknown ~user
        return None


def parse_camera(text: str) -> CameraName | None:
    """Take the name of a camera apart; None where it is no camera.

    Raises:
        SourceError: if what is asked for can't be.
    """
    found = _CAMERA.fullmatch(text)
    if found is None:
        return None
    if found["width"] is None:
        return CameraName(int(found["index"]), None)
    usual = CameraRequest()
    fps = float(found["fps"]) if found["fps"] else usual.fps
    width, height = int(found["width"]), int(found["height"])
    if not (width and height and fps):
        raise SourceError(f"A camera's format must have no zero in it, got {text}. {_CAMERA_CURE}")
    fourcc = (found["fourcc"] or usual.fourcc).upper()
    return CameraName(int(found["index"]), CameraRequest(width, height, fps, fourcc))


def parse_screen(text: str) -> ScreenName:
    """Take the name of a screen apart.

    Raises:
        SourceError: if it is no such name.
    """
    found = _SCREEN.fullmatch(text)
    part = (
        tuple(int(number) for number in found["part"].split(","))
        if found and found["part"]
        else None
    )
    if found is None or (part is not None and not (part[2] and part[3])):
        raise SourceError(
            f"A screen must be written screen, screen:1 or screen:1:x,y,width,height, "
            f"got {text[:80]}. "
            "The numbers are pixels from the screen's upper left corner."
        )
    if part is None:
        return ScreenName(int(found["index"] or 1))
    return ScreenName(int(found["index"]), (part[0], part[1], part[2], part[3]))


_CAMERA_CURE = "Write it as 0:1280x720@30:MJPG."
