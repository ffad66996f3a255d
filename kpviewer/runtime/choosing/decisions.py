"""Remembered choices of ``auto``, so that the next start needs no measurement.

A choice is remembered for the content of the model, the device, the versions of the libraries, the
size of the input and the runners to choose from. If one of them changes, ``auto`` measures again.
It also does if the machine was busy, or the result unclear: twice more at most.
"""

from __future__ import annotations

import contextlib
import hashlib
import platform
import stat
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec

from kpviewer import __version__
from kpviewer.config.files import cache_folder
from kpviewer.models.base import AnyDetector
from kpviewer.runtime.content import network_content
from kpviewer.runtime.runners import Runner
from kpviewer.system.cpu_threads import cpu_threads
from kpviewer.system.locks import turn_in
from kpviewer.system.paths import write_atomically
from kpviewer.system.processor import processor_name

FILE_NAME = "backends.json"
MAX_DECISIONS = 200
MAX_FILE_BYTES = 200_000
CALM_CORES, CLEAR_LEAD = 0.9, 0.7
"""Shares from which a measurement was made on a calm machine, and has a clear result."""
MOST_MEASUREMENTS = 3
"""Measurements after which a choice stays, however busy the machine was."""
_Key: TypeAlias = Annotated[str, msgspec.Meta(min_length=64, max_length=64)]
_LIBRARIES = ("torch", "openvino", "onnxruntime", "onnxruntime-gpu", "tensorrt")


def decision_key(
    detector: AnyDetector, runners: Sequence[Runner], input_hw: tuple[int, int]
) -> str | None:
    """Return what a choice depends on, as a hash; None if the model's content can't be read."""
    content = network_content(detector.network)
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


class Decision(msgspec.Struct, frozen=True):
    """A choice, and how good the measurement was that led to it."""

    runner: tuple[str, str, str]
    """Backend, precision and device of the runner."""
    cores: float = 1.0
    """Share of the cores that the measurement had; other programs had the rest."""
    lead: float = 1.0
    """Share of the rounds in which the runner was the fastest."""
    measured: int = 1
    """Number of measurements so far, of which the one with most of the cores counts."""

    @classmethod
    def of(cls, runner: Runner, cores: float = 1.0, lead: float = 1.0) -> Decision:
        """Return the decision for a runner."""
        return cls(_name(runner), cores, lead)

    @property
    def is_sure(self) -> bool:
        """Whether no further measurement is needed."""
        is_clear = self.cores >= CALM_CORES and self.lead >= CLEAR_LEAD
        return is_clear or self.measured >= MOST_MEASUREMENTS

    def found_in(self, runners: Sequence[Runner]) -> Runner | None:
        """Return the runner; None if it is no longer there."""
        return next((each for each in runners if _name(each) == self.runner), None)

    def after(self, before: Decision | None) -> Decision:
        """Return the better one of this and an earlier decision, with all measurements counted."""
        if before is None:
            return self
        better = before if before.cores > self.cores else self
        return msgspec.structs.replace(better, measured=before.measured + self.measured)


def remembered(key: str) -> Decision | None:
    """Return the decision that was made before; None if there is none."""
    return _read(cache_folder() / FILE_NAME).get(key)


def remember(key: str, decision: Decision) -> None:
    """Write a decision; if the folder can't be written, the next start measures again."""
    path = cache_folder() / FILE_NAME
    with contextlib.suppress(OSError), turn_in(path.parent):
        decisions = _read(path)
        decisions.pop(key, None)
        decisions[key] = decision
        newest = dict(list(decisions.items())[-MAX_DECISIONS:])
        write_atomically(path, msgspec.json.format(msgspec.json.encode(newest), indent=0))


def _read(path: Path) -> dict[str, Decision]:
    """Read the decisions; none from a file that is damaged, too large or not a regular file."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_FILE_BYTES:
            return {}
        return msgspec.json.decode(path.read_bytes(), type=dict[_Key, Decision])
    except (OSError, ValueError, RecursionError):
        return {}


def _name(runner: Runner) -> tuple[str, str, str]:
    return runner.backend, runner.precision, runner.device


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
