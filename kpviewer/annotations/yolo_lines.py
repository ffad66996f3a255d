"""Lines of YOLO label files in the dialects that tools write.

A class by number (also ``0.0``) or by name; decimal points or commas; blanks, tabs, commas or
semicolons between the words; comments, blank lines and a line of column names are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kpviewer.annotations.values import Where, number, shorten
from kpviewer.errors import DatasetError

MOST_UNNAMED = 10_000
"""Classes by number, where no list has their names."""
_SLACK = 0.01
"""How far beyond the image a share may lie, as others allow too."""
_VISIBLE = 2.0
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_DECIMAL_COMMA = re.compile(r"-?\d+(?:,\d+)?")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class YoloObject:
    """One line, in shares of the image."""

    class_word: str
    """Number or name of its class, as written."""
    edges: tuple[float, float, float, float]
    """Left, top, right, bottom."""
    points: tuple[tuple[float, float, float], ...] = ()
    """x, y and visibility of each keypoint: 0 unknown, 1 covered, 2 in sight; empty: unknown."""


def words_of_lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the words of the lines that hold an object, with their numbers from 1."""
    for place, line in enumerate(text.rstrip("\x1a").splitlines(), 1):
        words = _words(_COMMENT.sub("", line) if "#" in line else line)
        is_header = place == 1 and len(words) >= 5 and not any(map(_NUMBER.fullmatch, words))
        if words and not is_header:
            yield place, words


def _words(line: str) -> list[str]:
    words = line.split()
    if "," not in line and ";" not in line:
        return words
    if len(words) > 4 and all(map(_DECIMAL_COMMA.fullmatch, words[-4:])):
        return [word.replace(",", ".") for word in words]
    if ";" in line:
        return line.replace(",", ".").replace(";", " ").split()
    return line.replace(",", " ").split()


def read_line(words: list[str], kpt_shape: tuple[int, int] | None, where: Where) -> YoloObject:
    """Read one line.

    Args:
        words: of the line.
        kpt_shape: number of keypoints, and numbers of each; None: there are none.
        where: for the error.

    Raises:
        DatasetError: if it is no box, polygon or pose in shares of the image.
    """
    first = next((row for row, word in enumerate(words) if _NUMBER.fullmatch(word)), len(words))
    first = max(first, 1)
    name, values = (
        " ".join(words[:first]),
        [number(word, "a share", where) for word in words[first:]],
    )
    if kpt_shape is not None and len(values) == 4 + kpt_shape[0] * kpt_shape[1]:
        return YoloObject(name, _box(values[:4], where), _points(values[4:], kpt_shape))
    if len(values) in (4, 5):  # 5: with a score, as predictions have it
        return YoloObject(name, _box(values[:4], where))
    if kpt_shape is None and len(values) >= 6 and len(values) % 2 == 0:
        x, y = _shares(values[::2], where), _shares(values[1::2], where)
        return YoloObject(name, (min(x), min(y), max(x), max(y)))
    raise DatasetError(
        f"{where}: {len(words)} numbers are no box, polygon or pose. Points need their kpt_shape "
        "in data.yaml."
    )


def class_of(word: str, names: Mapping[str, int], where: Where) -> int | str:
    """Return the number of a class, or its name where nothing lists the names.

    Args:
        word: as written.
        names: numbers by name; empty where nothing lists them.
        where: for the error.

    Raises:
        DatasetError: if there is no such class.
    """
    limit = len(names) or MOST_UNNAMED
    if _NUMBER.fullmatch(word):
        value = float(word)
        if value.is_integer() and 0 <= value < limit:
            return int(value)
    elif word in names:
        return names[word]
    elif word and not names:
        return word
    raise DatasetError(
        f"{where}: the class must be a number below {limit}{' or a name' if names else ''}, got "
        f"{shorten(word)}. Does the list of classes belong to these labels?"
    )


def _shares(values: list[float], where: Where) -> list[float]:
    for value in values:
        if not -_SLACK <= value <= 1 + _SLACK:
            raise DatasetError(
                f"{where}: places must be shares of the image, from 0 to 1, got {value:g}. "
                "Are they pixels?"
            )
    return [min(max(value, 0.0), 1.0) for value in values]


def _box(values: list[float], where: Where) -> tuple[float, float, float, float]:
    x, y, width, height = values
    _shares(values, where)
    edges = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return edges  # may lie a little outside: where a box is cut is the model's affair


def _points(values: list[float], shape: tuple[int, int]) -> tuple[tuple[float, float, float], ...]:
    """Return x, y and visibility; without visibility, a point at (0, 0) or outside is unknown."""
    count, size = shape
    rows = [values[row * size : (row + 1) * size] for row in range(count)]
    points = []
    for x, y, *flag in rows:
        is_there = x >= 0 and y >= 0 and (x, y) != (0, 0)
        seen = flag[0] if flag else _VISIBLE
        points.append((x, y, seen if is_there else 0.0))
    return tuple(points)
