"""Lines of YOLO label files in the dialects that tools write.

Classes are numbers (also ``0.0``) or names; decimals have points or commas; blanks, tabs, commas or
semicolons separate the words; comments, blank lines and a header line are skipped.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kpviewer.annotations.reading.values import Location, checked_flag, number, shorten
from kpviewer.errors import DatasetError
from kpviewer.structures import BOX_CORNERS

MAX_UNNAMED = 10_000
"""Largest number of classes if no list names them."""
_SLACK = 0.01
"""Distance by which relative coordinates may exceed [0, 1], as in other tools."""
_REACH = 1.0
"""Distance by which corners of polygons and rotated boxes, and keypoints, may lie outside: they are
never in px then. Polygons are cut at the edges."""
_VISIBLE = 2.0
SURE = 0.5
"""Score from which on Ultralytics takes a keypoint for visible."""
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_COLUMN = re.compile(
    r"(?:bbox_?|box_?)?(?:(?:c|cent(?:er|re)_?)?[xy](?:_?c|_?cent(?:er|re)|_?min|_?max|_?\d)?"
    r"|w(?:idth)?|h(?:eight)?)",
    re.IGNORECASE,
)
"""Name of a coordinate or side in a header line."""
_DECIMAL_COMMA = re.compile(r"-?\d+(?:,\d+)?")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class YoloObject:
    """One line, in coordinates relative to the image's size."""

    class_word: str
    """Number or name of the class, as written."""
    edges: tuple[float, float, float, float]
    """Left, top, right, bottom."""
    corners: int = 0
    """Number of a polygon's corners; 0 for a box."""
    outline: tuple[float, ...] = ()
    """x and y of the corners of a rotated box or polygon; empty for others."""
    points: tuple[tuple[float, float, float], ...] = ()
    """x, y and visibility of each keypoint: 0 unknown, 1 covered, 2 visible; empty: unknown."""


