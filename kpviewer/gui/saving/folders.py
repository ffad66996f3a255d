"""Where recordings and snapshots go when nobody says otherwise. No Qt."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def recordings_folder() -> Path:
    """Give the folder ``kpviewer`` among the user's videos."""
    return Path(platformdirs.user_videos_dir()) / "kpviewer"
