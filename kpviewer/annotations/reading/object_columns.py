"""A data set while it is read: its images, and compact columns of their objects."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kpviewer.annotations.limits import (
    MAX_CLASSES,
    MAX_IMAGES,
    MAX_OBJECTS,
    check_count,
    check_keypoints,
)
from kpviewer.annotations.problems import STRICT, Problem, Problems, box_problem
from kpviewer.annotations.reading.outlines import MAX_CORNERS, OutlineColumns
from kpviewer.annotations.reading.values import Location
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.structures import BoolArray, GroundTruth

COVERED, VISIBLE = 1, 2
"""Visibility flags of a keypoint; 0 means that its position is unknown."""


@dataclass(frozen=True, slots=True)
class ImageHead:
    """One image without its objects."""

    path: Path
    size_wh: tuple[int, int]
    image_id: int | str
    source: str = ""
    frame_index: int | None = None
    coco_id: int | str | None = None
    """Id of the image in a COCO file."""
    video: str = ""


class ObjectColumns:
    """Images of a set, and their objects in any order, at four bytes a number; it groups them.

    Args:
        where: file or folder, for errors.
        keypoints: number of keypoints of each object.
        problems: collector of boxes without area; STRICT counts them in ``notes``.
    """

    def __init__(self, where: Path | str, keypoints: int = 0, problems: Problems = STRICT) -> None:
        self._where = where
        self._keypoints = keypoints
        self._problems = problems
        self._empty = 0
        self._rows = array("q")
        self._boxes = array("f")
        self._classes = array("q")
        self._flags = array("b")
        self._areas = array("f")
        self._points = array("f")
        self._outlines = OutlineColumns()
        self._no_points = bytes(4 * 3 * keypoints)
        self._heads: list[ImageHead] = []
        self.least_visible = VISIBLE
        """Least flag of a visible keypoint."""
        self.classes = ClassNumbers(where)
        """Numbers of classes that have names only."""
        check_keypoints(0, keypoints, where)

    @property
    def last_image(self) -> int:
        """Index of the image that was added last; -1 if none was."""
        return len(self._heads) - 1

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on boxes without area, unless the problems list them, and on lacking masks."""
        found = []
        if self._empty and self._problems is STRICT:
            found.append(f"{self._empty} objects left out: boxes without area")
        if self._outlines.are_too_many:
            found.append(f"masks left out: they have more than {MAX_CORNERS:,} corners")
        total, masks = len(self._rows), self._outlines.masks
        if 0 < masks < total:
            found.append(
                f"{total - masks} of {total} objects have no mask: their boxes are compared"
            )
        return tuple(found)

    def add_image(self, head: ImageHead) -> int:
        """Add an image and return its index.

        Raises:
            LimitError: if there are too many images.
        """
        check_count(len(self._heads) + 1, MAX_IMAGES, "images", self._where)
        self._heads.append(head)
        return self.last_image

    def has_area(self, image: int | None, xyxy: Sequence[float], where: Location) -> bool:
        """Return whether a box has an area; otherwise count it as left out."""
        wrong = box_problem(xyxy)
        if wrong is None:
            return True
        self._empty += 1
        self._problems.append(Problem(wrong, str(where), image=image))
        return False

    def add(
        self,
        image: int,
        xyxy: Sequence[float],
        class_id: int,
        points: Sequence[float] = (),
        *,
        difficult: bool = False,
        pseudo: bool = False,
    ) -> None:
        """Add an object.

        Args:
            image: index of its image, in any order.
            xyxy: corners of the box, px.
            class_id: class id, from 0.
            points: x, y and visibility flag of each keypoint; empty if none is known.
            difficult: whether scores ignore the object.
            pseudo: whether a detector labelled it.

        Raises:
            LimitError: if there are too many objects or keypoints.
        """
        count = len(self._rows) + 1
        check_count(count, MAX_OBJECTS, "objects", self._where)
        if self._keypoints:
            check_keypoints(count, self._keypoints, self._where)
            if points:
                self._points.extend(points)
            else:
                self._points.frombytes(self._no_points)
        self._rows.append(image)
        self._boxes.extend(xyxy)
        self._classes.append(class_id)
        self._flags.append(difficult + 2 * pseudo)
        self._areas.append(0.0)

    def set_mask_area(self, area: float) -> None:
        """State the area of the mask of the last object, px^2; 0 if it isn't known."""
        self._areas[-1] = area

    def set_outline(self, corners: Sequence[float]) -> None:
        """State x and y of the last object's corners, px: of a rotated box or mask, if it has one.

        If all outlines have four corners, these are rotated boxes.
        """
        self._outlines.add(len(self._rows) - 1, corners)

    def in_named_classes(self, keypoint_names: tuple[str, ...] = ()) -> AnnotationSet:
        """Return the set, its classes being those of ``classes``, in alphabetical order."""
        names, new_ids = self.classes.in_order()
        return AnnotationSet(self.images(new_ids), names, keypoint_names, notes=self.notes)

    def images(self, new_ids: Sequence[int] | None = None) -> tuple[AnnotatedImage, ...]:
        """Return the images, each with its objects in the order of their addition.

        Args:
            new_ids: class ids, indexed by the added ids; None keeps these.
        """
        heads = self._heads
        rows = np.array(self._rows, np.int64)
        order = np.argsort(rows, kind="stable")
        starts = np.searchsorted(rows[order], np.arange(len(heads) + 1)).tolist()
        class_ids = np.array(self._classes, np.int64)
        if new_ids is not None:
            class_ids = np.array(new_ids, np.int64)[class_ids]
        points = np.array(self._points, np.float32).reshape(len(rows), self._keypoints, 3)[order]
        flags = np.array(self._flags, np.int8)[order]
        labelled: BoolArray = points[..., 2] >= COVERED
        every = GroundTruth(
            np.array(self._boxes, np.float32).reshape(len(rows), 4)[order],
            class_ids[order],
            np.where(labelled[..., None], points[..., :2], np.float32(0)),
            np.asarray(points[..., 2] >= self.least_visible, np.bool_),
            np.asarray(flags & 1, np.bool_),
        )
        outlines_of = self._outlines.in_order(order, every.xyxy)
        stated = np.array(self._areas, np.float32)[order]
        areas = np.where(stated > 0, stated, every.areas) if stated.any() else None
        pseudo: BoolArray = np.asarray(flags & 2, np.bool_)
        images = []
        for head, start, end in zip(heads, starts, starts[1:], strict=False):
            own = slice(start, end)
            images.append(
                AnnotatedImage(
                    path=head.path,
                    size_wh=head.size_wh,
                    targets=GroundTruth(
                        every.xyxy[own],
                        every.class_ids[own],
                        every.keypoints_xy[own],
                        every.keypoints_visible[own],
                        every.difficult[own],
                        head.coco_id,
                        mask_areas=None if areas is None else areas[own],
                        outlines_xy=outlines_of(own),
                    ),
                    source=head.source,
                    pseudo=pseudo[own],
                    keypoints_labelled=labelled[own],
                    image_id=head.image_id,
                    frame_index=head.frame_index,
                    video=head.video,
                )
            )
        return tuple(images)


class ClassNumbers:
    """Numbering of class names by first appearance, and then alphabetically."""

    def __init__(self, where: Path | str) -> None:
        self._where = where
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, name: str) -> int:
        """Return the number of a name.

        Raises:
            LimitError: if there are too many names.
        """
        count = len(self._numbers)
        found = self._numbers.setdefault(name, count)
        if found == count:
            check_count(count + 1, MAX_CLASSES, "classes", self._where)
        return found

    def in_order(self) -> tuple[tuple[str, ...], list[int]]:
        """Return the names in alphabetical order, and the position of each number among them."""
        names = sorted(self._numbers)
        positions = {name: position for position, name in enumerate(names)}
        return tuple(names), [positions[name] for name in self._numbers]
