"""Records of a COCO file, decoded one at a time to save memory with files of 400 MB.

msgspec finds the bounds of each record and skips segmentations. If it refuses a file, perhaps
because of a NaN, Python's own parser reads it, provided that it is small enough.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from kpviewer.annotations.limits import MAX_OBJECTS, check_count, decode_text, read_bounded
from kpviewer.annotations.reading.values import brief, shorten
from kpviewer.errors import DatasetError

LIMIT_MB = 1024
"""Largest size of a file, MB; instances_train2017.json has 448 MB."""
_PYTHON_LIMIT_MB = 32
_MAX_BRACES = 4 * MAX_OBJECTS
_MAX_RECORD_BYTES = 8 * 2**20
"""Largest size of one record; COCO's largest crowd has 0.1 MB."""
_KEYS = ("images", "annotations", "categories")


class Image(msgspec.Struct):
    """Record of an image, with the values of the file."""

    id: Any = None
    file_name: Any = None
    coco_url: Any = None
    """Address of the image, in LVIS instead of a file name."""
    width: Any = None
    height: Any = None
    frame: Any = None
    video: Any = None
    """Video that the image is a frame of, as kpviewer names it."""
    source: Any = None
    neg_category_ids: Any = None
    """Categories that LVIS's annotators looked for and didn't find; None in other sets."""
    not_exhaustive_category_ids: Any = None
    """Categories of which they annotated some objects, but not all."""


class Annotation(msgspec.Struct):
    """Record of an object."""

    id: Any = None
    image_id: Any = None
    category_id: Any = None
    bbox: Any = None
    bbox_mode: Any = None
    """Number of Detectron2's BoxMode; 0 for two corners."""
    area: Any = None
    keypoints: Any = None
    segmentation: msgspec.Raw = msgspec.Raw()
    """Encoded polygons or mask; ``masks`` decodes it."""
    attributes: Any = None
    """What CVAT adds; ``rotation`` is one of them."""
    iscrowd: Any = None
    ignore: Any = None
    """1 for the difficult objects of Pascal VOC in COCO's format."""
    pseudo: Any = None


class Category(msgspec.Struct):
    """Record of a class."""

    id: Any = None
    name: Any = None
    supercategory: Any = None
    keypoints: Any = None
    skeleton: Any = None


class _Other(msgspec.Struct):
    """What tells records of other COCO files from objects."""

    bbox: Any = None
    caption: Any = None
    segments_info: Any = None


class _Counted(msgspec.Struct, gc=False):
    """Any object that is only counted."""


class _Counts(msgspec.Struct):
    images: list[_Counted]
    annotations: list[_Counted]
    categories: list[_Counted]


class _Sections(msgspec.Struct):
    images: list[msgspec.Raw]
    annotations: list[msgspec.Raw]
    categories: list[msgspec.Raw]


Record = TypeVar("Record", Image, Annotation, Category, _Other)


@dataclass(frozen=True, slots=True)
class CocoFile:
    """The records of a file, not yet decoded."""

    _sections: dict[str, Sequence[Any]]

    def images(self) -> Iterator[Image | None]:
        """Decode the images one by one; None for an invalid record."""
        return _decoded(self._sections["images"], Image)

    def categories(self) -> Iterator[Category | None]:
        """Decode the categories."""
        return _decoded(self._sections["categories"], Category)

    def annotations(self) -> Iterator[Annotation | None]:
        """Decode the annotations."""
        return _decoded(self._sections["annotations"], Annotation)


def open_coco(path: Path) -> CocoFile:
    """Open a COCO file and find its records.

    Raises:
        DatasetError: if it is missing, too large, not JSON, or without the lists of records.
    """
    data = _as_utf8(read_bounded(path, LIMIT_MB), path)
    check_count(data.count(b"}"), _MAX_BRACES, "records", path)
    try:
        counts = msgspec.json.decode(data, type=_Counts)
        for key in _KEYS:
            check_count(len(getattr(counts, key)), MAX_OBJECTS, key, path)
        del counts
        found = msgspec.json.decode(data, type=_Sections)
        sections = {key: getattr(found, key) for key in _KEYS}
    except (ValueError, RecursionError) as error:
        if len(data) > _PYTHON_LIMIT_MB * 2**20:
            raise DatasetError(
                f"{path} must be a COCO file: {brief(error)}. Is it damaged?"
            ) from error
        sections = _by_python(data, path)
    if kind := _no_objects(sections["annotations"]):
        raise DatasetError(f"{path} can't be used. {kind}")
    return CocoFile(sections)


