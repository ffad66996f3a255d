"""Labels of images as other programs read them: YOLO text and Pascal VOC XML.

They say what and where, and no score: what is written is a draft that people correct. Boxes are cut
at the image's edges; those that lie outside are left out.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Protocol
from xml.etree import ElementTree

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kpviewer.recording.formats import ResultHeader
    from kpviewer.structures import Detections

_SHARE_DECIMALS = 6
_VISIBLE = 2
_NOT_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_USUAL_CLASS = "object"


class LabelFormat(Protocol):
    """Turns the detections of an image into a file."""

    images: str
    """Folder of the images."""
    labels: str
    """Folder of the labels."""
    suffix: str
    """Of the files of labels."""

    def beside(self) -> dict[str, str]:
        """Give the text of the files that describe the set, by their paths."""

    def text(self, image: str, size_wh: tuple[int, int], found: Detections) -> str:
        """Give the labels of an image.

        Args:
            image: its file name.
            size_wh: px.
            found: in px of the image.
        """


class YoloLabels:
    """A line an object, in shares of the image; a model with keypoints gets the pose format.

    https://docs.ultralytics.com/datasets/detect/ and /pose/ tell it, ``data.yaml`` included.
    """

    images, labels, suffix = "images", "labels", ".txt"

    def __init__(self, header: ResultHeader) -> None:
        self._names = [_one_line(name) for name in header.class_names] or [_USUAL_CLASS]
        self._points = [_one_line(name) for name in header.keypoint_names]
        self._mirrored = header.mirrored_keypoints

    def beside(self) -> dict[str, str]:
        """``data.yaml`` for training; ``classes.txt`` twice, as LabelImg wants it in ``labels``."""
        names = "".join(f"{name}\n" for name in self._names)
        files = {"data.yaml": self._data_yaml(), "classes.txt": names, "labels/classes.txt": names}
        if self._points:
            files["pose_classes.yaml"] = self._pose_classes()
        return files

    def text(self, image: str, size_wh: tuple[int, int], found: Detections) -> str:
        """Class, middle and sides of the box, then x, y and visibility of each point."""
        sides = np.array(size_wh, np.float64)
        lines = []
        for row, (left, top, right, bottom) in _boxes(found, size_wh):
            box = np.array([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top])
            words = [str(int(found.class_ids[row])), *_shares(box / np.tile(sides, 2))]
            for x, y in found.keypoints_xy[row, : len(self._points)].tolist():
                is_inside = 0 <= x <= size_wh[0] and 0 <= y <= size_wh[1]  # not so: NaN
                place = _shares(np.array([x, y]) / sides) if is_inside else ["0", "0"]
                words += [*place, str(_VISIBLE if is_inside else 0)]
            lines.append(" ".join(words) + "\n")
        return "".join(lines)

    def _data_yaml(self) -> str:
        lines = [
            "# Drafts of labels by kpviewer. Correct them, and split off images for val.",
            "path: .",
            "train: images",
            "val: images",
        ]
        if self._points:
            lines.append(f"kpt_shape: [{len(self._points)}, 3]")
            if len(self._mirrored) == len(self._points):
                lines.append(f"flip_idx: {list(self._mirrored)}")
        lines += ["names:", *(f"  {row}: {_quoted(n)}" for row, n in enumerate(self._names))]
        if self._points:
            lines.append("kpt_names:")
            for row in range(len(self._names)):
                lines += [f"  {row}:", *(f"    - {_quoted(name)}" for name in self._points)]
        return "\n".join(lines) + "\n"

    def _pose_classes(self) -> str:
        """What X-AnyLabeling asks for when it imports labels in the pose format."""
        lines = ["has_visible: true", "classes:"]
        for name in self._names:
            lines += [f"  {_quoted(name)}:", *(f"    - {_quoted(p)}" for p in self._points)]
        return "\n".join(lines) + "\n"


class VocLabels:
    """An XML file an image; whole pixels from 0, as LabelImg writes them. It has no keypoints."""

    images, labels, suffix = "JPEGImages", "Annotations", ".xml"

    def __init__(self, header: ResultHeader) -> None:
        self._header = header

    def beside(self) -> dict[str, str]:
        """``classes.txt``, for programs that ask for the names."""
        names = self._header.class_names or (_USUAL_CLASS,)
        return {"classes.txt": "".join(f"{_one_line(name)}\n" for name in names)}

    def text(self, image: str, size_wh: tuple[int, int], found: Detections) -> str:
        """One ``object`` a detection."""
        root = ElementTree.Element("annotation")
        _add(root, "folder", self.images)
        _add(root, "filename", PurePosixPath(image).name)
        _add(ElementTree.SubElement(root, "source"), "database", "kpviewer")
        size = ElementTree.SubElement(root, "size")
        for name, value in zip(("width", "height", "depth"), (*size_wh, 3), strict=True):
            _add(size, name, str(value))
        _add(root, "segmented", "0")
        for row, box in _boxes(found, size_wh):
            each = ElementTree.SubElement(root, "object")
            _add(each, "name", self._name(int(found.class_ids[row])))
            _add(each, "pose", "Unspecified")
            _add(each, "truncated", "0")
            _add(each, "difficult", "0")
            place = ElementTree.SubElement(each, "bndbox")
            for name, edge in zip(("xmin", "ymin", "xmax", "ymax"), _whole(box), strict=True):
                _add(place, name, str(edge))
        ElementTree.indent(root)
        return ElementTree.tostring(root, encoding="unicode") + "\n"

    def _name(self, class_id: int) -> str:
        names = self._header.class_names
        return _one_line(self._header.class_name(class_id)) if names else _USUAL_CLASS


LABEL_FORMATS: dict[str, Callable[[ResultHeader], LabelFormat]] = {
    "voc": VocLabels,
    "yolo": YoloLabels,
}
"""Maker by the name that the command line uses."""


def _boxes(
    found: Detections, size_wh: tuple[int, int]
) -> Iterator[tuple[int, tuple[float, float, float, float]]]:
    """Give each row with its box inside the image, where there is one."""
    width, height = size_wh
    for row, (left, top, right, bottom) in enumerate(found.xyxy.tolist()):
        box = (max(left, 0.0), max(top, 0.0), min(right, width), min(bottom, height))
        if box[0] < box[2] and box[1] < box[3]:  # not so: NaN
            yield row, box


def _whole(box: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    """Round to whole pixels, at least one apart; many readers of VOC take no others."""
    left, top = round(box[0]), round(box[1])
    left, top = min(left, int(np.ceil(box[2])) - 1), min(top, int(np.ceil(box[3])) - 1)
    return left, top, max(round(box[2]), left + 1), max(round(box[3]), top + 1)


def _shares(values: np.ndarray) -> list[str]:
    return [f"{value:.{_SHARE_DECIMALS}f}" for value in np.clip(values, 0, 1).tolist()]


def _one_line(name: str) -> str:
    return " ".join(_NOT_XML.sub("", name).split()) or _USUAL_CLASS


def _quoted(text: str) -> str:
    """Quote a text for YAML: letters of all scripts as they are, what doesn't show escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = text
