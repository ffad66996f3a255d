"""Default folder for recordings and snapshots. No Qt."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def recordings_folder() -> Path:
    """Return the folder ``kpviewer`` in the user's folder of videos."""
    return Path(platformdirs.user_videos_dir()) / "kpviewer"
