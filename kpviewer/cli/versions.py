"""Versions of kpviewer and its libraries, printed with measurements."""

from __future__ import annotations

import platform
from importlib import metadata

from kpviewer import __version__

LIBRARIES = ("torch", "openvino", "onnxruntime")


def versions() -> dict[str, str | None]:
    """Return the versions of kpviewer, of what runs models, and of Python; None: not installed."""
    found: dict[str, str | None] = {"kpviewer": __version__}
    found |= {name: _version_of(name) for name in LIBRARIES}
    system = f"{platform.system()} {platform.machine()}"
    return found | {"python": platform.python_version(), "platform": system}


def _version_of(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
