"""Loaders of the program itself: sources and models by name."""

from __future__ import annotations

from kpviewer.gui.opening.engine_loading import (
    list_devices,
    load_engine,
    load_first,
    load_variant,
)
from kpviewer.gui.opening.loaders import Loaders
from kpviewer.gui.opening.source_opening import open_source

LOADERS = Loaders(open_source, load_engine, load_variant, list_devices, load_first)
