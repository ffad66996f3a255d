"""Opening PyTorch files without running anything that is in them.

``torch.load(weights_only=True)`` makes tensors, numbers, texts and containers of them. Training
programs save more beside the tensors: their arguments, paths, numpy scalars. Each class or function
that a file names, and torch doesn't know as harmless, becomes a stand-in, which holds nothing. None
is ever imported or called.
"""

from __future__ import annotations

import argparse
import pickle
import warnings
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from kpviewer.errors import WeightsError
from kpviewer.models.files import MAX_FILE_BYTES, check_model_file
from kpviewer.models.limits import MAX_TENSORS, clean_name
from kpviewer.models.tables import first_line

MAX_UNPACKED_RATIO = 20
"""Of a zip archive: weights hardly shrink, so what does is no weight file."""
MAX_FOREIGN = 1_000
_ULTRALYTICS = ("ultralytics.", "models.yolo.", "models.common.")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a file holds."""

    path: Path
    content: Any
    """None where it can't be opened without its classes."""
    foreign: tuple[str, ...]
    """Classes and functions that it names and that weren't looked up, as ``module.name``."""
    size_bytes: int
    """Unpacked."""

    def refusal(self) -> str:
        """Return why the file can't be used without its classes, and the way out."""
        name = self.path.name
        if any(each.startswith(_ULTRALYTICS) for each in self.foreign):
            return (
                f"{name} holds a whole model of Ultralytics: opening such a pickle could run any "
                f"code, so it is refused. Export it there: yolo export model={name} format=onnx."
            )
        first = f" ({clean_name(self.foreign[0])})" if self.foreign else ""
        return (
            f"{name} holds more than tensors{first}, or is damaged: opening such a pickle could "
            "run any code, so it is refused. In the program that wrote it, save the tensors "
            "alone: torch.save(model.state_dict(), FILE)."
        )


class _StandIn:
    """Takes the place of whatever a file names."""

    def __new__(cls, *arguments: object) -> Any:
        # what is made of no arguments may be filled like a dict, or get attributes
        return super().__new__(cls) if arguments else OrderedDict()

    def __init__(self, *arguments: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


def load_checkpoint(path: Path) -> Checkpoint:
    """Open a ``.pt`` or ``.pth`` file.

    Raises:
        WeightsError: if it is missing, damaged, too large, or needs the code that it names.
    """
    check_model_file(path)
    size_bytes = _unpacked_size(path)
    foreign = _foreign_names(path)
    allowed: list[Any] = [argparse.Namespace, *((_StandIn, name) for name in foreign)]
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(allowed):
            warnings.simplefilter("ignore")  # of old formats; the outcome is checked
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        refused = Checkpoint(path, None, (*foreign, *_named_in(error)), size_bytes)
        raise WeightsError(refused.refusal()) from error
    except Exception as error:  # torch raises what its parsers stumble over: any class
        raise WeightsError(
            f"{path.name} can't be read as a PyTorch file: {first_line(error)}. "
            "Is the file complete?"
        ) from error
    return Checkpoint(path, content, foreign, size_bytes)


def _foreign_names(path: Path) -> tuple[str, ...]:
    """Read which classes and functions a file names, without opening it."""
    try:
        names = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except Exception:  # of another format, or damaged: torch.load says how
        return ()
    namespace = f"{argparse.Namespace.__module__}.{argparse.Namespace.__qualname__}"
    return tuple(sorted(set(names) - {namespace}))[:MAX_FOREIGN]


def _named_in(error: pickle.UnpicklingError) -> list[str]:
    """Return what torch's refusal names; nothing where it has other words."""
    words = str(error).partition("GLOBAL ")[2].split()
    return words[:1]


def _unpacked_size(path: Path) -> int:
    """Return the size of a file, unpacked; refuse what swells."""
    size = path.stat().st_size
    try:
        if not zipfile.is_zipfile(path):
            return size
        with zipfile.ZipFile(path) as archive:
            items = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise WeightsError(
            f"{path.name} is damaged: {first_line(error)}. Fetch it again."
        ) from error
    unpacked = sum(item.file_size for item in items)
    if unpacked > min(MAX_FILE_BYTES, MAX_UNPACKED_RATIO * size):
        raise WeightsError(
            f"{path.name} unpacks from {size} to {unpacked} bytes: no weight file shrinks so "
            "well. Fetch it from its author."
        )
    if len(items) > 2 * MAX_TENSORS:
        raise WeightsError(
            f"{path.name} holds {len(items):,} parts: no model that kpviewer builds. "
            "Save model.state_dict() alone."
        )
    return unpacked
