"""The only import of OpenVINO, ONNX Runtime and TensorRT, which keeps them from reporting usage.

Importing OpenVINO sends an event, with an id that it keeps in the home folder. ONNX Runtime sends
events even after ``disable_telemetry_events()``. Both must be blocked before their first import.
Therefore every other module gets them from ``library``, which ``tests/law.py`` checks.
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from functools import cache
from importlib import metadata
from types import ModuleType
from typing import Any

from kpviewer.system.interrupts import interrupts_deferred

LIBRARIES = ("openvino", "onnxruntime", "tensorrt")
ONNX_RUNTIMES = ("onnxruntime", "onnxruntime-directml", "onnxruntime-gpu")
"""Distributions of ONNX Runtime."""
BACKENDS = ("torch", "openvino", "onnxruntime", "tensorrt")
"""Names of the libraries that run models."""


def block_reports() -> None:
    """Keep both libraries from reporting usage, in this process and its children.

    Call it before anything imports them, such as a user's own model.
    """
    modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    modules["openvino_telemetry"] = None  # its import fails, and OpenVINO uses a stub
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read once, by the import


def library(name: str) -> Any:
    """Import one of the libraries, or one of their modules, such as ``openvino.passes``.

    Raises:
        ImportError: if it isn't installed.
    """
    if name.partition(".")[0] not in LIBRARIES:
        raise ValueError(f"{name!r} must be one of {', '.join(LIBRARIES)} or one of their modules.")
    block_reports()
    with interrupts_deferred():
        return importlib.import_module(name)


def version_of(distribution: str) -> str | None:
    """Return the version of an installed distribution; None if it isn't installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def onnxruntime_conflict(version: Callable[[str], str | None] = version_of) -> str | None:
    """Return what to do if several distributions of ONNX Runtime are installed; None otherwise.

    They share a folder, so the last one that was installed runs, with files of the others.

    Args:
        version: returns the version of a distribution, None if it isn't installed.
    """
    found = [name for name in ONNX_RUNTIMES if version(name) is not None]
    if len(found) < 2:
        return None
    return (
        f"{' and '.join(found)} overwrite each other. Keep one: pip uninstall {found[0]}, then "
        f"pip install --force-reinstall --no-deps {found[-1]}"
    )


def installed_backends() -> dict[str, bool]:
    """Return the names of the backends and whether each library is installed; imports none."""
    return {name: importlib.util.find_spec(name) is not None for name in BACKENDS}


def has_openvino() -> bool:
    """Return whether OpenVINO is installed, without importing it."""
    return importlib.util.find_spec("openvino") is not None


@cache
def openvino_core() -> Any:
    """Return OpenVINO's ``Core``, kept until the process ends.

    Its CPU plugin sets another stack for signal handlers in the thread that created it, and unmaps
    that stack with the last core. If another thread destroys it, the next signal kills the process.
    """
    return library("openvino").Core()