def _no_objects(annotations: Sequence[Any]) -> str:
    """Return a sentence on annotations that aren't objects, with the cure; "" for others."""
    first = next(_decoded(annotations[:1], _Other), None)
    if first is None or first.bbox is not None:
        return ""
    if first.segments_info is not None:
        return (
            "It is a panoptic file of COCO, with PNG images: convert it by panopticapi's "
            "panoptic2detection_coco_format.py, or name the set's instances file."
        )
    return "" if first.caption is None else "It holds captions: name the set's instances file."


def _as_utf8(data: bytes, path: Path) -> bytes:
    """Convert JSON to UTF-8 from the encoding of its byte order mark or its first bytes."""
    encoding = json.detect_encoding(data)
    if encoding in ("utf-8", "utf-8-sig"):
        return data.removeprefix(b"\xef\xbb\xbf")
    check_count(len(data), 256 * 2**20, "bytes, unless it is UTF-8", path)
    try:
        return data.decode(encoding, "surrogatepass").encode("utf-8", "surrogatepass")
    except UnicodeError:
        return decode_text(data, path).encode("utf-8", "surrogatepass")


def _by_python(data: bytes, path: Path) -> dict[str, Sequence[Any]]:
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path} must be JSON: {brief(error)}. Is it a COCO file?") from error
    sections: dict[str, Sequence[Any]] = {}
    for key in _KEYS:
        found = raw.get(key) if isinstance(raw, dict) else None
        if not isinstance(found, list):
            raise DatasetError(
                f"{path} must have a list of objects under {key!r}, got {shorten(found)}. "
                f"{_other_format(raw)}"
            )
        check_count(len(found), MAX_OBJECTS, key, path)
        sections[key] = found
    return sections


def _other_format(raw: Any) -> str:
    """Return a sentence that names the other format, if it is known, and the cure."""
    first = raw[0] if isinstance(raw, list) and raw else raw
    keys = set(first) if isinstance(first, dict) else set()
    if {"image_id", "category_id"} <= keys:
        return "It holds results of a model, not ground truth."
    annotations = raw.get("annotations") if isinstance(raw, dict) else None
    if isinstance(annotations, list) and (kind := _no_objects(annotations)):
        return kind
    named = {
        "Label Studio": bool(keys & {"annotations", "completions"}) and "data" in keys,
        "labelme": {"shapes", "imagePath"} <= keys,
        "Segment Anything": "image" in keys and isinstance(first["image"], dict),
        "CreateML": {"image", "annotations"} <= keys,
        "Supervisely": {"objects", "size"} <= keys,
        "Datumaro": {"items", "categories"} <= keys,
        "CVAT": {"shapes", "tracks"} <= keys,
        "BDD100K": {"name", "labels"} <= keys,
        "Labelbox": "data_row" in keys,
        "Label Studio (JSON_MIN)": "image" in keys and bool(keys & {"annotator", "annotation_id"}),
        "V7 Darwin": {"item", "annotations"} <= keys,
        "Hasty": {"label_classes", "images"} <= keys,
        "Encord": {"data_title", "data_hash"} <= keys,
        "Scale": {"task_id", "response"} <= keys,
        "OpenPose": "people" in keys,
        "SLEAP": {"skeletons", "labels"} <= keys,
        "Supervisely (meta.json)": "classes" in keys and bool(keys & {"tags", "projectType"}),
        "VIA (version 3)": {"project", "view", "metadata"} <= keys,
        "VIA": "_via_img_metadata" in keys or any(
            isinstance(each, dict) and "regions" in each for each in list(first.values())[:1]
        ) if isinstance(first, dict) else False,
    }  # fmt: skip
    tool = next((name for name, fits in named.items() if fits), None)
    if tool is None and "images" in keys and annotations is None:
        return "It lists images without annotations, as COCO's test sets do."
    if tool is None:
        return "Is it a COCO file?"
    if tool == "labelme":
        return "It is labelme's own format: convert it to COCO, as labelme2coco does."
    return f"It is {tool}'s own format: export it as COCO, Pascal VOC or YOLO."


def _decoded(records: Sequence[Any], kind: type[Record]) -> Iterator[Record | None]:
    decode = msgspec.json.Decoder(kind).decode
    keys = kind.__struct_fields__
    for record in records:
        if isinstance(record, dict):
            yield kind(**{key: record[key] for key in keys if key in record})
        elif isinstance(record, msgspec.Raw) and memoryview(record).nbytes <= _MAX_RECORD_BYTES:
            try:
                yield decode(record)
            except (ValueError, RecursionError):
                yield None
        else:
            yield None
