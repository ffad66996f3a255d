"""Screens of this machine, or parts of them, captured with the package ``mss``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kpviewer.errors import SourceError
from kpviewer.sources.base import Allocate, Captured, PolledSource, closed_error
from kpviewer.sources.naming import ScreenName
from kpviewer.sources.opencv import cv2
from kpviewer.structures import StreamInfo

if TYPE_CHECKING:
    from mss import MSS

FPS = 30.0
"""Maximum capture rate, as a screen has no rate of its own."""


@dataclass(frozen=True, slots=True)
class Screen:
    """Screen of this machine."""

    index: int
    """Number N of ``screen:N``, from 1."""
    name: str
    """Display name."""


def list_screens(open_grabber: Callable[[], MSS] | None = None) -> list[Screen]:
    """Return the screens; empty if none can be captured."""
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


class ScreenSource(PolledSource):
    """FrameSource of a screen. Only the thread that opened it may use and close it.

    Args:
        name: screen, or part of it.
        open_grabber: function that opens the grabber; for tests.
        sleep: function that waits for seconds; for tests.
    """

    def __init__(
        self,
        name: ScreenName,
        *,
        open_grabber: Callable[[], MSS] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(FPS, sleep)
        self._requested = name
        self._open_grabber = open_grabber or _open_grabber
        self._grabber: MSS | None = None
        self._area: dict[str, int] = {}
        self._name = f"screen {name.index}" if name.index else "all screens"

    def open(self) -> StreamInfo:
        """Find the screen and capture it once, to get its size in px rather than points.

        Raises:
            SourceError: if there is no such screen, or programs may not capture it.
        """
        self.close()
        self._grabber = self._open_grabber()
        try:
            self._area = self._find(self._grabber.monitors)
            height, width = self._capture().shape[:2]
        except SourceError:
            self.close()
            raise
        return self._begin(
            StreamInfo(self._name, width, height, FPS, None, is_live=True, is_seekable=False)
        )

    def read(self, allocate: Allocate) -> Captured | None:
        """Wait for the time of the next image, and capture it; never None."""
        if self._grabber is None:
            raise closed_error(self._name)
        captured_ns = self._wait()
        bgra = self._capture()
        buffer = allocate(bgra.shape[0], bgra.shape[1])
        cv2.cvtColor(bgra, cv2.COLOR_BGRA2BGR, dst=buffer)
        self._next_index += 1
        return Captured(buffer, captured_ns, None)

    def close(self) -> None:
        """Release the screen."""
        if self._grabber is not None:
            self._grabber.close()
        self._grabber = self._info = None

    def _capture(self) -> Any:
        """Return an image, (H, W, 4) uint8 BGRA."""
        assert self._grabber is not None
        try:
            return np.asarray(self._grabber.grab(dict(self._area)))
        except _error_of_mss() as error:
            raise SourceError(
                f"{self._name} can't be captured ({error}). Is the screen still on, and may "
                "this program record it? On macOS, allow that in the privacy settings."
            ) from error

    def _find(self, monitors: list[dict[str, Any]]) -> dict[str, int]:
        """Return the requested area, in px of the whole desktop."""
        requested = self._requested
        if requested.index >= len(monitors):
            there = ", ".join(f"screen:{index}" for index in range(1, len(monitors)))
            raise SourceError(f"There is no screen {requested.index}. There is {there or 'none'}.")
        screen = {name: int(monitors[requested.index][name]) for name in _SIDES}
        if requested.part is None:
            return screen
        left, top, width, height = requested.part
        if left + width > screen["width"] or top + height > screen["height"]:
            size = f"{screen['width']}x{screen['height']}"
            raise SourceError(
                f"{left},{top},{width},{height} must be inside {self._name}, which has {size} "
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
    from mss import ScreenShotError  # noqa: PLC0415 - slow, and needed for screens alone

    return ScreenShotError


def _open_grabber() -> MSS:
    """Open a grabber of the screens.

    Raises:
        SourceError: if there is no screen, or the system forbids capturing it.
    """
    if os.environ.get("WAYLAND_DISPLAY") or os.environ.get("XDG_SESSION_TYPE") == "wayland":
        raise SourceError(
            "Wayland doesn't let programs capture the screen. Log in to an X11 session, or "
            "share the screen with OBS as a virtual camera, and open that."
        )
    import mss  # noqa: PLC0415 - as above

    try:
        return mss.MSS()
    except (mss.ScreenShotError, OSError) as error:
        raise SourceError(
            f"There is no screen to capture ({error}). On Linux, DISPLAY must name one."
        ) from error
