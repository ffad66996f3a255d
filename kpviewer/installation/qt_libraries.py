"""System libraries that Qt's wheel requires on Linux, and the packages that contain them.

``make run`` calls ``python -m kpviewer.installation.qt_libraries --install``. As root on Debian and
Ubuntu it installs missing packages; otherwise it prints the command that does. It uses only the
standard library, as other packages may fail to load while a library is missing.
"""

import ctypes
import os
import shutil
import socket
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
"""Debian packages by library that Qt requires even without a screen."""

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
"""Debian packages by library that Qt requires on X11; if one is missing, Qt ends the process."""

_OTHER_PLATFORMS = ["offscreen", "minimal", "minimalegl", "vnc", "eglfs", "linuxfb", "vkkhrdisplay"]
"""Qt's platforms that have no server to ask."""


def is_loadable(library: str) -> bool:
    """Return whether the dynamic linker finds a library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def missing_packages(
    libraries: dict[str, str], is_installed: Callable[[str], bool] = is_loadable
) -> list[str]:
    """Return the Debian packages of missing libraries; empty on systems other than Linux."""
    if not sys.platform.startswith("linux"):
        return []
    return [package for library, package in libraries.items() if not is_installed(library)]


def install_command(packages: Iterable[str]) -> str:
    """Return the command that installs packages; other Linux systems use similar names."""
    return f"sudo apt-get install {' '.join(packages)}"


def needed_libraries() -> dict[str, str]:
    """Return the libraries that this session requires; those of XCB only on X11."""
    has_x11_screen = os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY")
    return ALWAYS | XCB if has_x11_screen else ALWAYS


def is_x11_reachable() -> bool:
    """Return whether the X11 screen of DISPLAY can be opened; True if Xlib is missing."""
    try:
        xlib = ctypes.CDLL("libX11.so.6")
    except OSError:
        return True
    xlib.XOpenDisplay.restype = ctypes.c_void_p
    screen = xlib.XOpenDisplay(None)
    if screen:
        xlib.XCloseDisplay(ctypes.c_void_p(screen))
    return bool(screen)


def is_wayland_reachable() -> bool:
    """Return whether the compositor of WAYLAND_DISPLAY answers."""
    folder = os.environ.get("XDG_RUNTIME_DIR", "")
    path = os.path.join(folder, os.environ.get("WAYLAND_DISPLAY") or "wayland-0")
    with socket.socket(socket.AF_UNIX) as compositor:
        try:
            compositor.connect(path)
        except (OSError, ValueError):
            return False
    return True


def has_display() -> bool:
    """Return whether a window can be opened; True on systems other than Linux.

    A screen is tried first, as Qt ends the process if it can't be opened: another login's variables
    may name one that is gone.
    """
    if not sys.platform.startswith("linux"):
        return True
    named = os.environ.get("QT_QPA_PLATFORM", "")
    return any(
        _can_open(each.partition(":")[0]) for each in (named or _usual_platforms()).split(";")
    )


def _usual_platforms() -> str:
    return "wayland;xcb" if os.environ.get("WAYLAND_DISPLAY") else "xcb"


def _can_open(platform: str) -> bool:
    """Return whether Qt can use a platform, such as xcb."""
    if platform == "xcb":
        return bool(os.environ.get("DISPLAY")) and is_x11_reachable()
    if platform.startswith("wayland"):
        return is_wayland_reachable()
    return platform in _OTHER_PLATFORMS


def require_libraries() -> None:
    """Check that the libraries for a window are installed.

    Raises:
        KpviewerError: if one is missing, with the command that installs it.
    """
    if missing := missing_packages(needed_libraries()):
        raise KpviewerError(
            "Qt's system libraries are missing, so no window can open.\n"
            f"Install them: {install_command(missing)}"
        )


def _install(packages: list[str]) -> None:
    print(f"kpviewer: installing Qt's system libraries: {' '.join(packages)}", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    get = ["apt-get", "-qq", "-y"]
    for command in ([*get, "update"], [*get, "install", "--no-install-recommends", *packages]):
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)


def main(arguments: list[str]) -> int:
    """Install or report missing libraries; return 1 if kpviewer can't start without them."""
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
