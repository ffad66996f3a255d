"""Matching of names in annotations to files, if the match is unambiguous.

Tools write the same file in many ways: in another folder, with ``%20`` for a blank, in upper case,
in another Unicode form, with another ending, or with marks of their own around the name.
"""

import html
import re
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import PurePath
from urllib.parse import unquote

from kpviewer.image_files import IMAGE_SUFFIXES

_DEPTHS = (8, 4, 3, 2, 1)
"""Numbers of trailing path parts to compare; longer matches take precedence."""
_MARKS = re.compile(
    r"^[0-9a-f]{8}-(?=.)"  # Label Studio's mark of an upload
    r"|^coco_(?:train|val|test)\d{4}_(?=.)"
    r"|[_.](?:jpe?g|png|bmp|webp|tiff?)\.rf\.[0-9a-z]+$",  # Roboflow's mark of a version
    re.IGNORECASE,
)
_BLANKS = re.compile(r"[\s+_-]+")
_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


def fit_names(names: Sequence[PurePath], files: Sequence[PurePath]) -> dict[int, int]:
    """Match names to files.

    A name matches a file if no other name and no other file share its spelling. Exact spellings are
    compared first, then increasingly loose ones. The time is linear in the number of names.

    Returns:
        Rows of ``files`` by rows of ``names``; names without a match, or with several, are absent.
    """
    found: dict[int, int] = {}
    taken: set[int] = set()
    for spelling in (_exact, _plain, _without_ending, _without_marks):
        own, others = [spelling(path) for path in names], [spelling(path) for path in files]
        for depth in _DEPTHS:
            if len(found) == len(names) or len(taken) == len(files):
                return found
            spelled_files = _alone(others, depth)
            for key, row in _alone(own, depth).items():
                file_row = spelled_files.get(key)
                if file_row is not None and row not in found and file_row not in taken:
                    found[row] = file_row
                    taken.add(file_row)
    return found


def _alone(spelled: Sequence[tuple[str, ...]], depth: int) -> dict[tuple[str, ...], int]:
    """Return the rows whose trailing parts are unique, by these parts."""
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
    text = word.partition("?")[0] or word  # query of an address
    if "%" in text or "&" in text:
        text = html.unescape(unquote(unquote(text)))
    return unicodedata.normalize("NFC", text).strip().casefold()


def _without_ending(path: PurePath) -> tuple[str, ...]:
    return _changed(path, lambda name: name)


def _without_marks(path: PurePath) -> tuple[str, ...]:
    return _changed(path, lambda name: _ZEROS.sub("", _BLANKS.sub("_", without_marks(name))))


def without_marks(name: str) -> str:
    """Return a name, without its suffix, that labelling tools added nothing to."""
    return _MARKS.sub("", name)


def _changed(path: PurePath, change: Callable[[str], str]) -> tuple[str, ...]:
    *folders, name = _plain(path) or ("",)
    ending = PurePath(name).suffix
    return (*folders, change(name.removesuffix(ending) if ending in IMAGE_SUFFIXES else name))
