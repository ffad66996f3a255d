"""Reader of the ``.pts`` files of the 300-W face sets: one object an image.

Coordinates count from 1 in these files, so 1 is subtracted
(https://ibug.doc.ic.ac.uk/resources/300-W/; menpo does the same).
"""

from pathlib import Path

import numpy as np

from kpviewer.annotations.limits import decode_text, read_bounded
from kpviewer.annotations.problems import MALFORMED, STRICT, Problems, box_problem
from kpviewer.annotations.reading.folders import files_below
from kpviewer.annotations.reading.object_columns import VISIBLE, ImageHead, ObjectColumns
from kpviewer.annotations.reading.values import listed, number, shorten
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.image_files import IMAGE_SUFFIXES
from kpviewer.structures import FloatArray

LIMIT_MB = 1
CLASS_NAME = "face"
_FIRST_PX = 1.0
"""Coordinate of the first pixel in the files."""
_MAX_POINTS = 10_000
_CHAINS_OF_68 = ((0, 16), (17, 21), (22, 26), (27, 30), (31, 35), (36, 41), (42, 47), (48, 59),
                 (60, 67))  # fmt: skip
"""Jaw, brows, nose, nostrils, eyes, outer and inner lips: chains of consecutive points."""
_CLOSED_OF_68 = ((41, 36), (47, 42), (59, 48), (67, 60))
_MIRRORED_68 = (
    *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1),
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65,
)  # fmt: skip
"""Index of each point in a mirrored image, part by part as the chains."""


def read_pts(
    folder: Path | str, subset: str | None = None, problems: Problems = STRICT
) -> AnnotationSet:
    """Read the ``.pts`` files of a folder, with their images beside them.

    Args:
        folder: folder with ``NAME.pts`` and ``NAME.jpg``, ``.png`` and so on, at any depth.
        subset: name of a subfolder, to read only that one.
        problems: collector of what can't be used, and is left out.

    Returns:
        The set: one object of class "face" a file. Its box encloses its points, which are named by
        their numbers from 1. The size is (0, 0), because the files lack it.

    Raises:
        DatasetError: if there are none, one is malformed, or their numbers of points differ.
    """
    root = Path(folder)
    if subset is not None and not (root / subset).is_dir():
        known = listed(sorted(each.name for each in root.glob("*") if each.is_dir()))
        raise DatasetError(f"{root} has no folder {subset!r}; it has: {known}.")
    directory = root / subset if subset is not None else root
    files = files_below(directory, (".pts",))
    if not files:
        raise DatasetError(f"{directory} must hold .pts files, got none. Check the folder.")
    image_of = {path.with_suffix(""): path for path in files_below(directory, IMAGE_SUFFIXES)}
    objects, count = ObjectColumns(directory), 0
    for file in files:
        with problems.collected(MALFORMED):
            points = _read_points(file)
            if not count:
                count = len(points)
                objects = ObjectColumns(directory, count)
            if len(points) != count:
                raise DatasetError(
                    f"{file}: all files must have as many points, got {len(points)} after {count}. "
                    "Keep each kind in a folder of its own."
                )
            box = (*points.min(axis=0).tolist(), *points.max(axis=0).tolist())
            if box_problem(box) is not None:
                raise DatasetError(
                    f"{file}: all points lie in a line, so they have no box. Is it damaged?"
                )
            path = image_of.get(file.with_suffix(""), file.with_suffix(".jpg"))
            image = objects.add_image(ImageHead(path, (0, 0), path.name))
            objects.add(image, box, 0, np.insert(points, 2, VISIBLE, axis=1).ravel().tolist())
    names = tuple(str(index + 1) for index in range(count))
    mirrored = _MIRRORED_68 if count == len(_MIRRORED_68) else ()
    return AnnotationSet(objects.images(), (CLASS_NAME,), names, _skeleton(count), mirrored)


def _read_points(file: Path) -> FloatArray:
    """Read the (K, 2) points of a file, px from 0."""
    text = decode_text(read_bounded(file, LIMIT_MB), file, "replace")
    head, opening, rest = text.partition("{")
    body, closing, _ = rest.partition("}")
    if not opening or not closing:
        raise DatasetError(f"{file} must have its points between {{ and }}. Is it damaged?")
    rows = [line.split() for line in body.splitlines() if line.strip()]
    if not 0 < len(rows) <= _MAX_POINTS or any(len(row) != 2 for row in rows):
        raise DatasetError(f"{file} must have one point a line, as x y. Is it damaged?")
    header = next((line for line in head.splitlines() if line.strip().startswith("n_points")), None)
    if header is not None and header.partition(":")[2].strip() != str(len(rows)):
        raise DatasetError(
            f"{file} has {len(rows)} points, but says {shorten(header)}. Is it truncated?"
        )
    points = [[number(word, "a coordinate", file) for word in row] for row in rows]
    return np.array(points, np.float32) - np.float32(_FIRST_PX)


def _skeleton(count: int) -> tuple[tuple[int, int], ...]:
    """Return the skeleton of the 68 points of 300-W; other sets have none."""
    if count != 68:
        return ()
    chains = [(a, a + 1) for start, end in _CHAINS_OF_68 for a in range(start, end)]
    return (*chains, *_CLOSED_OF_68)
