"""Screens of this machine, or parts of them, through the package ``mss``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from kpviewer.errors import SourceError
from kpviewer.sources.base import Allocate, Captured, closed_error, seek_error
from kpviewer.sources.naming import ScreenName
from kpviewer.sources.opencv import cv2
from kpviewer.structures import StreamInfo

FPS = 30.0
"""A screen has no rate of its own; it is looked at so often, or as often as it can be."""
_NS = 1_000_000_000


class Grabber(Protocol):
    """The part of ``mss.MSS`` that is used here. One thread makes, uses and closes it."""

    @property
    def monitors(self) -> list[dict[str, Any]]:
        """left, top, width, height of all screens together, then of each, in px."""

    def grab(self, monitor: dict[str, Any], /) -> Any:
        """Look at a part; the image is an array of (H, W, 4) uint8 BGRA."""

    def close(self) -> None:
        """Let the screen go."""


@dataclass(frozen=True, slots=True)
class Screen:
    """A screen that this machine has."""

    index: int
    """What ``screen:N`` takes, from 1."""
    name: str
    """For people."""


def list_screens(open_grabber: Callable[[], Grabber] | None = None) -> list[Screen]:
    """List the screens; empty where none can be looked at."""
    try:
        grabber = (open_grabber or _open_grabber)()
    except SourceError:
        return []
    try:
        return [
            Screen(index, _name(index, monitor))
            for index, monitor in enumerate(grabber.monitors)
            if index
        ]
    except _error_of_mss():
        return []
    finally:
        grabber.close()


class ScreenSource:
    """A FrameSource over a screen. Only the thread that opened it may use it, close included.

    Args:
        name: which screen, or which part of it.
        open_grabber: makes what looks at the screen; for tests.
        sleep: waits for seconds; for tests.
    """

    warning: str | None = None

    def __init__(
        self,
        name: ScreenName,
        *,
        open_grabber: Callable[[], Grabber] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._asked = name
        self._open_grabber = open_grabber or _open_grabber
        self._sleep = sleep
        self._grabber: Grabber | None = None
        self._info: StreamInfo | None = None
        self._area: dict[str, int] = {}
        self._next_index = 0
        self._due_ns = 0
        self._name = f"screen {name.index}" if name.index else "all screens"

    @property
    def info(self) -> StreamInfo:
        """Size of what is looked at."""
        if self._info is None:
            raise closed_error(self._name)
        return self._info

    @property
    def next_index(self) -> int:
        """Number of frames read so far."""
        return self._next_index

    def open(self) -> StreamInfo:
        """Find the screen and look at it once, to see its real size: some count points, not px.

        Raises:
            SourceError: if there is no such screen, or programs may not look at it.
        """
        self.close()
        self._grabber = self._open_grabber()
        try:
            self._area = self._find(self._grabber.monitors)
            height, width = self._look().shape[:2]
        except SourceError:
            self.close()
            raise
        self._next_index = self._due_ns = 0
        self._info = StreamInfo(
            self._name, width, height, FPS, None, is_live=True, is_seekable=False
        )
        return self._info

    def read(self, allocate: Allocate) -> Captured | None:
        """Wait for the time of the next image, and take it; never None.

        Raises:
            SourceError: if the source is closed, or the screen is gone.
        """
        if self._grabber is None:
            raise closed_error(self._name)
        now_ns = time.monotonic_ns()
        if self._due_ns > now_ns:
            self._sleep((self._due_ns - now_ns) / _NS)
        self._due_ns = max(self._due_ns, now_ns) + round(_NS / FPS)
        captured_ns = time.monotonic_ns()
        bgra = self._look()
        buffer = allocate(bgra.shape[0], bgra.shape[1])
        cv2.cvtColor(bgra, cv2.COLOR_BGRA2BGR, dst=buffer)
        self._next_index += 1
        return Captured(buffer, captured_ns, None)

    def seek(self, index: int) -> None:
        """Raise SourceError: a screen has no way back."""
        if self._grabber is None:
            raise closed_error(self._name)
        raise seek_error(self._name)

    def close(self) -> None:
        """Let the screen go."""
        if self._grabber is not None:
            self._grabber.close()
        self._grabber = self._info = None

    def _look(self) -> Any:
        """Take an image, (H, W, 4) uint8 BGRA."""
        assert self._grabber is not None
        try:
            return np.asarray(self._grabber.grab(dict(self._area)))
        except _error_of_mss() as error:
            raise SourceError(
                f"{self._name} gives no image ({error}). Is the screen still on, and may "
                "this program record it? macOS asks for that in its privacy settings."
            ) from error

    def _find(self, monitors: list[dict[str, Any]]) -> dict[str, int]:
        """Give the area that is asked for, in px of the whole desktop."""
        asked = self._asked
        if asked.index >= len(monitors):
            there = ", ".join(f"screen:{index}" for index in range(1, len(monitors)))
            raise SourceError(f"There is no screen {asked.index}. There is {there or 'none'}.")
        screen = {name: int(monitors[asked.index][name]) for name in _SIDES}
        if asked.part is None:
            return screen
        left, top, width, height = asked.part
        if left + width > screen["width"] or top + height > screen["height"]:
            size = f"{screen['width']}x{screen['height']}"
            raise SourceError(
                f"{left},{top},{width},{height} must lie inside of {self._name}, which has {size} "
                "px. The numbers are x, y, width and height, from its upper left corner."
            )
        return {
            "left": screen["left"] + left,
            "top": screen["top"] + top,
            "width": width,
            "height": height,
        }


_SIDES = ("left", "top", "width", "height")


def _name(index: int, monitor: Mapping[str, Any]) -> str:
    name = monitor.get("name") or monitor.get("output") or f"Screen {index}"
    return f"{name} ({monitor['width']}×{monitor['height']})"


def _error_of_mss() -> type[Exception]:
    from mss import ScreenShotError  # noqa: PLC0415 - only those wait for it who watch a screen

    return ScreenShotError


def _open_grabber() -> Grabber:
    """Connect to the screens.

    Raises:
        SourceError: if there is none, or the system keeps programs from looking.
    """
    if os.environ.get("WAYLAND_DISPLAY") or os.environ.get("XDG_SESSION_TYPE") == "wayland":
        raise SourceError(
            "Wayland lets no program look at the screen unasked. Log in to an X11 session, or "
            "let OBS share the screen as a virtual camera, and open that."
        )
    import mss  # noqa: PLC0415 - as above

    try:
        return mss.MSS()
    except (mss.ScreenShotError, OSError) as error:
        raise SourceError(
            f"There is no screen to look at ({error}). On Linux, DISPLAY must name one."
        ) from error
