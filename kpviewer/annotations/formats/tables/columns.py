"""Meaning of the columns of a table of boxes, by the names that common tools write.

The tools: kpviewer, TensorFlow's scripts, Kaggle's sets, Open Images, makesense.ai and RetinaNet
(the last two write no header line).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from kpviewer.image_files import IMAGE_SUFFIXES

CORNERS, QUAD, SIDES, CENTRE, TEXT = "corners", "quad", "sides", "centre", "text"
"""Forms of a box: two corners; four corners of a rotated box; a corner and the
sides; the centre and the sides; one text."""

_FILE = (
    "file", "filename", "fname", "imagefilename", "imagefile", "imagename", "imgname", "imgfile",
    "imgfilename", "imagepath", "imgpath", "filepath", "path", "image", "img", "imageid", "imgid",
    "picture", "photo", "externalid", "imageurl", "video", "videoname", "videofile",
)  # fmt: skip
_CLASS = (
    "class", "classname", "label", "labelname", "category", "categoryname", "objectclass",
    "objectname", "object", "classlabel", "cls", "species", "tag", "name", "type", "classid",
    "labelid", "categoryid",
)  # fmt: skip
_FRAME = ("frame", "frameinfile", "frameindex", "framenumber", "frameno", "framenum")
_LABELS = ("labels", "tags")
"""Columns of all labels of an image, unlike those of one object."""
_PREFIXES = ("", "bbox", "box", "boundingbox", "bb", "rect", "roi")


def _with_prefixes(*names: str) -> tuple[str, ...]:
    return tuple(prefix + name for prefix in _PREFIXES for name in names)


_LEFT = _with_prefixes("xmin", "x1", "left", "minx", "xleft", "xtl", "topleftx", "leftx", "tlx",
                       "xstart", "startx")  # fmt: skip
_TOP = _with_prefixes("ymin", "y1", "top", "miny", "ytop", "ytl", "toplefty", "topy", "tly",
                      "ystart", "starty")  # fmt: skip
_RIGHT = _with_prefixes("xmax", "x2", "right", "maxx", "xright", "xbr", "bottomrightx", "rightx",
                        "brx", "xend", "endx")  # fmt: skip
_BOTTOM = _with_prefixes("ymax", "y2", "bottom", "maxy", "ybottom", "ybr", "bottomrighty",
                         "bottomy", "bry", "yend", "endy")  # fmt: skip
_QUAD = tuple(_with_prefixes(f"{axis}{corner}") for corner in range(1, 5) for axis in "xy")
_X, _Y = _with_prefixes("x"), _with_prefixes("y")
_CENTRE_X = _with_prefixes("xcenter", "xcentre", "centerx", "centrex", "cx", "xc")
_CENTRE_Y = _with_prefixes("ycenter", "ycentre", "centery", "centrey", "cy", "yc")
_WIDE, _HIGH = (
    (*_with_prefixes(name[0]), *_with_prefixes(name)[1:], name) for name in ("width", "height")
)
"""Plain "width" and "height" come last: beside others, they are the image's."""
_BOX_TEXT = ("bbox", "box", "boundingbox")
_SEEN = ("_v", "_vis", "_visible", "_visibility")
"""Ends of the names of columns that say whether a keypoint is visible."""
_IMAGE_WIDE = ("imagewidth", "imgwidth", "imwidth", "originalwidth", "picturewidth", "framewidth")
_IMAGE_HIGH = tuple(name.replace("width", "height") for name in _IMAGE_WIDE)


@dataclass(frozen=True, slots=True)
class Columns:
    """Indices of a table's columns by their meaning, from 0; None if there is none."""

    file: int
    box: tuple[int, ...]
    form: str
    class_name: int | None = None
    width: int | None = None
    """Column of the image's width."""
    height: int | None = None
    difficult: int | None = None
    source: int | None = None
    frame: int | None = None
    points: tuple[tuple[str, int, int, int | None], ...] = ()
    """Name of each keypoint, and its columns of x, y and visibility."""
    ignored: tuple[str, ...] = ()
    """Names of the columns that aren't read."""


