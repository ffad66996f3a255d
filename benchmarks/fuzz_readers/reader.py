"""A reader of files, with the function that damages them."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple, TypeAlias

Write: TypeAlias = Callable[[Path, Random], Path]
"""Writes one damaged file into an empty folder, and returns its path."""


class Reader(NamedTuple):
    """A reader of one kind of file. It imports its modules inside: listing readers stays fast."""

    write: Write
    read: Callable[[Path], object]
