"""Recognition of annotation formats by the names of files and folders."""

from pathlib import Path

from kpviewer.annotations.formats.tables.columns import file_column, find_columns, label_column
from kpviewer.annotations.formats.tables.text import open_table
from kpviewer.annotations.formats.yolo.description import LISTS, NOTES, is_yolo_description
from kpviewer.annotations.reading.folders import (
    IMAGE_FOLDERS,
    LABEL_FOLDERS,
    counterparts,
    files_below,
    folders_named,
)
from kpviewer.errors import DatasetError
from kpviewer.image_files import ARCHIVE_SUFFIXES, IMAGE_SUFFIXES, ImageFileError, open_regular

TABLE_KINDS = {".json": "coco", ".csv": "csv", ".tsv": "csv"}
"""Formats with a whole set in one file, by ending."""
_CVAT = "CVAT's own"
_NOT_READ = {
    "_bbx_gt.txt": "WIDER FACE's",
    "gt.txt": "MOT's",
    "det.txt": "MOT's",
    "labelTxt": "DOTA's",
    "label_2": "KITTI's",
    ".odgt": "CrowdHuman's",
    ".manifest": "SageMaker's",
    ".jsonl": "JSON Lines",
    ".ndjson": "JSON Lines",
    "_annotations.txt": "Keras YOLO's",
    "annotations.xml": _CVAT,
    ".tfrecord": "TensorFlow's",
    ".record": "TensorFlow's",
    ".slp": "SLEAP's",
    ".h5": "HDF5",
    ".mat": "MATLAB's",
    ".parquet": "Parquet",
    ".xlsx": "Excel's",
    ".xls": "Excel's",
    ".ods": "LibreOffice's",
}
"""Formats that aren't read, by the names of their files or folders, or the ends of these."""
_CONVERTERS = {
    **dict.fromkeys(("WIDER FACE's", "MOT's", "KITTI's"), "Datumaro"),
    "SLEAP's": "sleap-io",
}
"""Programs that convert a format to COCO, by its maker; the docs have their commands."""
_HEAD_BYTES = 4096
_MOST_SETS = 12
"""Number of files above which they are of one image each."""


def is_annotation_xml(path: Path) -> bool:
    """Return whether an XML file begins like annotations of VOC or CVAT, not like a model."""
    return b"<annotation" in _head(path)


def _head(path: Path) -> bytes:
    """Return the beginning of a text in lower case; none of a file that can't be read."""
    try:
        with open_regular(path) as file:
            head = file.read(_HEAD_BYTES)
    except (ImageFileError, OSError):
        return b""
    return head.replace(b"\0", b"").lower()  # UTF-16 has a zero in each letter


def format_not_read(path: Path) -> str:
    """Return a sentence on the format of a path that isn't read, with the cure; "" if unknown."""
    if path.suffix.lower() == ".xml" and b"<annotations" in _head(path):
        return _sentence(path, _CVAT)
    inside = _files(path)
    for each in (path, *inside, *(file for folder in inside for file in _files(folder))):
        if each.suffix.lower() in ARCHIVE_SUFFIXES:
            return f"{each.name} is an archive: unpack it."
        for ending, maker in _NOT_READ.items():
            name = each.name.lower()
            if name == ending.lower() or (ending[0] in "._" and name.endswith(ending)):
                return _sentence(each, maker)
    return ""


def _sentence(path: Path, maker: str) -> str:
    tool = _CONVERTERS.get(maker)
    formats = f"COCO, as {tool} does" if tool else "COCO, Pascal VOC or YOLO"
    return f"{path.name} is in {maker} format, which isn't read: convert it to {formats}."


def sets_inside(folder: Path) -> list[str]:
    """Return what names each file below a folder that may be a set; none if there are many."""
    tables = _tables_below(folder)
    tables = tables if len(tables) <= _MOST_SETS else []
    return [f"{_kind_of_table(path)}:{path}" for path in tables]


def _tables_below(folder: Path) -> list[Path]:
    return [path for path in files_below(folder, TABLE_KINDS, 2) if path.name != NOTES]


