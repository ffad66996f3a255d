"""Safe reader of PyTorch files, which runs no code from them.

``torch.load(weights_only=True)`` returns tensors, numbers, texts and containers of them. Training
programs save more beside the tensors: their arguments, paths, numpy scalars. Each class or function
that a file names, unless torch allows it, becomes an empty stand-in. None is ever imported or
called.
"""

import argparse
import pickle
import warnings
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from kpviewer.errors import WeightsError
from kpviewer.models.files.foreign import archive_refusal
from kpviewer.models.files.paths import (
    MAX_FILE_BYTES,
    archived,
    check_model_file,
    is_of_disk,
    unread,
)
from kpviewer.models.limits import MAX_TENSORS, clean_name
from kpviewer.models.opening.whole_models import maker_refusal
from kpviewer.models.tables import first_line

MAX_UNPACKED_RATIO = 20
"""Largest ratio of unpacked to packed size of a zip archive, as weights hardly compress."""
MAX_FOREIGN = 1_000


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Content of a PyTorch file."""

    path: Path
    content: Any
    """Unpickled object; None if the file can't be opened without its classes."""
    foreign: tuple[str, ...]
    """Classes and functions that the file names, never looked up, as ``module.name``."""
    size_bytes: int
    """Unpacked size in bytes."""

    def refusal(self) -> str:
        """Return why the file can't be used without its classes, and what to do."""
        if (text := maker_refusal(self.path, self.foreign)) is not None:
            return text
        name = self.path.name
        first = f" ({clean_name(self.foreign[0])})" if self.foreign else ""
        return (
            f"{name} holds more than tensors{first}, or is damaged: opening such a pickle could "
            "run any code, so it is refused. In the program that wrote it, export the model: "
            'torch.onnx.export(model, image, "model.onnx"). A network that kpviewer has opens from '
            "its tensors alone: torch.save(model.state_dict(), FILE)."
        )


class _StandIn:
    """Empty object in place of a class or function that a file names."""

    def __new__(cls, *arguments: object) -> Any:
        # an object made without arguments may be filled like a dict, or get attributes
        return super().__new__(cls) if arguments else OrderedDict()

    def __init__(self, *arguments: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


def load_checkpoint(path: Path) -> Checkpoint:
    """Open a ``.pt`` or ``.pth`` file.

    Raises:
        WeightsError: if the file is missing, damaged, too large, or needs the code that it names.
    """
    check_model_file(path)
    size_bytes = _unpacked_size(path)
    if (refusal := archive_refusal(path)) is not None:
        raise WeightsError(refusal)
    foreign = _foreign_names(path)
    allowed: list[Any] = [argparse.Namespace, *((_StandIn, name) for name in foreign)]
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(allowed):
            warnings.simplefilter("ignore")  # about old formats; the result is checked
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        refused = Checkpoint(path, None, (*foreign, *_named_in(error)), size_bytes)
        raise WeightsError(refused.refusal()) from error
    except Exception as error:  # torch's parsers raise errors of any class
        if is_of_disk(error):
            raise unread(path, error) from error
        raise WeightsError(
            f"{path.name} can't be read as a PyTorch file: {first_line(error)}. "
            "Is the file complete?"
        ) from error
    return Checkpoint(path, content, foreign, size_bytes)


def _foreign_names(path: Path) -> tuple[str, ...]:
    """Return the classes and functions that a file names, without unpickling it."""
    try:
        names = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except Exception:  # another format, or damaged: torch.load reports it
        return ()
    namespace = f"{argparse.Namespace.__module__}.{argparse.Namespace.__qualname__}"
    return tuple(sorted(set(names) - {namespace}))[:MAX_FOREIGN]


def _named_in(error: pickle.UnpicklingError) -> list[str]:
    """Return the class or function in torch's refusal; nothing if its text is another."""
    words = str(error).partition("GLOBAL ")[2].split()
    return words[:1]


def _unpacked_size(path: Path) -> int:
    """Return the unpacked size of a file, bytes; refuse an archive that unpacks to far more."""
    size = path.stat().st_size
    items = archived(path)
    if items is None:
        return size
    unpacked = sum(item.file_size for item in items)
    if unpacked > min(MAX_FILE_BYTES, MAX_UNPACKED_RATIO * size):
        raise WeightsError(
            f"{path.name} unpacks from {size} to {unpacked} bytes: no weight file compresses so "
            "well. Fetch it from its author."
        )
    if len(items) > 2 * MAX_TENSORS:
        raise WeightsError(
            f"{path.name} holds {len(items):,} parts: more than any model that kpviewer builds. "
            "Save model.state_dict() alone."
        )
    return unpacked
