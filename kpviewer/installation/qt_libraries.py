"""Are the system libraries there that Qt's wheel needs on Linux, and which packages hold them?

``python -m kpviewer.installation.qt_libraries --install`` is what ``make run`` calls: as root on
Debian and Ubuntu it installs what is missing, else it prints the one line that does. It uses the
standard library alone, as nothing else may load while a library is missing.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable

from kpviewer.errors import KpviewerError

ALWAYS = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11.so.6": "libx11-6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}
"""Needed even without a screen: library -> Debian package."""

XCB = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
"""Needed for a window on an X11 screen; without one of them Qt ends the process."""


def is_loadable(library: str) -> bool:
    """Ask the dynamic linker."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def missing_packages(
    libraries: dict[str, str], is_there: Callable[[str], bool] = is_loadable
) -> list[str]:
    """Name the Debian packages of the libraries that are absent; nothing but Linux lacks any."""
    if not sys.platform.startswith("linux"):
        return []
    return [package for library, package in libraries.items() if not is_there(library)]


def install_command(packages: Iterable[str]) -> str:
    """Give the one line that brings the packages; other Linuxes have them under like names."""
    return f"sudo apt-get install {' '.join(packages)}"


def needed_libraries() -> dict[str, str]:
    """Give what this session needs: xcb only where Qt would open its windows through it."""
    has_x11_screen = os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY")
    return ALWAYS | XCB if has_x11_screen else ALWAYS


def is_x11_reachable() -> bool:
    """Ask the X11 screen that DISPLAY names; True where Xlib is missing and nobody can ask."""
    try:
        xlib = ctypes.CDLL("libX11.so.6")
    except OSError:
        return True
    xlib.XOpenDisplay.restype = ctypes.c_void_p
    screen = xlib.XOpenDisplay(None)
    if screen:
        xlib.XCloseDisplay(ctypes.c_void_p(screen))
    return bool(screen)


def has_display() -> bool:
    """Whether a window can be opened; another platform than Linux always has a display.

    An X11 screen is asked: where it doesn't answer, Qt would end the process.
    """
    if not sys.platform.startswith("linux"):
        return True
    if os.environ.get("WAYLAND_DISPLAY") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY")) and is_x11_reachable()


def require_libraries() -> None:
    """Check that the libraries of a window are there.

    Raises:
        KpviewerError: with the line that installs them.
    """
    if missing := missing_packages(needed_libraries()):
        raise KpviewerError(
            "Qt's system libraries are missing, and without them no window can open.\n"
            f"Install them: {install_command(missing)}"
        )


def _install(packages: list[str]) -> None:
    print(f"kpviewer: installing Qt's system libraries: {' '.join(packages)}", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    get = ["apt-get", "-qq", "-y"]
    for command in ([*get, "update"], [*get, "install", "--no-install-recommends", *packages]):
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)


def main(arguments: list[str]) -> int:
    """Install or name what is missing; give 1 if kpviewer can't start without it."""
    can_install = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get")
    if "--install" in arguments and can_install and (missing := missing_packages(ALWAYS | XCB)):
        _install(missing)
    missing = missing_packages(needed_libraries())
    if missing:
        print("kpviewer: Qt's system libraries are missing. Install them, then try again:")
        print(f"  {install_command(missing)}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
