"""What is wrong in a data set, and where; readers tell it here instead of stopping at the first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from kpviewer.errors import DatasetError

MALFORMED = "entry is malformed"
UNKNOWN_CLASS = "class is unknown"
NO_AREA = "box has no area"
INVERTED = "box is inverted"
NO_PICTURE = "object belongs to no picture"
UNREADABLE_XML = "annotation file can't be used"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong."""

    what: str
    """The same words for all of a kind."""
    where: str
    """File, and the place in it."""
    is_error: bool = True
    """Whether training must not start with it; else it is worth a look."""


@contextmanager
def told(problems: list[Problem] | None, what: str) -> Iterator[None]:
    """Turn a DatasetError of the block into a problem, and go on behind it.

    Args:
        problems: what grows; None lets the error through.
        what: kind of the problem; its place is the error's message.
    """
    try:
        yield
    except DatasetError as error:
        if problems is None:
            raise
        problems.append(Problem(what, str(error)))


def box_problem(xyxy: Sequence[float]) -> str | None:
    """Say what is wrong with the corners of a box by themselves; None if nothing is."""
    width, height = xyxy[2] - xyxy[0], xyxy[3] - xyxy[1]
    if width < 0 or height < 0:
        return INVERTED
    return NO_AREA if width == 0 or height == 0 else None