def words_of_lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield number (from 1) and words of each line that describes an object."""
    for line_number, line in enumerate(text.rstrip("\x1a").splitlines(), 1):
        words = _words(_COMMENT.sub("", line) if "#" in line else line)
        is_header = line_number == 1 and sum(map(bool, map(_COLUMN.fullmatch, words))) >= 4
        if words and not is_header:
            yield line_number, words


def _words(line: str) -> list[str]:
    words = line.split()
    if "," not in line and ";" not in line:
        return words
    if len(words) > 4 and all(map(_DECIMAL_COMMA.fullmatch, words[-4:])):
        return [word.replace(",", ".") for word in words]
    if ";" in line:
        return line.replace(",", ".").replace(";", " ").split()
    return line.replace(",", " ").split()


def read_line(
    words: list[str],
    kpt_shape: tuple[int, int] | None,
    where: Location,
    *,
    are_predicted: bool = False,
) -> YoloObject:
    """Read one line.

    Args:
        words: words of the line.
        kpt_shape: number of keypoints, and values of each; None: no keypoints.
        where: location for the error.
        are_predicted: whether keypoints may have scores instead of their visibility, and a score
            and a track number may follow them or corners, as Ultralytics' ``save_txt`` writes them.

    Raises:
        DatasetError: if it isn't a box, polygon or pose in relative coordinates.
    """
    first = next((row for row, word in enumerate(words) if _NUMBER.fullmatch(word)), len(words))
    first = max(first, 1)
    name, values = (
        " ".join(words[:first]),
        [number(word, "a share", where) for word in words[first:]],
    )
    behind = -1 if kpt_shape is None else len(values) - 4 - kpt_shape[0] * kpt_shape[1]
    if kpt_shape is not None and 0 <= behind <= (2 if are_predicted else 0):
        if are_predicted:
            values = _without_scores(values, kpt_shape)
        points = _points(values[4:], kpt_shape, where)
        return YoloObject(name, _box(values[:4], where), points=points)
    if len(values) in (4, 5) or _is_tracked(values, words[-1]):  # 5: with its score
        if values[4:] and values[4] % 1 and not 0 < values[4] < 1:
            raise DatasetError(
                f"{where}: behind a box, there may be a score or the number of a track, got "
                f"{values[4]:g}. If it is an angle, write the four corners."
            )
        return YoloObject(name, _box(values[:4], where))
    if are_predicted and kpt_shape is None:
        values = values[: len(values) - _behind_corners(values, words[-1])]
    is_even = len(values) >= 6 and len(values) % 2 == 0
    if kpt_shape is None and is_even and not _has_flags(values):
        _shares(values, where, _REACH)
        shown = [min(max(value, 0.0), 1.0) for value in values]
        x, y = shown[::2], shown[1::2]
        outline = values if len(x) == BOX_CORNERS else shown  # rotated boxes keep their shape
        return YoloObject(name, (min(x), min(y), max(x), max(y)), len(x), tuple(outline))
    raise DatasetError(
        f"{where}: {len(words)} numbers aren't a box, polygon or pose. Points need kpt_shape in "
        "data.yaml."
    )


def _has_flags(values: list[float]) -> bool:
    """Return whether keypoints with their visibility follow a box, as Label Studio writes them.

    Some are visible: a corner of a polygon is never at 2.
    """
    flags = values[6::3]
    return len(values) % 3 == 1 and 2.0 in flags and {*flags} <= {0.0, 1.0, 2.0}


def _is_tracked(values: list[float], last: str) -> bool:
    """Return whether six values are a box with score and number, as Ultralytics' ``track`` writes.

    A corner of a triangle at the very edge may be a 1, too: then the first four are seldom a box.
    """
    if len(values) != 6 or not last.isdecimal() or int(last) == 0:
        return False
    x, y, width, height = values[:4]
    far = max(abs(x - 0.5) + width / 2, abs(y - 0.5) + height / 2)
    return int(last) > 1 or far <= 0.5 + _SLACK


def _behind_corners(values: list[float], last: str) -> int:
    """Return how many numbers follow corners: a score, the number of a track, or both.

    Ultralytics writes the latter without decimals; its corners never reach 1.
    """
    is_track = last.isdecimal() and int(last) > 0
    if len(values) % 2:
        return int(is_track or 0 < values[-1] < 1)
    return 2 if is_track and len(values) >= 2 * BOX_CORNERS + 2 and 0 < values[-2] < 1 else 0


def class_of(word: str, names: Mapping[str, int], count: int, where: Location) -> int | str:
    """Return the number of a class, or its name if there is no list of names.

    Args:
        word: the class as written.
        names: numbers by name; empty if there is no list.
        count: number of listed classes, of which some may have one name.
        where: location for the error.

    Raises:
        DatasetError: if there is no such class.
    """
    limit = count or MAX_UNNAMED
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


def _shares(values: list[float], where: Location, reach: float = _SLACK) -> None:
    """Check that coordinates aren't further than ``reach`` outside of the image."""
    for value in values:
        if not -reach <= value <= 1 + reach:
            raise DatasetError(
                f"{where}: coordinates must be relative to the image, from 0 to 1, got {value:g}. "
                "Are they pixels?"
            )


def _box(values: list[float], where: Location) -> tuple[float, float, float, float]:
    x, y, width, height = values
    _shares(values, where)
    edges = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return edges  # may exceed [0, 1] a little: clipping is the model's task


def _without_scores(values: list[float], shape: tuple[int, int]) -> list[float]:
    """Return a pose with visibility instead of scores, and without what follows it."""
    count, size = shape
    values = values[: 4 + count * size]
    scores = values[6::3] if size == 3 else []
    if any(score % 1 for score in scores):
        values[6::3] = [_VISIBLE if score >= SURE else 0.0 for score in scores]
    return values


def _points(
    values: list[float], shape: tuple[int, int], where: Location
) -> tuple[tuple[float, float, float], ...]:
    """Return x, y and visibility; without the latter, a point at (0, 0) or outside is unknown."""
    count, size = shape
    rows = [values[row * size : (row + 1) * size] for row in range(count)]
    points = []
    for x, y, *flag in rows:
        is_there = x >= 0 and y >= 0 and (x, y) != (0, 0)
        seen = checked_flag(flag[0], where) if flag else _VISIBLE
        if seen and max(x, y) > 1 + _REACH:
            _shares([x, y], where, _REACH)
        points.append((x, y, seen if is_there else 0.0))
    return tuple(points)
