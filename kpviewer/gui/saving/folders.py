"""Where recordings and snapshots go when nobody says otherwise. No Qt."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def recordings_folder() -> Path:
    """Give the folder ``kpviewer`` among the user's videos."""
    return Path(platformdirs.user_videos_dir()) / "kpviewer"


def recording_place(file: str, folder: Path) -> tuple[Path, str | None]:
    """Tell where a recording goes: the folder, and the file's name without suffix.

    Args:
        file: as typed: a file, or a folder that exists; empty is ``folder``.
        folder: where recordings go.

    Returns:
        The name is None where only a folder is known: it will be made from the time.
    """
    if not file:
        return folder, None
    path = Path(file).expanduser()
    return (path, None) if path.is_dir() else (path.parent, path.stem)
