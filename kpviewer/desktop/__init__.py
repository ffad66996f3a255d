"""The entry of kpviewer in the menu of applications, as freedesktop.org lays down.

Desktops of Linux and BSD read it: a ``.desktop`` file that says how to start the viewer, and an
icon. Both go to the user's own data folder, so neither needs rights.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from kpviewer.errors import KpviewerError

ENTRY = Path("applications", "kpviewer.desktop")
ICON = Path("icons", "hicolor", "scalable", "apps", "kpviewer.svg")
"""Places below the data folder."""

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
        The files that were written.

    Raises:
        KpviewerError: on macOS and Windows, which have other menus.
        OSError: if the data folder can't be written to.
    """
    program, *arguments = start_command()
    command = " ".join(_quoted(word) for word in (program, *arguments))
    entry = _TEMPLATE.format(command=command, program=_escaped(program))
    icon = files("kpviewer.desktop").joinpath("kpviewer.svg").read_text("utf-8")
    written = {data_folder() / ENTRY: entry, data_folder() / ICON: icon}
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    _index_again()
    return list(written)


def remove() -> list[Path]:
    """Delete the entry and the icon.

    Returns:
        The files that were there.
    """
    there = [path for path in (data_folder() / ENTRY, data_folder() / ICON) if path.exists()]
    for path in there:
        path.unlink()
    if there:
        _index_again()
    return there


def data_folder() -> Path:
    """Return the user's folder of menu entries and icons."""
    if sys.platform in {"darwin", "win32"}:
        raise KpviewerError(
            "A menu entry needs a desktop of Linux or BSD; this system has its own menu. "
            "Make a shortcut to the command kpviewer there."
        )
    named = os.environ.get("XDG_DATA_HOME", "")
    return Path(named) if Path(named).is_absolute() else Path.home() / ".local" / "share"


def start_command(find: Callable[[str], str | None] = shutil.which) -> list[str]:
    """Return the words that start this installation of kpviewer, with full paths."""
    beside = Path(sysconfig.get_path("scripts")) / "kpviewer"
    program = str(beside) if beside.exists() else find("kpviewer")
    if program:
        return [str(Path(program).absolute())]
    return [sys.executable, "-m", "kpviewer"]


def _escaped(text: str) -> str:
    """Return a text as a value of a desktop file holds it."""
    return text.replace("\\", "\\\\")


def _quoted(word: str) -> str:
    """Return a word as ``Exec`` holds it: in quotes, then as a value."""
    for mark in ("\\", '"', "`", "$"):
        word = word.replace(mark, "\\" + mark)
    return _escaped(f'"{word}"'.replace("%", "%%"))


def _index_again() -> None:
    """Let desktops offer kpviewer in *Open with*, where their tool is installed."""
    tool = shutil.which("update-desktop-database")
    if tool:
        folder = str(data_folder() / ENTRY.parent)
        subprocess.run([tool, "-q", folder], check=False, timeout=INDEX_LIMIT_S)
