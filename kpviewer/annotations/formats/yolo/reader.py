"""Reader of YOLO text labels: boxes, and keypoints in the pose format.

One line an object: its class, then centre and size of its box relative to the image's size. If
``data.yaml`` has ``kpt_shape``, ``x y`` or ``x y v`` of each point follow. Polygons are
masks, or rotated boxes if all have four corners.
Format: https://docs.ultralytics.com/datasets/pose/
"""

import operator
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path

from kpviewer.annotations.formats.yolo.files import find_yolo_files
from kpviewer.annotations.formats.yolo.label_files import pair_labels
from kpviewer.annotations.formats.yolo.lines import class_of, read_line, words_of_lines
from kpviewer.annotations.formats.yolo.poses import polygon_is_pose, with_poses
from kpviewer.annotations.limits import decode_text, read_bounded
from kpviewer.annotations.problems import MALFORMED, STRICT, Problems
from kpviewer.annotations.reading.object_columns import ImageHead, ObjectColumns
from kpviewer.annotations.reading.values import EntryLocation, size_of_image
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.annotations.yolo_yaml import YoloNames
from kpviewer.errors import DatasetError
from kpviewer.structures import BOX_CORNERS

LIMIT_MB = 16
_MIN_POSES = 3
"""Smallest number of polygons that have as many corners by more than chance."""
_MOST, _SOME = 0.99, 0.1
"""Shares of polygons from which on they are poses: of those that may be, and that must be.

Of 8,954 faces with 5 keypoints 0.999 and 0.22; of random polygons of 5 corners 0.19 and 0.02.
"""


def read_yolo(
    folder: Path | str,
    split: str | None = None,
    problems: Problems = STRICT,
    *,
    needs_images: bool = True,
) -> AnnotationSet:
    """Read a folder of YOLO labels.

    Args:
        folder: folder with ``images`` and ``labels`` (or ``SPLIT/images`` and ``SPLIT/labels``); an
            image without a label file then shows nothing. Or a folder with text files beside its
            images, as LabelImg and CVAT write it; such an image is then not in the set. Or the
            YAML file of a set, or the folder of its labels.
        split: a folder in ``images``, a folder that holds ``images``, or an entry of the YAML file;
            or the path of the image folder. None reads all.
        problems: collector of what can't be used, and is left out.
        needs_images: whether labels without images are an error. Otherwise each label file is an
            image of 1x1 px, and the set lists the files as ``label_files``.

    Returns:
        The set; classes in the order of ``data.yaml`` or ``classes.txt``. Without these, classes
        are the names in the labels in alphabetical order, or the numbers.

    Raises:
        DatasetError: if something is missing or malformed. Boxes without area are left out and
            counted in ``notes``.
    """
    root = Path(folder)
    files = find_yolo_files(root, split, needs_images=needs_images)
    names = with_poses(files.names, files.alone) if files.alone else files.names
    reading = _Reading(root, names, problems, are_predicted=bool(files.alone))
    for image, labels in pair_labels(files.pairs, problems):
        with problems.collected(MALFORMED):
            reading.add(image, labels, size_of_image(image, labels))
    for labels in files.alone:
        with problems.collected(MALFORMED):
            reading.add(labels, labels, (1, 1))
    return replace(reading.result(), label_files=tuple(files.alone))


