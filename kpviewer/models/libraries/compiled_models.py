"""Compilation by OpenVINO, kept from start to start.

Compiling a small network takes half a second, reading what was compiled a tenth. One file serves
any number of threads and streams, and gives the same bits. A file holds its own hash: one that is
damaged isn't read. Where the folder can't be used, every start compiles.
"""

import contextlib
import hashlib
import logging
import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from kpviewer import __version__
from kpviewer.config.files import cache_folder, compiled_folder
from kpviewer.models.libraries.inference import library, openvino_core
from kpviewer.models.tables import first_line
from kpviewer.system.paths import trim_folder, write_atomically
from kpviewer.system.processor import instruction_sets, processor_name

MAX_FILE_BYTES = 64 * 1024**2
"""Largest compiled model that is kept; those of the shipped ones have 1 to 7 MB."""
MAX_BYTES = 256 * 1024**2
"""Most bytes of all compiled models."""
SUFFIX = ".compiled"
_CODE = ("models", "runtime")
"""Parts of the package whose code makes graphs."""
_PER_USE = ("INFERENCE_NUM_THREADS", "NUM_STREAMS", "ENABLE_CPU_PINNING")
"""Settings that a compiled model can be read with, whatever it was compiled with."""
_ABLE = "OPTIMIZATION_CAPABILITIES"
_DIGEST_BYTES = 32
_log = logging.getLogger(__name__)


class Compiler:
    """Compiles a model with one group of settings or another, or reads what was compiled before.

    Args:
        make: function that returns OpenVINO's model, of fixed shapes; not called if it isn't
            needed.
        device: device as OpenVINO names it.
        content: text that all of the model depends on, but the code of kpviewer and OpenVINO; None
            if it is unknown, so that nothing is kept.
    """

    def __init__(self, make: Callable[[], Any], device: str, content: str | None) -> None:
        self._make, self._device, self._content = cache(make), device, content

    def __call__(self, settings: Mapping[str, Any]) -> Any:
        """Return the compiled model.

        Raises:
            RuntimeError: if OpenVINO can't compile it.
        """
        path = self._path(settings)
        if path is not None and (kept := _read(path)) is not None:
            try:
                return openvino_core().import_model(kept, self._device, dict(settings))
            except RuntimeError as error:
                _log.info("A compiled model can't be read: %s", first_line(error))
        model = openvino_core().compile_model(self._make(), self._device, dict(settings))
        if path is not None:
            with contextlib.suppress(OSError, RuntimeError):
                _write(path, model.export_model().getvalue())
        return model

    def _path(self, settings: Mapping[str, Any]) -> Path | None:
        if self._content is None or self._device != "CPU":  # other devices need their own driver
            return None
        fixed = {name: value for name, value in settings.items() if name not in _PER_USE}
        text = "\n".join((self._content, repr(sorted(fixed.items())), *surroundings()))
        name = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
        return compiled_folder(cache_folder()) / f"{name}{SUFFIX}"


def _read(path: Path) -> bytes | None:
    """Return a compiled model; None if there is none, or it is damaged."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            return None
        content = path.read_bytes()
    except OSError:
        return None
    digest, compiled = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    if _digest(compiled) != digest:
        _log.info("A compiled model is damaged, and is written again")
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # it is used: others are removed before it
    return compiled


def _write(path: Path, compiled: bytes) -> None:
    if len(compiled) + _DIGEST_BYTES <= MAX_FILE_BYTES:
        write_atomically(path, _digest(compiled) + compiled)
        trim_folder(path.parent, SUFFIX, MAX_BYTES)


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES).digest()


@cache
def surroundings() -> tuple[str, ...]:
    """Return what a compiled model depends on besides the model: processor, library and code."""
    able = sorted((*instruction_sets(), *openvino_core().get_property("CPU", _ABLE)))
    package = Path(__file__).resolve().parents[2]
    files = sorted(file for part in _CODE for file in (package / part).rglob("*.py"))
    code = (f"{file.name} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files)
    return (__version__, library("openvino").get_version(), processor_name(), *able, *code)
