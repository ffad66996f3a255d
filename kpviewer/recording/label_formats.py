"""Labels in formats of other programs: YOLO text and Pascal VOC XML.

They hold classes and boxes but no scores: a draft for people to correct. Upright boxes are cut at
the image's edges; those outside are left out.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Protocol
from xml.etree import ElementTree

import numpy as np

from kpviewer.recording.formats import ResultHeader
from kpviewer.structures import BOX_CORNERS, Detections, box_outlines

_SHARE_DECIMALS = 6
_VISIBLE = 2
_NOT_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_USUAL_CLASS = "object"


class LabelFormat(Protocol):
    """Turns the detections of an image into the text of a file."""

    images: str
    """Name of the folder of images."""
    labels: str
    """Name of the folder of labels."""
    suffix: str
    """Suffix of the label files."""

    def extra_files(self) -> dict[str, str]:
        """Return the text of the files that describe the data set, by path."""

    def text(self, image: str, size_wh: tuple[int, int], found: Detections) -> str:
        """Return the labels of an image."""


class YoloLabels:
    """YOLO labels: one line per object, in shares of the image; the pose format with keypoints.

    Rotated boxes and masks have the corners of their outlines. Described in
    https://docs.ultralytics.com/datasets/detect/, /pose/, /obb/ and /segment/, with ``data.yaml``.
    """

    images, labels, suffix = "images", "labels", ".txt"

    def __init__(self, header: ResultHeader) -> None:
        self._names = [_one_line(name) for name in header.class_names] or [_USUAL_CLASS]
        self._points = [_one_line(name) for name in header.keypoint_names]
        self._mirrored = header.mirrored_keypoints

    def extra_files(self) -> dict[str, str]:
        """Return ``data.yaml`` and ``classes.txt``; LabelImg reads the copy in ``labels``."""
        names = "".join(f"{name}\n" for name in self._names)
        files = {"data.yaml": self._data_yaml(), "classes.txt": names, "labels/classes.txt": names}
        if self._points:
            files["pose_classes.yaml"] = self._pose_classes()
        return files

    def text(self, image: str, size_wh: tuple[int, int], found: Detections) -> str:
        """Return a line per object: class, centre and sides, then x, y and visibility of points.

        With an outline it is class and corners. Those of rotated boxes may be outside the image.

        Points with a score below the threshold, and those outside the image, have visibility 0.
        """
        sides = np.array(size_wh, np.float64)
        predicted = found.keypoints_predicted.tolist()
        lines = []
        for row, (left, top, right, bottom) in _boxes(found, size_wh):
            words = [str(int(found.class_ids[row]))]
            if found.outlines_xy is not None:
                corners = found.outline(row) / sides
                if not _is_readable(corners):
                    edges = np.array([[left, top, right, bottom]], np.float32)
                    corners = box_outlines(edges, BOX_CORNERS)[0] / sides
                lines.append(" ".join(words + _decimals(corners.ravel())) + "\n")
                continue
            box = np.array([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top])
            words += _shares(box / np.tile(sides, 2))
            points = found.keypoints_xy[row, : len(self._points)].tolist()
            for (x, y), is_predicted in zip(points, predicted[row], strict=False):
                is_inside = 0 <= x <= size_wh[0] and 0 <= y <= size_wh[1]  # false for NaN
                is_labelled = is_predicted and is_inside
                xy = _shares(np.array([x, y]) / sides) if is_labelled else ["0", "0"]
                words += [*xy, str(_VISIBLE if is_labelled else 0)]
            lines.append(" ".join(words) + "\n")
        return "".join(lines)

    def _data_yaml(self) -> str:
        lines = [
            "# Drafts of labels by kpviewer. Correct them, and split off images for val.",
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
        """Return the file that X-AnyLabeling requires to import labels in the pose format."""
        lines = ["has_visible: true", "classes:"]
        for name in self._names:
            lines += [f"  {_quoted(name)}:", *(f"    - {_quoted(p)}" for p in self._points)]
        return "\n".join(lines) + "\n"


class VocLabels:
    """Pascal VOC XML: one file per image, whole pixels from 0 as in LabelImg, no keypoints."""

    images, labels, suffix = "JPEGImages", "Annotations", ".xml"

    def __init__(self, header: ResultHeader) -> None:
        self._header = header

    def extra_files(self) -> dict[str, str]:
        """Return ``classes.txt``, for programs that require the class names."""
        names = self._header.class_names or (_USUAL_CLASS,)
        return {"classes.txt": "".join(f"{_one_line(name)}\n" for name in names)}

    def text(self, image: str, size_wh: tuple[int, int], found: Detections) -> str:
        """Return XML with one ``object`` per detection."""
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
            bndbox = ElementTree.SubElement(each, "bndbox")
            for name, edge in zip(("xmin", "ymin", "xmax", "ymax"), _whole(box), strict=True):
                _add(bndbox, name, str(edge))
        ElementTree.indent(root)
        return ElementTree.tostring(root, encoding="unicode") + "\n"

    def _name(self, class_id: int) -> str:
        names = self._header.class_names
        return _one_line(self._header.class_name(class_id)) if names else _USUAL_CLASS


LABEL_FORMATS: dict[str, Callable[[ResultHeader], LabelFormat]] = {
    "voc": VocLabels,
    "yolo": YoloLabels,
}
"""Label formats by their name on the command line."""


def _boxes(
    found: Detections, size_wh: tuple[int, int]
) -> Iterator[tuple[int, tuple[float, float, float, float]]]:
    """Yield each row with the part of its box inside the image, if there is one."""
    width, height = size_wh
    for row, (left, top, right, bottom) in enumerate(found.xyxy.tolist()):
        box = (max(left, 0.0), max(top, 0.0), min(right, width), min(bottom, height))
        if box[0] < box[2] and box[1] < box[3]:  # false for NaN
            yield row, box


def _whole(box: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    """Round to whole pixels, at least one apart: many VOC readers accept no others."""
    left, top = round(box[0]), round(box[1])
    left, top = min(left, int(np.ceil(box[2])) - 1), min(top, int(np.ceil(box[3])) - 1)
    return left, top, max(round(box[2]), left + 1), max(round(box[3]), top + 1)


def _is_readable(corners: np.ndarray) -> bool:
    """Return whether Ultralytics reads an image with an object of these (V, 2) corners, shares.

    The box around them must be centred in the image and no larger. Source: ultralytics 8.4,
    data/utils.py, ``verify_image_label``.
    """
    low, high = corners.min(0), corners.max(0)
    return bool(((low + high >= 0) & (low + high <= 2) & (high - low <= 1)).all())


def _shares(values: np.ndarray) -> list[str]:
    return _decimals(np.clip(values, 0, 1))


def _decimals(values: np.ndarray) -> list[str]:
    return [f"{value:.{_SHARE_DECIMALS}f}" for value in values.tolist()]


def _one_line(name: str) -> str:
    return " ".join(_NOT_XML.sub("", name).split()) or _USUAL_CLASS


def _quoted(text: str) -> str:
    """Quote a text for YAML: printable letters of all scripts stay, others are escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = text
