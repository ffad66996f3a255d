"""Class names of files: their own, COCO's where their number makes that certain, or numbers."""

from contextlib import suppress
from typing import Any, NamedTuple

from kpviewer.models.limits import MAX_CLASSES, clean_name
from kpviewer.models.names.coco_classes import NAMES, names_by_id
from kpviewer.models.onnx.description import UNNAMED
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.onnx.families.entries import named_classes

_WORDS = ("labels", "model_info labels")
"""Entries of OpenVINO's model_info, in its file and in one of ONNX: words with spaces between."""
_ENTRIES = ("names", "class_names", "classes", *_WORDS)
_SEPARATORS = set(",[{\n")
"""Characters of a list in another form."""
_ASSUMED = 91
"""Number of classes of a file that doesn't say how many it has: the largest of COCO."""


class Naming(NamedTuple):
    """Names of a file's classes, and where they come from."""

    names: tuple[str, ...]
    summary: str
    """Such as "3 classes without names"."""
    notes: tuple[str, ...]

    def described(self, **fields: Any) -> dict[str, Any]:
        """Return the fields of a description with these classes."""
        return {"classes": self.names, "notes": self.notes, **fields}


def counted(classes: int) -> str:
    """Return "1 class" or "2 classes"."""
    return "1 class" if classes == 1 else f"{classes} classes"


def own_names(facts: FileFacts) -> tuple[str, ...] | None:
    """Return the class names in the metadata; None if there are none that can be read."""
    for entry in _ENTRIES:
        text = facts.metadata.get(entry, "")
        if entry in _WORDS and not _SEPARATORS & set(text):
            if words := text.split():
                return tuple(map(clean_name, words))
        elif text:
            with suppress(ValueError):
                return tuple(named_classes(facts.metadata, entry))
    return None


def naming(
    facts: FileFacts, count: int | None, *, is_by_id: bool = False, first: int = 0
) -> Naming:
    """Name the classes of a file.

    Args:
        facts: what the file says.
        count: number of its classes; None if nothing says it.
        is_by_id: whether the classes of COCO are 91, by id, or 80.
        first: number of the first class.

    Raises:
        ValueError: if there are too many classes.
    """
    own = own_names(facts)
    if own is not None and count in (None, len(own)):
        return Naming(own, counted(len(own)), ())
    if count is None:
        numbered = tuple(f"class {number}" for number in range(first, _ASSUMED))
        return Naming(numbered, "classes without names", (f"{UNNAMED}, so they are numbered.",))
    unnamed = UNNAMED if own is None else f"{UNNAMED} that fit ({len(own)} names, {count} columns)"
    if count > MAX_CLASSES:
        raise ValueError(f"it has {count:,} classes, at most {MAX_CLASSES:,}")
    coco = names_by_id()[first:] if is_by_id else NAMES
    if count == len(coco):
        note = f"{unnamed}. It has {count}, as COCO has, so COCO's names are shown."
        return Naming(coco, f"{counted(count)}, named as COCO's", (note,))
    numbered = tuple(f"class {number}" for number in range(first, first + count))
    return Naming(
        numbered, f"{counted(count)} without names", (f"{unnamed}, so they are numbered.",)
    )
