"""Models and sinks that installed packages add by entry points, without importing them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points

MODELS = "kpviewer.models"
"""Group of functions that return a ``Detector``; they are called without arguments."""
SINKS = "kpviewer.sinks"
"""Group of functions that make a ``ResultSink`` of a folder and a ``ResultHeader``."""

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)
_CODE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class PlugIn:
    """One entry point."""

    name: str
    code: str
    """``package.module:function``."""
    package: str
    """Name and version of the installed package."""


@cache
def plug_ins(group: str) -> Mapping[str, PlugIn]:
    """Return what installed packages add, by name; of two of one name, the first that is found.

    Args:
        group: MODELS or SINKS.
    """
    found: dict[str, PlugIn] = {}
    for entry in entry_points(group=group):
        code = f"{entry.module}:{entry.attr}"
        if _NAME.fullmatch(entry.name) and _CODE.fullmatch(code):
            owner = entry.dist
            package = f"{owner.name} {owner.version}" if owner is not None else "an unknown package"
            found.setdefault(entry.name, PlugIn(entry.name, code, package))
    return found