def find_columns(header: Sequence[str]) -> Columns | None:
    """Find the columns by their names in the header; None if the image or the box is missing."""
    plain = [plain_name(name) for name in header]

    def first(*names: str) -> int | None:
        return next((plain.index(name) for name in names if name in plain), None)

    file = first(*_FILE)
    box, form = _box(first)
    if file is None or not box:
        return None
    wide, high = first(*_IMAGE_WIDE), first(*_IMAGE_HIGH)
    if wide is None and high is None and not set(box) & {first("width"), first("height")}:
        wide, high = first("width"), first("height")
    named = {
        "class_name": first(*_CLASS),
        "width": wide,
        "height": high,
        "difficult": first("difficult", "iscrowd", "isgroupof"),
        "source": first("source"),
        "frame": first(*_FRAME),
    }
    taken = {file, *box, *(column for column in named.values() if column is not None)}
    points = []
    at = {name: column for column, name in reversed(list(enumerate(header)))}
    for column, name in enumerate(header):
        other = at.get(name.removesuffix("_x") + "_y") if name.endswith("_x") else None
        if other is not None and not {column, other} & taken:
            stem = name.removesuffix("_x")
            seen = next((at[stem + end] for end in _SEEN if stem + end in at), None)
            points.append((stem, column, other, seen))
    read = taken.union(*(point[1:] for point in points))
    ignored = tuple(name for column, name in enumerate(header) if name and column not in read)
    return Columns(file, box, form, points=tuple(points), ignored=ignored, **named)


def plain_name(name: str) -> str:
    """Return a column's name in the form that all its spellings share."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def file_column(header: Sequence[str]) -> int | None:
    """Return the column of the image's name; None if there is none."""
    return _first_of(header, _FILE)


def label_column(header: Sequence[str]) -> int | None:
    """Return the column of all labels of an image; None if there is none."""
    return _first_of(header, _LABELS)


def _first_of(header: Sequence[str], names: Sequence[str]) -> int | None:
    plain = [plain_name(name) for name in header]
    return next((plain.index(name) for name in names if name in plain), None)


def _box(first: Callable[..., int | None]) -> tuple[tuple[int, ...], str]:
    """Return the columns of the box and its form; no columns if there is no box."""
    sides = (_WIDE, _HIGH)
    forms = (
        (_QUAD, QUAD),
        ((_with_prefixes("x0"), _with_prefixes("y0"), _with_prefixes("x1"), _with_prefixes("y1")),
         CORNERS),
        ((_LEFT, _TOP, _RIGHT, _BOTTOM), CORNERS),
        ((_CENTRE_X, _CENTRE_Y, *sides), CENTRE),
        ((_LEFT, _TOP, *sides), SIDES),
        ((_X, _Y, *sides), SIDES),
        ((_BOX_TEXT,), TEXT),
    )  # fmt: skip
    for names, form in forms:
        found = tuple(column for each in names if (column := first(*each)) is not None)
        if len(found) == len(names):
            return found, form
    return (), ""


def guess_columns(row: Sequence[str]) -> Columns | None:
    """Guess the columns of a table without header from its first row; None if unknown."""
    cells = [cell.strip() for cell in row]
    images = [PurePath(cell).suffix.lower() in IMAGE_SUFFIXES for cell in cells]
    numbers = [_is_number(cell) or not cell for cell in cells]
    if len(cells) == 8 and images[5] and all(numbers[1:5]):  # makesense.ai
        return Columns(5, (1, 2, 3, 4), SIDES, 0, 6, 7)
    if not cells or not images[0]:
        return None
    if len(cells) == 8 and all(numbers[4:]) and not numbers[3]:  # TensorFlow's order
        return Columns(0, (4, 5, 6, 7), CORNERS, 3, 1, 2)
    if len(cells) in (5, 6) and all(numbers[1:5]):  # RetinaNet
        return Columns(0, (1, 2, 3, 4), CORNERS, 5 if len(cells) == 6 else None)
    return None


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True
