"""Entries of metadata: Python literals or JSON, class names, switches."""

import ast
import warnings
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from kpviewer.models.limits import MAX_CLASSES, MAX_NAME, clean_name
from kpviewer.models.tables import UNREADABLE, decode_json, first_line

MAX_ENTRY_CHARACTERS = 500_000


def is_true(metadata: Mapping[str, str], key: str) -> bool:
    """Return whether an entry is "True", "YES" or "1"; False if it is absent."""
    return metadata.get(key, "").strip().lower() in ("true", "yes", "1")


def literal(metadata: Mapping[str, str], key: str, default: str) -> Any:
    """Parse an entry that is a Python literal, or JSON as other programs rewrite it.

    Raises:
        ValueError: if it is neither, or is too long.
    """
    text = metadata.get(key, default)
    if len(text) > MAX_ENTRY_CHARACTERS:
        raise ValueError(f"its entry {key!r} has {len(text):,} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd escapes and numbers
            return ast.literal_eval(text)
    except (SyntaxError, TypeError, *UNREADABLE) as error:
        with suppress(ValueError):
            return decode_json(text)  # true, false and null are no literals
        raise ValueError(f"its entry {key!r} can't be read ({first_line(error)})") from error


def named_classes(metadata: Mapping[str, str], key: str) -> list[str]:
    """Return the class names of an entry, which may also be a list of words: ``cat, dog``.

    Raises:
        ValueError: if they can't be read, aren't texts by number from 0, or are too many.
    """
    try:
        names = literal(metadata, key, "")
    except ValueError:
        text = metadata.get(key, "").strip()
        words = text.splitlines() if "\n" in text else text.split(",")
        names = [word.strip() for word in words if word.strip()]
        if not names or text[0] in "([{" or max(map(len, names)) > MAX_NAME:
            raise
    return class_names(names)


def class_names(names: object) -> list[str]:
    """Return the class names of ``{0: 'cat', 1: 'dog'}`` or ``['cat', 'dog']``, by column.

    Raises:
        ValueError: if they aren't texts by number from 0, or too many.
    """
    if isinstance(names, list | tuple):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not 0 < len(names) <= MAX_CLASSES:
        raise ValueError(f"names must be 1 to {MAX_CLASSES:,} classes by number")
    try:
        by_number = {int(str(key)): name for key, name in names.items()}
    except UNREADABLE as error:
        raise ValueError("names must be classes by number") from error
    if sorted(by_number) != list(range(len(names))):
        raise ValueError(f"names must be numbered from 0 to {len(names) - 1}")
    if not all(isinstance(name, str | int) for name in by_number.values()):
        raise ValueError("names must be texts")
    return [clean_name(str(by_number[number])) for number in range(len(names))]