class _Reading:
    """One reading of a set, file by file."""

    def __init__(
        self, root: Path, names: YoloNames, problems: Problems, *, are_predicted: bool
    ) -> None:
        self._root, self._names, self._problems = root, names, problems
        self._are_predicted = are_predicted
        # of equal names the first counts
        self._known = {name: i for i, name in reversed(list(enumerate(names.class_names)))}
        self._objects = ObjectColumns(root, self._keypoints, problems)
        self._most = -1
        self._corners: Counter[int] = Counter()
        self._poses = [0, 0]
        """Numbers of polygons that may be poses, and that must be."""

    @property
    def _keypoints(self) -> int:
        return self._names.kpt_shape[0] if self._names.kpt_shape else 0

    def add(self, image: Path, labels: Path, size_wh: tuple[int, int]) -> None:
        """Read the labels of one image; without a label file it shows nothing.

        Raises:
            DatasetError: if the file can't be read.
        """
        text = ""
        if os.path.lexists(labels):  # anything else than a file is reported
            text = decode_text(read_bounded(labels, LIMIT_MB), labels, "replace")
        if "\0" in text:
            raise DatasetError(f"{labels} must be text, got binary data. Save the labels again.")
        row = self._objects.add_image(ImageHead(image, size_wh, image.name))
        for line, words in words_of_lines(text):
            with self._problems.collected(MALFORMED, row):
                self._add_object(words, size_wh, EntryLocation(labels, "line", line))

    def _add_object(self, words: list[str], size_wh: tuple[int, int], where: EntryLocation) -> None:
        shape, are_predicted = self._names.kpt_shape, self._are_predicted
        found = read_line(words, shape, where, are_predicted=are_predicted)
        class_id = self._class_id(found.class_word, where)
        self._corners[found.corners] += 1
        if found.corners not in (0, BOX_CORNERS) and len({*self._corners} - {0}) == 1:
            self._poses = list(map(operator.add, self._poses, polygon_is_pose(found.outline)))
        image = self._objects.last_image
        if self._objects.has_area(image, found.edges, where):
            width, height = size_wh
            box = [edge * side for edge, side in zip(found.edges, size_wh * 2, strict=True)]
            points = [each for x, y, seen in found.points for each in (x * width, y * height, seen)]
            self._objects.add(image, box, class_id, points)
            self._objects.set_outline([*map(operator.mul, found.outline, cycle(size_wh))])

    def _class_id(self, word: str, where: EntryLocation) -> int:
        found = class_of(word, self._known, len(self._names.class_names), where)
        is_number = isinstance(found, int)
        if len(self._objects.classes) if is_number else self._most >= 0:
            raise DatasetError(
                f"{where}: some classes are numbers, others names. List them in classes.txt."
            )
        if isinstance(found, str):
            return self._objects.classes.number(found)
        self._most = max(self._most, found)
        return found

    def result(self) -> AnnotationSet:
        """Return the set."""
        names, new_ids = self._names.class_names, None
        if not names and len(self._objects.classes):
            names, new_ids = self._objects.classes.in_order()
        names = names or tuple(str(number) for number in range(self._most + 1))
        points = self._names.keypoint_names
        points = points or tuple(str(index + 1) for index in range(self._keypoints))
        return AnnotationSet(
            self._objects.images(new_ids),
            names,
            points,
            mirrored_keypoints=self._names.mirrored_keypoints,
            notes=(*self._names.notes, *self._objects.notes, *self._suspected_poses()),
        )

    def _suspected_poses(self) -> Iterator[str]:
        """Yield a note if all polygons have as many corners, as poses look like.

        Raises:
            DatasetError: if they are poses.
        """
        boxes = self._corners.pop(0, 0)
        corners, count = self._corners.most_common(1)[0] if self._corners else (0, 0)
        if len(self._corners) == 1 and corners != BOX_CORNERS and count >= _MIN_POSES:
            who = f"all {count} objects" if not boxes else f"{count} objects beside {boxes} boxes"
            may, must = self._poses
            if may >= _MOST * count and must >= _SOME * count:
                points = 2 * corners - 4
                flags = f", or [{points // 3}, 3] if they have flags" if points % 3 == 0 else ""
                raise DatasetError(
                    f"{self._root}: {who} have {2 * corners} numbers, a box and keypoints. "
                    f"Write kpt_shape: [{points // 2}, 2] into data.yaml{flags}."
                )
            yield (
                f"{who} have {2 * corners} numbers and are read as polygons. If they are poses, "
                "write kpt_shape into data.yaml"
            )
