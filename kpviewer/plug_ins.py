"""Models and sinks that installed packages add by entry points; nothing is imported."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points

MODELS = "kpviewer.models"
"""Entry-point group of functions that return a ``Detector``; they take no arguments."""
SINKS = "kpviewer.sinks"
"""Entry-point group of functions from a folder and a ``ResultHeader`` to a ``ResultSink``."""

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)
CODE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
"""Location of a function, ``package.module:function``."""


@dataclass(frozen=True, slots=True)
class PlugIn:
    """Entry point of an installed package."""

    name: str
    code: str
    """Location of the function, as ``package.module:function``."""
    package: str
    """Name and version of the installed package."""


@cache
def plug_ins(group: str) -> Mapping[str, PlugIn]:
    """Return the plug-ins of installed packages by name; of equal names, the first one found.

    Args:
        group: MODELS or SINKS.
    """
    found: dict[str, PlugIn] = {}
    for entry in entry_points(group=group):
        code = f"{entry.module}:{entry.attr}"
        if _NAME.fullmatch(entry.name) and CODE.fullmatch(code):
            owner = entry.dist
            package = f"{owner.name} {owner.version}" if owner is not None else "an unknown package"
            found.setdefault(entry.name, PlugIn(entry.name, code, package))
    return found
