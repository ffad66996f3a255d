"""The one import of OpenVINO and ONNX Runtime: both report usage over the network unless stopped.

Importing OpenVINO sends an event, with an id that it keeps in the home folder. ONNX Runtime sends
events of its own whatever ``disable_telemetry_events()`` is told. Both must be stopped before
their first import, so every other module takes them from ``library``. ``tests/law.py`` keeps that.
"""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType
from typing import Any

LIBRARIES = ("openvino", "onnxruntime")


def block_reports() -> None:
    """Keep both libraries from reporting usage, in this process and in those that it starts.

    It must run before anything imports them: a user's own model may do so by itself.
    """
    modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    modules["openvino_telemetry"] = None  # its import fails, and OpenVINO takes a stub
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read once, by the import


def library(name: str) -> Any:
    """Import one of the libraries, or a module of theirs, such as ``openvino.passes``.

    Raises:
        ImportError: if it isn't installed.
    """
    if name.partition(".")[0] not in LIBRARIES:
        raise ValueError(f"{name!r} must be one of {', '.join(LIBRARIES)} or a module of theirs.")
    block_reports()
    return importlib.import_module(name)
