"""Where the truth of a source usually lies: beside it, under the names that label tools give."""

from __future__ import annotations

import glob
from pathlib import Path

from kpviewer.annotations.values import PICTURE_SUFFIXES
from kpviewer.image_files import without_sidecars

TABLES = ("annotations", "labels", "_annotations.coco", "instances", "truth")
"""Stems of COCO (.json) and CSV files that tell of a whole folder."""
TRUTH_SUFFIXES = (".json", ".csv", ".xml", ".txt", ".pts", ".yaml", ".yml")
_READERS = {".json": "coco", ".csv": "csv"}


def truth_beside(source: Path) -> str | None:
    """Look for annotations of a source; nothing is read.

    - A folder: ``annotations.json``, ``labels.csv`` and so on in it, or beside it where it is
      called ``images``; XML, YOLO or ``.pts`` files among the pictures; the ``Annotations`` beside
      ``JPEGImages`` and the ``labels`` beside ``images`` of VOC and YOLO.
    - A picture: the file of the same name, of the last three kinds.
    - A video: ``NAME_truth.json`` or ``NAME_truth.csv`` (``NAME.json`` is what a recording wrote).

    Args:
        source: a folder, a picture or a video.

    Returns:
        A specification for ``read_annotations``; None if there is nothing.
    """
    if source.is_dir():
        return _of_folder(source)
    if source.suffix.lower() in PICTURE_SUFFIXES:
        kind = _kind_of_labels(source.parent, glob.escape(source.stem))
        return f"{kind}:{source.parent}" if kind else None
    return _table(source.parent, (f"{source.stem}_truth",), None)


def _of_folder(folder: Path) -> str | None:
    pictures = folder.resolve()
    around = pictures.parent
    found = _table(folder, TABLES, folder)
    if found is None and pictures.name.lower() == "images":
        found = _table(around, TABLES, folder)
    if found is not None:
        return found
    if kind := _kind_of_labels(folder, "*"):
        return f"{kind}:{folder}"
    if pictures.name == "JPEGImages" and (around / "Annotations").is_dir():
        return f"voc:{around}"
    if pictures.name == "images" and (around / "labels").is_dir():
        return f"yolo:{around}"
    return None


def _table(folder: Path, stems: tuple[str, ...], pictures: Path | None) -> str | None:
    for stem in stems:
        for suffix, kind in _READERS.items():
            path = folder / (stem + suffix)
            if path.is_file():
                return f"{kind}:{path}" + (f":{pictures}" if pictures is not None else "")
    return None


def _kind_of_labels(folder: Path, stem: str) -> str | None:
    """Tell by a file for each picture which reader a folder is for; the stem is a pattern."""
    if without_sidecars(folder.glob(f"{stem}.xml")):
        return "voc"
    if without_sidecars(folder.glob(f"{stem}.pts")):
        return "pts"
    has_names = (folder / "classes.txt").is_file() or (folder / "data.yaml").is_file()
    texts = without_sidecars(folder.glob(f"{stem}.txt")) if has_names else []
    return "yolo" if any(path.name != "classes.txt" for path in texts) else None


def spec_of_file(path: Path, source: Path | None = None) -> str:
    """Name the set that a file of labels belongs to.

    Args:
        path: a .json or .csv table, a .yaml of YOLO; or an .xml, .txt or .pts file of one picture,
            which stands for all of its folder.
        source: what it is the truth of; a table's pictures lie there if it is a folder.

    Returns:
        A specification for ``read_annotations``, which refuses files of other kinds.
    """
    suffix, folder = path.suffix.lower(), path.parent
    if kind := _READERS.get(suffix):
        return f"{kind}:{path}" + (f":{source}" if source is not None and source.is_dir() else "")
    if kind := {".xml": "voc", ".txt": "yolo", ".pts": "pts"}.get(suffix):
        holders = {"voc": "Annotations", "yolo": "labels"}
        inside = folder.parent if folder.name == holders.get(kind) else folder
        return f"{kind}:{inside}"
    return f"yolo:{folder}" if suffix in (".yaml", ".yml") else str(path)
