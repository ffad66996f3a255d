"""Search for the ground truth beside a source, under the names that label tools use."""

import glob
import os
from pathlib import Path

from kpviewer.annotations.formats.recognition import TABLE_KINDS, format_not_read, kind_of_path
from kpviewer.annotations.formats.yolo.description import (
    LISTS,
    NOTES,
    YAML_SUFFIXES,
    is_yolo_description,
)
from kpviewer.annotations.reading.folders import (
    IMAGE_FOLDERS,
    LABEL_FOLDERS,
    counterparts,
    folders_named,
)
from kpviewer.image_files import IMAGE_SUFFIXES, is_image, without_sidecars

TABLES = (
    "annotations",
    "labels",
    "_annotations.coco",
    "_annotations",
    "instances",
    "ground_truth",
    "truth",
    "result",
)
"""Stems of COCO (.json) and CSV files that annotate a whole folder; Label Studio uses the last,
Roboflow those with an underscore."""
GROUND_TRUTH_SUFFIXES = (".json", ".csv", ".tsv", ".xml", ".txt", ".pts", ".yaml", ".yml", ".data")
_OF_DATA = ("labels",)
"""Stem of the file beside the images in ``data``, as FiftyOne exports COCO."""
_SUFFIXES = (".json", ".csv")
_KINDS = {".xml": "voc", ".txt": "yolo", ".pts": "pts"}
_CLASSES = "classes.txt"
_MAX_FOLDERS = 100
"""Largest number of folders that are searched for LabelImg's files."""


def ground_truth_beside(source: Path) -> str | None:
    """Return the specification of the annotations beside a source; no annotation is read.

    - A folder: ``annotations.json``, ``labels.csv`` and so on in it, or beside it if it is called
      ``images``; FiftyOne's ``labels.json`` beside ``data``; XML, YOLO or ``.pts`` files among the
      images; label folders beside image folders, as VOC, Kaggle, Ultralytics, Roboflow, CVAT and
      COCO lay them out; LabelImg's folder.
    - An image: an XML, YOLO or ``.pts`` file of the same name.
    - A video: ``NAME_ground_truth`` or ``NAME_truth``, ``.json`` or ``.csv``. (A recording
      writes ``NAME.json``.)

    Args:
        source: a folder, an image or a video.

    Returns:
        A specification for ``read_annotations``; None if there is nothing.
    """
    if source.is_dir():
        return _of_folder(source)
    if source.suffix.lower() in IMAGE_SUFFIXES:
        folder, stem = source.parent, glob.escape(source.stem)
        if kind := _kind_of_labels(folder, stem):
            return f"{kind}:{folder}"
        return _of_label_folder(folder, stem)
    return _table(source.parent, (f"{source.stem}_ground_truth", f"{source.stem}_truth"), None)


def _of_folder(folder: Path) -> str | None:
    images = folder.resolve()
    found = _table(folder, TABLES, folder)
    if found is None and images.name.lower() in IMAGE_FOLDERS:
        found = _table(images.parent, TABLES, folder)
    if found is None and images.name.lower() == "data":
        found = _table(images.parent, _OF_DATA, folder)
    if found is not None:
        return found
    if kind := _kind_of_labels(folder, "*"):
        return f"{kind}:{folder}"
    return _of_label_folder(folder, "*") or _of_instances(images, folder) or _of_labelimg(folder)


def _table(folder: Path, stems: tuple[str, ...], images: Path | None) -> str | None:
    for stem in stems:
        for suffix in _SUFFIXES:
            path = folder / (stem + suffix)
            if path.is_file():
                return f"{TABLE_KINDS[suffix]}:{path}" + (f":{images}" if images else "")
    return None


def _of_label_folder(folder: Path, stem: str) -> str | None:
    """Return the specification of the matching label folder: ``labels/train``."""
    images = folder.resolve()
    for labels in counterparts(images, IMAGE_FOLDERS, LABEL_FOLDERS):
        for suffix in (".xml", ".txt"):
            if _with_suffix(labels, stem, suffix):
                is_plain = labels.parent == images.parent and stem == "*"
                location = str(images.parent) if is_plain else f"{labels}:{folder}"
                return f"{_KINDS[suffix]}:{location}"
    return None


