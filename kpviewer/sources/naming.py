"""Syntax of cameras, screens and synthetic sources. Light to import.

``0``, ``cam0``, ``/dev/video0``: a camera
``0:1920x1080``, ``0:1920x1080@60``, ``0:1920x1080@60:MJPG``: a camera, with its format
``screen``, ``screen:2``, ``screen:2:100,50,640,480``: a screen, or x,y,width,height in it
``synthetic``, ``synthetic:640x480``: frames in memory, for benchmarks
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from kpviewer.errors import SourceError
from kpviewer.system.paths import expanded

_CAMERA = re.compile(
    r"(?:cam|/dev/video)?(?P<index>\d{1,4})"
    r"(?::(?P<width>\d{1,5})x(?P<height>\d{1,5})(?:@(?P<fps>\d{1,3}(?:\.\d+)?))?"
    r"(?::(?P<fourcc>[A-Za-z0-9]{4}))?)?",
    re.I | re.ASCII,
)
SYNTHETIC = "synthetic"
_SCREEN = re.compile(
    r"screen(?::(?P<index>\d{1,4})(?::(?P<part>\d{1,6},\d{1,6},\d{1,6},\d{1,6}))?)?",
    re.I | re.ASCII,
)

GENERATED = ("demo", "strip")


@dataclass(frozen=True, slots=True)
class CameraRequest:
    """Requested format of a camera, which may send another."""

    width: int = 1280
    height: int = 720
    fps: float = 30.0
    fourcc: str = "MJPG"
    """Pixel format. Uncompressed formats reach 10 frames/s at 1280x720 over USB 2."""

    def __str__(self) -> str:
        """Return the format as it is written behind the camera's number."""
        return f"{self.width}x{self.height}@{self.fps:g}:{self.fourcc}"


@dataclass(frozen=True, slots=True)
class CameraName:
    """Camera as named by a source."""

    index: int
    request: CameraRequest | None
    """Requested format; None for the default."""


@dataclass(frozen=True, slots=True)
class ScreenName:
    """Screen as named by a source."""

    index: int = 1
    """Number from 1; 0 means all screens together."""
    part: tuple[int, int, int, int] | None = None
    """x, y, width, height in px from the screen's upper left corner; None is the whole screen."""


def is_camera(text: str) -> bool:
    """Return whether a source is a camera of this machine."""
    return camera_index(text) is not None


def camera_index(text: str) -> int | None:
    """Return the number of a camera, in whatever format; None if a source isn't a camera."""
    found = _CAMERA.fullmatch(text)
    return int(found["index"]) if found is not None else None


def is_screen(text: str) -> bool:
    """Return whether a source is a screen, even if its syntax is wrong."""
    return text.lower() == "screen" or text.lower().startswith("screen:")


def is_device(text: str) -> bool:
    """Return whether a source is a camera or a screen of this machine."""
    return is_camera(text) or is_screen(text)


def is_synthetic(text: str) -> bool:
    """Return whether a source is synthetic, even if its syntax is wrong."""
    return text.lower().split(":")[0] == SYNTHETIC


def file_named(text: str) -> Path:
    """Return the path of a file; blanks around its name count where such a file exists.

    Raises:
        RuntimeError: if it begins with an unknown ``~user``.
    """
    name = text.strip()
    return Path(text) if text != name and os.path.exists(text) else expanded(name)


def path_of(source: str | None) -> Path | None:
    """Return the path of a source; None if it is not a path."""
    text = (source or "").strip()
    if not text or is_device(text) or "://" in text:
        return None
    if is_synthetic(text) or text.lower() in GENERATED:
        return None
    try:
        return file_named(source or "")
    except (RuntimeError, ValueError):  # an unknown ~user
        return None


def parse_camera(text: str) -> CameraName | None:
    """Parse the name of a camera; return None if it isn't a camera.

    Raises:
        SourceError: if the requested format has a zero in it.
    """
    found = _CAMERA.fullmatch(text)
    if found is None:
        return None
    if found["width"] is None:
        return CameraName(int(found["index"]), None)
    default = CameraRequest()
    fps = float(found["fps"]) if found["fps"] else default.fps
    width, height = int(found["width"]), int(found["height"])
    if not (width and height and fps):
        raise SourceError(
            f"A camera's format must have no zero in it, got {text}. {_CAMERA_SYNTAX}"
        )
    fourcc = (found["fourcc"] or default.fourcc).upper()
    return CameraName(int(found["index"]), CameraRequest(width, height, fps, fourcc))


def parse_screen(text: str) -> ScreenName:
    """Parse the name of a screen.

    Raises:
        SourceError: if the syntax is wrong.
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


_CAMERA_SYNTAX = "Write it as 0:1280x720@30:MJPG."
