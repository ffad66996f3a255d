"""Problems of a data set: what is wrong, where, what helps, and the notes that count them."""

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

CURES = {
    MALFORMED: "Correct the entry, or remove it.",
    UNKNOWN_CLASS: "Add the class to the list of classes, or remove the object.",
    NO_AREA: "Draw the box again, or remove the object.",
    INVERTED: "Exchange its sides: the left and the top one come first.",
    NO_PICTURE: "Add the image to the list of images, or remove the object.",
    UNREADABLE_XML: "Save the file again, or remove it with its image.",
}
"""What to do about each kind of problem, in one sentence."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong."""

    what: str
    """The same words for all of a kind."""
    where: str
    """File, and the place in it; or a sentence that names them."""
    is_error: bool = True
    """Whether training must not start with it; else it is worth a look."""
    is_sentence: bool = False
    """Whether ``where`` says what is wrong, too."""

    @property
    def text(self) -> str:
        """One sentence about this problem alone."""
        return self.where if self.is_sentence else f"{self.where}: {self.what}."


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
        problems.append(Problem(what, str(error), is_sentence=True))


def box_problem(xyxy: Sequence[float]) -> str | None:
    """Say what is wrong with the corners of a box by themselves; None if nothing is."""
    width, height = xyxy[2] - xyxy[0], xyxy[3] - xyxy[1]
    if width < 0 or height < 0:
        return INVERTED
    return NO_AREA if width == 0 or height == 0 else None


def left_out(count: int, total: int, unit: str, reason: str, first: str = "") -> str:
    """Return the note on what is left out: the one form for files, images, entries and classes.

    Args:
        count: how many are left out, at least 1.
        total: of how many.
        unit: what is counted, in the plural.
        reason: why, as a part of a sentence; or a sentence.
        first: name of the first one, where the reason doesn't name it.
    """
    others = f" and {count - 1} more" if count > 1 else ""
    place = f" ({first}{others})" if first else ""
    return f"{count} of {total} {unit} left out: {reason}{place}"


def problem_notes(problems: Sequence[Problem], kept: int) -> tuple[str, ...]:
    """Return a note on all entries that are left out, and one on each kind of lesser problem.

    Args:
        problems: of one data set.
        kept: entries that can be used.
    """
    errors = [problem for problem in problems if problem.is_error]
    notes = []
    if errors:
        reason = errors[0].text
        if len(errors) > 1:
            reason += " 'kpviewer check-data' lists all."
        notes.append(left_out(len(errors), len(errors) + kept, "entries", reason))
    kinds: dict[str, list[Problem]] = {}
    for problem in problems:
        if not problem.is_error:
            kinds.setdefault(problem.what, []).append(problem)
    for what, found in kinds.items():
        others = f" and {len(found) - 1} more" if len(found) > 1 else ""
        notes.append(f"{what}: {found[0].where}{others}")
    return tuple(notes)