def _of_instances(images: Path, folder: Path) -> str | None:
    """Return the specification of the COCO file in ``annotations``, found by the split's name."""
    is_tree = images.parent.name.lower() in IMAGE_FOLDERS
    is_all = images.name.lower() in IMAGE_FOLDERS
    for around in (images.parent, images.parent.parent) if is_tree else (images.parent,):
        for holder in folders_named(around, LABEL_FOLDERS):
            files = without_sidecars(holder.glob("*.json"))
            own = [path for path in files if path.stem.endswith(f"_{images.name}")]
            own = own or [path for path in files if path.stem in (images.name, *TABLES)]
            if is_all and len(files) == 1:
                own = files
            boxes = [path for path in own if path.stem.startswith("instances")] or own
            if boxes:
                return f"coco:{boxes[0]}:{folder}"
    return None


def _of_labelimg(folder: Path) -> str | None:
    """Return the specification of LabelImg's folder: it has classes, and labels of an image."""
    images = folder.resolve()
    for pattern in (images.glob("*/" + _CLASSES), images.parent.glob("*/" + _CLASSES)):
        folders = sorted(path.parent for path in pattern)[:_MAX_FOLDERS]
        inside = images.glob("*") if folders else ()
        stem = min((path.stem for path in inside if is_image(path)), default="")
        fitting = [each for each in folders if stem and (each / f"{stem}.txt").is_file()
                   and not any(map(is_image, each.glob("*")))]  # fmt: skip
        if len(fitting) == 1:
            return f"yolo:{fitting[0]}:{folder}"
    return None


def _kind_of_labels(folder: Path, stem: str) -> str | None:
    """Return the format of a folder with one label file per image; the stem is a pattern."""
    if _with_suffix(folder, stem, ".xml"):
        return "voc"
    if _with_suffix(folder, stem, ".pts"):
        return "pts"
    has_names = any(map(_has_names, (folder, folder.resolve().parent)))
    texts = _with_suffix(folder, stem, ".txt") if has_names else []
    return "yolo" if any(path.name not in LISTS for path in texts) else None


def _with_suffix(folder: Path, stem: str, suffix: str) -> list[Path]:
    """Return the files of a folder with a suffix in any case; the stem is a pattern."""
    any_case = "".join(f"[{char}{char.upper()}]" for char in suffix[1:])
    return without_sidecars(folder.glob(f"{stem}.{any_case}"))


def _has_names(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (*LISTS, NOTES)) or any(
        path.suffix.lower() in YAML_SUFFIXES for path in folder.glob("*.y*ml")
    )


def label_file_in(path: Path) -> Path:
    """Return a label file of a folder that holds only labels; any other path as it is.

    It represents the folder, as for ``spec_of_file``.
    """
    if path.name.lower() not in LABEL_FOLDERS or not path.is_dir():
        return path
    files = sorted(each for each in path.iterdir() if not each.name.startswith("."))
    suffixes = {each.suffix.lower() for each in files}
    if suffixes.intersection(IMAGE_SUFFIXES):
        return path
    labels = (each for each in files if each.suffix.lower() in GROUND_TRUTH_SUFFIXES)
    return next((each for each in labels if each.name not in (*LISTS, NOTES)), path)


def spec_of_file(path: Path, source: Path | None = None) -> str:
    """Return the specification of the set that a label file belongs to.

    Args:
        path: a .json or .csv table, a .yaml of YOLO; or an .xml, .txt or .pts file of one image,
            which represents its whole folder.
        source: the annotated source; if it is another folder, it holds the images.

    Returns:
        A specification for ``read_annotations``, which refuses files of other kinds.
    """
    suffix, folder = path.suffix.lower(), path.parent
    images = source if source is not None and source.is_dir() else None
    if suffix in TABLE_KINDS:
        table, _ = kind_of_path(path)
        if table == "labels":
            return f"{table}:{path}"
        return f"{table}:{path}" + (f":{images}" if images is not None else "")
    if (kind := _KINDS.get(suffix)) and not format_not_read(path):
        if (
            images is not None
            and kind != "pts"
            and os.path.abspath(images) != os.path.abspath(folder)
        ):
            return f"{kind}:{folder}:{images}"
        return f"{kind}:{folder.parent if folder.name.lower() in LABEL_FOLDERS else folder}"
    if is_yolo_description(path):
        return f"yolo:{path}"
    return str(path)
