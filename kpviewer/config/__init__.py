"""What is remembered between runs: settings as values, their files and profiles, the cache."""

from kpviewer.config.settings import (
    ModelSettings,
    RecentItems,
    Settings,
    WindowSettings,
    apply_changes,
    from_table,
    to_table,
)

__all__ = [
    "ModelSettings",
    "RecentItems",
    "Settings",
    "WindowSettings",
    "apply_changes",
    "from_table",
    "to_table",
]
