"""Fits the names in annotations to the names of files, where only one file can be meant.

Tools write one file in many ways: with another folder in front, with ``%20`` for a blank, in upper
case, in another form of Unicode, with another ending, or with marks of their own around the name.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import PurePath
from urllib.parse import unquote

from kpviewer.image_files import IMAGE_SUFFIXES

_DEPTHS = (8, 4, 3, 2, 1)
"""Parts of a path that are compared, from the end; a longer agreement decides first."""
_MARKS = re.compile(
    r"^[0-9a-f]{8}-(?=.)"  # Label Studio's, of an upload
    r"|^coco_(?:train|val|test)\d{4}_(?=.)"
    r"|[_.](?:jpe?g|png|bmp|webp|tiff?)\.rf\.[0-9a-z]+$"  # Roboflow's, of a version
)
_BLANKS = re.compile(r"[\s+_-]+")
_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


def fit_names(wanted: Sequence[PurePath], there: Sequence[PurePath]) -> dict[int, int]:
    """Find the file that each name stands for.

    A name fits a file where both are the only ones of their spelling. Exact spellings are compared
    first, then looser and looser ones. The time is linear in the number of names.

    Args:
        wanted: names in annotations, with the folders that are known.
        there: files.

    Returns:
        Rows of ``there`` by rows of ``wanted``; names that fit none, or several, are absent.
    """
    found: dict[int, int] = {}
    taken: set[int] = set()
    for spelling in (_exact, _plain, _without_ending, _without_marks):
        own, others = [spelling(path) for path in wanted], [spelling(path) for path in there]
        for depth in _DEPTHS:
            if len(found) == len(wanted) or len(taken) == len(there):
                return found
            files = _alone(others, depth)
            for key, row in _alone(own, depth).items():
                place = files.get(key)
                if place is not None and row not in found and place not in taken:
                    found[row] = place
                    taken.add(place)
    return found


def _alone(spelled: Sequence[tuple[str, ...]], depth: int) -> dict[tuple[str, ...], int]:
    """Return the rows whose last parts no other row has."""
    rows: dict[tuple[str, ...], int | None] = {}
    for row, parts in enumerate(spelled):
        key = parts[-depth:]
        rows[key] = None if key in rows else row
    return {key: row for key, row in rows.items() if row is not None}


def _exact(path: PurePath) -> tuple[str, ...]:
    return path.parts


def _plain(path: PurePath) -> tuple[str, ...]:
    return tuple(_plain_word(part) for part in path.parts)


def _plain_word(word: str) -> str:
    text = word.partition("?")[0] or word  # of an address
    if "%" in text or "&" in text:
        text = html.unescape(unquote(unquote(text)))
    return unicodedata.normalize("NFC", text).strip().casefold()


def _without_ending(path: PurePath) -> tuple[str, ...]:
    return _changed(path, lambda name: name)


def _without_marks(path: PurePath) -> tuple[str, ...]:
    return _changed(path, lambda name: _ZEROS.sub("", _BLANKS.sub("_", _MARKS.sub("", name))))


def _changed(path: PurePath, change: Callable[[str], str]) -> tuple[str, ...]:
    *folders, name = _plain(path) or ("",)
    ending = PurePath(name).suffix
    return (*folders, change(name.removesuffix(ending) if ending in IMAGE_SUFFIXES else name))
