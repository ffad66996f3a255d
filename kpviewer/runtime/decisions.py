"""Remembered choices of ``auto``, so that the next start needs no measurement.

A choice is remembered for the content of the model, the device, the versions of the libraries, the
size of the input and the runners to choose from. If one of them changes, ``auto`` measures again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
import stat
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kpviewer import __version__
from kpviewer.config_files import cache_folder
from kpviewer.cpu_threads import cpu_threads
from kpviewer.models.onnx.network import OnnxNetwork
from kpviewer.paths import write_atomically
from kpviewer.runtime.content import network_content
from kpviewer.runtime.processor import processor_name

if TYPE_CHECKING:
    from kpviewer.models.base import AnyDetector
    from kpviewer.runtime.runners import Runner

FILE_NAME = "backends.json"
MAX_DECISIONS = 200
MAX_FILE_BYTES = 200_000
_LIBRARIES = ("torch", "openvino", "onnxruntime", "onnxruntime-gpu", "tensorrt")


def decision_key(
    detector: AnyDetector, runners: Sequence[Runner], input_hw: tuple[int, int]
) -> str | None:
    """Return what a choice depends on, as a hash; None if the model can't be told by its content.

    Args:
        detector: the model.
        runners: the runners to choose from.
        input_hw: (height, width) of the input, px.
    """
    content = _content(detector)
    if content is None:
        return None
    parts = [
        content,
        detector.spec.to_json(),
        *(" ".join(_name(each)) for each in runners),
        f"{input_hw[0]}x{input_hw[1]}",
        *_machine(),
    ]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()


def remembered(key: str, runners: Sequence[Runner]) -> Runner | None:
    """Return the runner that was chosen before; None if it is unknown or no longer there."""
    names = _read(cache_folder() / FILE_NAME).get(key)
    return next((each for each in runners if list(_name(each)) == names), None)


def remember(key: str, runner: Runner) -> None:
    """Write a choice; if the folder can't be written, the next start measures again."""
    path = cache_folder() / FILE_NAME
    decisions = _read(path)
    decisions.pop(key, None)
    decisions[key] = list(_name(runner))
    newest = dict(list(decisions.items())[-MAX_DECISIONS:])
    with contextlib.suppress(OSError):
        write_atomically(path, json.dumps(newest, indent=0).encode())


def _read(path: Path) -> dict[str, list[str]]:
    """Read the choices; nothing from a file that is damaged, too large or not a regular file."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_FILE_BYTES:
            return {}
        table: Any = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(table, dict):
        return {}
    return {key: names for key, names in table.items() if _is_decision(key, names)}


def _is_decision(key: str, names: Any) -> bool:
    is_list = isinstance(names, list) and len(names) == 3
    return len(key) == 64 and is_list and all(isinstance(name, str) for name in names)


def _name(runner: Runner) -> tuple[str, str, str]:
    return runner.backend, runner.precision, runner.device


def _content(detector: AnyDetector) -> str | None:
    network = detector.network
    if not isinstance(network, OnnxNetwork) and any(
        isinstance(getattr(module, "file", None), OnnxNetwork) for module in network.modules()
    ):
        return None  # its runners differ in more than their names
    return network_content(network)


def _machine() -> list[str]:
    """Return the processor, its threads, and the versions of the libraries.

    Runners name their GPU.
    """
    versions = [f"kpviewer {__version__}"]
    for name in _LIBRARIES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions.append(f"{name} {metadata.version(name)}")
    return [
        platform.platform(),
        processor_name(),
        f"{cpu_threads()} threads",
        *versions,
    ]
