"""Entry of kpviewer in the applications menu, by the standards of freedesktop.org.

Desktops of Linux and BSD read a ``.desktop`` file, which starts the viewer, and an icon. Both are
written to the user's own data folder, which needs no special rights.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

from kpviewer.errors import KpviewerError

ENTRY = Path("applications", "kpviewer.desktop")
ICON = Path("icons", "hicolor", "scalable", "apps", "kpviewer.svg")
"""Paths of the entry and the icon below the data folder."""

_TEMPLATE = """\
[Desktop Entry]
Type=Application
Name=kpviewer
GenericName=Object detection viewer
Comment=See live what an object detection model sees
Comment[zh_CN]=实时查看目标检测模型看到的内容
Exec={command} %f
TryExec={program}
Icon=kpviewer
Terminal=false
Categories=Graphics;Video;Science;
Keywords=detection;keypoints;YOLO;camera;evaluation;
MimeType=video/mp4;video/x-matroska;video/webm;video/quicktime;video/x-msvideo;image/jpeg;image/png;
StartupWMClass=kpviewer
"""
INDEX_LIMIT_S = 10.0


def install() -> list[Path]:
    """Write the entry and the icon.

    Returns:
        The written files.

    Raises:
        KpviewerError: on macOS and Windows, which have other menus.
        OSError: if the data folder isn't writable.
    """
    program, *arguments = start_command()
    command = " ".join(_quoted(word) for word in (program, *arguments))
    entry = _TEMPLATE.format(command=command, program=_escaped(program))
    icon = files("kpviewer.desktop").joinpath("kpviewer.svg").read_text("utf-8")
    written = {data_folder() / ENTRY: entry, data_folder() / ICON: icon}
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    _update_index()
    return list(written)


def remove() -> list[Path]:
    """Delete the entry and the icon.

    Returns:
        The deleted files.
    """
    existing = [path for path in (data_folder() / ENTRY, data_folder() / ICON) if path.exists()]
    for path in existing:
        path.unlink()
    if existing:
        _update_index()
    return existing


def data_folder() -> Path:
    """Return the user's folder of menu entries and icons.

    Raises:
        KpviewerError: on macOS and Windows, which have other menus.
    """
    if sys.platform in {"darwin", "win32"}:
        raise KpviewerError(
            "A menu entry needs a desktop of Linux or BSD; this system has its own menu. "
            "Make a shortcut to the command kpviewer there."
        )
    folder = os.environ.get("XDG_DATA_HOME", "")
    return Path(folder) if Path(folder).is_absolute() else Path.home() / ".local" / "share"


def start_command(find: Callable[[str], str | None] = shutil.which) -> list[str]:
    """Return the command line of this installation of kpviewer, with full paths."""
    beside = Path(sysconfig.get_path("scripts")) / "kpviewer"
    program = str(beside) if beside.exists() else find("kpviewer")
    if program:
        return [str(Path(program).absolute())]
    return [sys.executable, "-m", "kpviewer"]


def _escaped(text: str) -> str:
    """Return a text escaped as a value of a desktop file."""
    return text.replace("\\", "\\\\")


def _quoted(word: str) -> str:
    """Return a word quoted for ``Exec`` and escaped as a value."""
    for mark in ("\\", '"', "`", "$"):
        word = word.replace(mark, "\\" + mark)
    return _escaped(f'"{word}"'.replace("%", "%%"))


def _update_index() -> None:
    """Update the desktop's index for *Open with*, if its tool is installed."""
    tool = shutil.which("update-desktop-database")
    if tool:
        folder = str(data_folder() / ENTRY.parent)
        with suppress(OSError, subprocess.SubprocessError):  # desktops find the entry without it
            subprocess.run([tool, "-q", folder], check=False, timeout=INDEX_LIMIT_S)
