"""Reader of CelebA's images in the wild: a box and five landmarks of one face in each.

The class is "face", or one of CelebA's attributes and its opposite, so that a model can learn class
and box together. The aligned images have no boxes of their own: see ``aligned``.

Source: Liu et al. 2015, Deep Learning Face Attributes in the Wild (arXiv:1411.7766);
https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html
"""

from __future__ import annotations

from array import array
from pathlib import Path

from kpviewer.annotations.formats.celeba.tables import (
    FIRST_PX,
    POINT_NAMES,
    images_folder,
    images_of_split,
    read_table,
)
from kpviewer.annotations.problems import MALFORMED, STRICT, Problems
from kpviewer.annotations.reading.image_search import ImageSearch
from kpviewer.annotations.reading.object_columns import VISIBLE, ImageHead, ObjectColumns
from kpviewer.annotations.reading.values import listed, number, shorten
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError

BOXES, LANDMARKS, ATTRIBUTES = "list_bbox_celeba", "list_landmarks_celeba", "list_attr_celeba"
IMAGES = "img_celeba"
_PRESENT = "1"


def read_celeba_wild(
    folder: Path | str, subset: str | None = None, problems: Problems = STRICT
) -> AnnotationSet:
    """Read the images in the wild.

    Args:
        folder: folder with ``img_celeba`` and, each .txt or .csv, ``list_bbox_celeba``,
            ``list_landmarks_celeba``, ``list_eval_partition`` and ``list_attr_celeba``; or with the
            authors' ``Img``, ``Anno`` and ``Eval``, which hold them.
        subset: ``SPLIT`` or ``SPLIT,ATTRIBUTE``, such as ``train,Smiling``; an empty or missing
            split reads all images, a missing attribute reads the class "face".
        problems: collector of what can't be used, and is left out.

    Returns:
        The set, one face an image. With an attribute its classes are ``ATTRIBUTE`` and
        ``not ATTRIBUTE``. The images' sizes are (0, 0), because the files lack them.

    Raises:
        DatasetError: if something is missing or malformed. Faces without area are left out and
            counted in ``notes``.
    """
    root = Path(folder)
    split, _, attribute = (subset or "").partition(",")
    wanted = images_of_split(root, split or None)
    images = ImageSearch([images_folder(root, IMAGES)])
    points = _landmarks(root, problems)
    positives = _positives(root, attribute) if attribute else None
    objects = ObjectColumns(root, len(POINT_NAMES), problems)
    for where, cells in read_table(root, BOXES).rows(5, problems):
        if wanted is not None and cells[0] not in wanted:
            continue
        with problems.collected(MALFORMED):
            path = images.find(cells[0], where)
            left, top, width, height = (number(cell, "a side", where) for cell in cells[1:])
            box = (left, top, left + width, top + height)
            row = objects.add_image(ImageHead(path, (0, 0), path.name, "CelebA"))
            class_id = int(positives is not None and cells[0] not in positives)
            if objects.has_area(row, box, where):
                objects.add(row, box, class_id, points.get(cells[0], ()))
    if objects.last_image < 0:
        raise DatasetError(f"{root / BOXES} lists no face of the split {split or 'all'}.")
    names = (attribute, f"not {attribute}") if attribute else ("face",)
    return AnnotationSet(objects.images(), names, POINT_NAMES, notes=objects.notes)


def _landmarks(root: Path, problems: Problems) -> dict[str, array[float]]:
    """Return x, y and visibility flag of the five landmarks of each image."""
    found: dict[str, array[float]] = {}
    for where, cells in read_table(root, LANDMARKS).rows(1 + 2 * len(POINT_NAMES), problems):
        with problems.collected(MALFORMED):
            values = [number(cell, "a landmark", where) + FIRST_PX for cell in cells[1:]]
            flat = [
                value for x, y in zip(values[::2], values[1::2], strict=True)
                for value in (x, y, VISIBLE)
            ]  # fmt: skip
            found[cells[0]] = array("f", flat)
    return found


def _positives(root: Path, attribute: str) -> set[str]:
    """Return the names of the images that have an attribute."""
    table = read_table(root, ATTRIBUTES)
    names = table.names
    if attribute not in names:
        raise DatasetError(
            f"{table.path} has no attribute {shorten(attribute)}; it has: {listed(names, 40)}."
        )
    column = 1 + names.index(attribute)
    return {cells[0] for _, cells in table.rows(1 + len(names)) if cells[column] == _PRESENT}
