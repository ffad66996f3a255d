"""What an ONNX file says of itself before it is run: inputs, outputs and metadata."""

from __future__ import annotations

import hashlib
import mmap
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from kpviewer.system.paths import file_digest

Shape: TypeAlias = tuple[int | None, ...]
"""Shape of an input or output; None for a dimension that the file leaves open."""

_LOCATION = re.compile(rb"\x0a\x08location\x12([\x80-\xff]?[\x00-\x7f])")
"""ONNX's ``StringStringEntryProto`` for a tensor in another file, up to the length of its name."""


@dataclass(frozen=True, slots=True)
class Port:
    """An input of a graph."""

    name: str
    shape: Shape
    element: str = "float32"
    """Type of the elements, by its name in NumPy."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Inputs, outputs and metadata of a file; families recognise their exports by them."""

    stem: str
    """Name of the file without its suffix."""
    inputs: tuple[Port, ...]
    outputs: Mapping[str, Shape]
    """Shapes of the outputs by name, in the order of the graph."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    output_elements: Mapping[str, str] = field(default_factory=dict)
    """Types of the elements of outputs by name, as NumPy names them."""
    path: Path | None = None
    """Path of the file, for what must be read from the graph itself."""
    stamp: tuple[int, int] | None = field(default=None, compare=False)
    """State of the file when it was opened: it may be replaced while the model is used."""

    def __post_init__(self) -> None:
        if self.path is not None and self.stamp is None:
            object.__setattr__(self, "stamp", _stamp(self.path))

    @property
    def is_replaced(self) -> bool:
        """Whether another file has taken the place of the one that was opened."""
        return self.path is not None and _stamp(self.path) not in (None, self.stamp)

    def content(self) -> str | None:
        """Return a hash of the files; None if one can't be read, or isn't the one opened."""
        if self.path is None or self.is_replaced:
            return None
        digest = hashlib.blake2b()
        try:
            for each in (self.path, *_weight_files(self.path)):
                digest.update(file_digest(each))
        except (OSError, ValueError):
            return None
        return digest.hexdigest()

    def of_one_image(self, batch: int) -> FileFacts:
        """Return the facts of a file that takes ``batch`` images as if it took one."""
        if batch == 1:
            return self
        outputs = {
            name: (1, *shape[1:]) if shape[:1] == (batch,) else shape
            for name, shape in self.outputs.items()
        }
        return replace(self, outputs=outputs)

    @property
    def input_hw(self) -> tuple[int | None, int | None] | None:
        """Height and width of the first input that takes images, px; None if there is none."""
        for port in self.inputs:
            if len(port.shape) in (3, 4):
                is_last = port.shape[-1] in (1, 3) and port.shape[-3] not in (1, 3)
                height, width = port.shape[-3:-1] if is_last else port.shape[-2:]
                return height, width
        return None

    @property
    def fixed_hw(self) -> tuple[int, int] | None:
        """Height and width of that input, px; None if a side is open."""
        height, width = self.input_hw or (None, None)
        return None if height is None or width is None else (height, width)


def shape_text(shape: Shape) -> str:
    """Return a shape as people write it: ``1x?x6``."""
    return "x".join("?" if side is None else str(side) for side in shape)


def _stamp(path: Path) -> tuple[int, int] | None:
    """Return size and time of a file, which change when it is replaced; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _weight_files(path: Path) -> list[Path]:
    """Return the other files that hold the weights of a file: ONNX's external data, a ``.bin``.

    Raises:
        OSError: if the file can't be read.
        ValueError: if the file is empty, or names one that doesn't exist.
    """
    names = set()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for match in _LOCATION.finditer(content):
            length = sum((byte & 0x7F) << 7 * at for at, byte in enumerate(match[1]))
            names.add(content[match.end() : match.end() + length].decode())
    found = [path.parent / name for name in sorted(names)]
    if not all(each.is_file() for each in found):  # a device would have no end
        raise ValueError("no file of weights")
    beside = path.with_suffix(".bin")
    return [*found, beside] if beside.is_file() and beside not in found else found
