"""Versions of kpviewer and its libraries, printed with measurements."""

import platform

from kpviewer import __version__
from kpviewer.models.libraries.inference import version_of

LIBRARIES = ("torch", "openvino", "onnxruntime")


def versions(*libraries: str) -> dict[str, str | None]:
    """Return the versions of kpviewer, of libraries, and of Python; None: not installed."""
    found: dict[str, str | None] = {"kpviewer": __version__}
    found |= {name: version_of(name) for name in libraries}
    system = f"{platform.system()} {platform.machine()}"
    return found | {"python": platform.python_version(), "platform": system}