def kind_of_path(path: Path) -> tuple[str, Path]:
    """Return the format of a path, and the file or folder for its reader.

    Args:
        path: file or folder, which needn't exist.

    Returns:
        The format as in a specification, "" if unknown; and the path to read.
    """
    if path.is_dir():
        return _kind_of_folder(path)
    return "yolo" if is_yolo_description(path) else _kind_of_table(path), path


def _kind_of_folder(folder: Path) -> tuple[str, Path]:
    holders = [*folders_named(folder, LABEL_FOLDERS), folder]
    if any(_has(holder, ".xml") for holder in holders):
        return "voc", folder
    if kind := _kind_of_public_set(folder):
        return kind, folder
    tables = [path for holder in holders for path in _tables(holder)]
    table = tables[0] if len(tables) == 1 else _table_of_an_image(tables, folder)
    if table is not None:
        return _kind_of_table(table), table
    is_labels = folder.name.lower() == "labels" and _has(folder, ".txt")
    if is_labels or (folder / "labels").is_dir() or _is_yolo(folder, holders):
        return "yolo", folder
    if _has(folder, ".pts"):
        return "pts", folder
    kinds = {".xml": "voc", ".pts": "pts", ".yaml": "yolo", ".yml": "yolo"}
    if any(counterparts(folder, ("labels",), IMAGE_FOLDERS)):
        kinds |= {".txt": "yolo"}
    suffixes = {path.suffix.lower() for path in files_below(folder, kinds)}
    found = next((kind for suffix, kind in kinds.items() if suffix in suffixes), "")
    below = [] if found else _tables_below(folder)  # such as Roboflow's, of one split
    return (_kind_of_table(below[0]), below[0]) if len(below) == 1 else (found, folder)


def _kind_of_public_set(folder: Path) -> str:
    from kpviewer.annotations.formats.biwi import sequences_of  # noqa: PLC0415 - for few folders
    from kpviewer.annotations.formats.celeba.tables import LANDMARKS, find_table  # noqa: PLC0415

    if find_table(folder, LANDMARKS) is not None:
        return "celeba"
    return "biwi" if sequences_of(folder) else ""


def _kind_of_table(path: Path) -> str:
    """Return the format of a file with a whole set; labels of whole images have no box column."""
    kind = TABLE_KINDS.get(path.suffix.lower(), "")
    if kind != "csv":
        return kind
    try:
        header = open_table(path).header
    except DatasetError:  # the reader reports it
        return kind
    names_labels = file_column(header) is not None and label_column(header) is not None
    return "labels" if names_labels and find_columns(header) is None else kind


def _has(folder: Path, suffix: str) -> bool:
    return any(path.suffix.lower() == suffix for path in _files(folder))


def _files(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError:
        return []


def _tables(folder: Path) -> list[Path]:
    return [
        path
        for path in _files(folder)
        if path.suffix.lower() in TABLE_KINDS and path.name != NOTES and path.is_file()
    ]


def _table_of_an_image(tables: list[Path], folder: Path) -> Path | None:
    """Return a JSON file with the name of an image, as labelme and Supervisely write one each.

    COCO's reader names the tool.
    """
    places = [folder, *folders_named(folder, IMAGE_FOLDERS)]
    images = [path for place in places for path in _files(place)
              if path.suffix.lower() in IMAGE_SUFFIXES]  # fmt: skip
    names = {name for path in images for name in (path.name, path.stem)}
    own = (path for path in tables if path.suffix.lower() == ".json" and path.stem in names)
    return min(own, default=None)


def _is_yolo(folder: Path, holders: list[Path]) -> bool:
    """Return whether a folder has a YOLO description, or a text file named like an image."""
    names = {path.name for holder in holders for path in _files(holder)}
    if names & {*LISTS, NOTES} or any(is_yolo_description(Path(name)) for name in names):
        return True
    if any(name.endswith(".names") for name in names):
        return True
    stems = {Path(name).stem for name in names if Path(name).suffix.lower() in IMAGE_SUFFIXES}
    return any(Path(name).stem in stems for name in names if name.lower().endswith(".txt"))
