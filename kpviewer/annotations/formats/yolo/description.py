"""Search for the description of a YOLO set: YAML, Darknet's lists, Label Studio's notes."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from kpviewer.annotations.limits import decode_text, read_bounded
from kpviewer.annotations.reading.folders import LABEL_FOLDERS
from kpviewer.annotations.reading.values import identity
from kpviewer.annotations.yolo_yaml import YoloNames, names_of_lines, read_yolo_yaml
from kpviewer.errors import DatasetError

YAML_SUFFIXES = (".yaml", ".yml")
USUAL = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
LISTS = (
    "classes.txt", "obj.names", "predefined_classes.txt", "classes.names", "names.txt",
    "_darknet.labels",
)  # fmt: skip
"""Names of the files that list the names of classes; the last is Roboflow's."""
NOTES = "notes.json"
_MAX_YAML_FILES = 20
_LIMIT_MB = 2.0


def is_yolo_description(path: Path) -> bool:
    """Return whether a file's name is that of a YOLO description."""
    return path.suffix.lower() in (*YAML_SUFFIXES, ".data")


def read_description(path: Path) -> YoloNames:
    """Read a YAML file, or a ``.data`` file of Darknet.

    Raises:
        DatasetError: if it is unusable.
    """
    return _darknet(path) if path.suffix.lower() == ".data" else read_yolo_yaml(path)


def find_description(root: Path, others: Iterable[Path] = ()) -> tuple[YoloNames, Path]:
    """Find the description of a set in its folder, beside its labels, or above a split.

    Args:
        root: folder of the set, or of a part of it.
        others: additional folders to search.

    Returns:
        The description, without names if no file lists them; and the folder of the file.

    Raises:
        DatasetError: if the file is unusable, or several files list different names.
    """
    folders = list(dict.fromkeys(folder for folder in _folders(root, others) if folder.is_dir()))
    plain, holder = YoloNames(), root
    failed: DatasetError | None = None
    for place, folder in enumerate(folders):
        found, error = _yaml_in(folder)
        failed = failed or error
        if found is not None and found.class_names:
            return found, folder
        if found is not None and plain == YoloNames():
            plain, holder = found, folder
        for names in _lists_in(folder):
            pose = plain if plain.kpt_shape else _pose_of(names, folders[place + 1 :])
            splits = plain.split_paths or _splits_of_darknet(folder)
            found = _with_pose(replace(plain, class_names=names, split_paths=splits), pose)
            return found, holder if plain.split_paths else folder
        for path in sorted(folder.glob("*.data"))[:1]:
            found = _darknet(path)
            if found.class_names:
                return _with_pose(found, plain), folder
    if failed is not None and not plain.class_names:
        raise failed
    return plain, holder


def _splits_of_darknet(folder: Path) -> dict[str, tuple[str, ...]]:
    """Return the lists of images that the ``.data`` file of a folder names; none without one."""
    path = next(iter(sorted(folder.glob("*.data"))), None)
    return {} if path is None else _darknet(path).split_paths


def _with_pose(names: YoloNames, pose: YoloNames) -> YoloNames:
    """Return a description with the keypoints of another one."""
    return replace(
        names,
        kpt_shape=pose.kpt_shape,
        keypoint_names=pose.keypoint_names,
        mirrored_keypoints=pose.mirrored_keypoints,
    )


def _pose_of(class_names: tuple[str, ...], folders: Iterable[Path]) -> YoloNames:
    """Return the YAML description of keypoints of these classes; without names if there is none."""
    for folder in folders:
        try:
            found, _ = _yaml_in(folder)
        except DatasetError:  # of other classes, or unusable: the list of names is enough
            continue
        if found is not None and found.class_names == class_names and found.kpt_shape:
            return found
    return YoloNames()


def _folders(root: Path, others: Iterable[Path]) -> Iterator[Path]:
    """Yield the folders that may hold a description, the most likely first."""
    for folder in (root, *others):
        yield folder
        yield from (folder / "labels", folder / "data", folder / "annotations")
    for folder in (root, *others):
        above = folder.absolute().parents
        yield from above[:1]
        if folder.absolute().parent.name.lower() in (*LABEL_FOLDERS, "images"):
            yield from above[1:2]


def _yaml_in(folder: Path) -> tuple[YoloNames | None, DatasetError | None]:
    """Return the YAML file of a folder that lists names, and an error of another file."""
    usual = [folder / name for name in USUAL if (folder / name).is_file()]
    found = None
    for path in usual:
        found = read_yolo_yaml(path)
        if found.class_names:
            return found, None
    failed: DatasetError | None = None
    others: dict[tuple[str, ...], tuple[Path, YoloNames]] = {}
    paths = (path for path in folder.glob("*.*") if path.suffix.lower() in YAML_SUFFIXES)
    for path in sorted(set(paths) - set(usual))[:_MAX_YAML_FILES]:
        try:
            description = read_yolo_yaml(path)
        except DatasetError as error:  # perhaps of another program
            failed = failed or error
            continue
        if description.class_names:
            others.setdefault(description.class_names, (path, description))
    if len(others) > 1:
        first, second = (path.name for path, _ in list(others.values())[:2])
        raise several_lists(folder, first, second, f"Name one: yolo:{folder / first}")
    _, named = next(iter(others.values()), (None, None))
    if named is not None and found is not None and named.kpt_shape is None:
        named = _with_pose(named, found)  # data.yaml has keypoints alone
    return named or found, failed


def several_lists(folder: Path, first: str, second: str, cure: str) -> DatasetError:
    """Return the error for a folder with two lists of names."""
    return DatasetError(f"{folder} has several lists of names, {first} and {second}. {cure}")


def _lists_in(folder: Path) -> Iterator[tuple[str, ...]]:
    for name in LISTS:
        if (folder / name).is_file():
            yield names_of_lines(folder / name)
    named: dict[tuple[str, ...], Path] = {}
    for path in sorted(folder.glob("*.names"))[:_MAX_YAML_FILES]:
        named.setdefault(names_of_lines(path), path)
    if len(named) > 1:
        first, second = (path.name for path in list(named.values())[:2])
        raise several_lists(folder, first, second, "Remove one, or name it obj.names.")
    yield from named
    if (folder / NOTES).is_file() and (names := _names_of_notes(folder / NOTES)):
        yield names


def _names_of_notes(path: Path) -> tuple[str, ...]:
    """Return the categories of Label Studio's ``notes.json``; none for another file."""
    try:
        categories = json.loads(read_bounded(path, _LIMIT_MB))["categories"]
        names = {identity(each["id"]): each["name"] for each in categories}
    except (ValueError, KeyError, TypeError, RecursionError):
        return ()
    ordered = [names.get(number) for number in range(len(names))]
    return tuple(name for name in ordered if isinstance(name, str)) if None not in ordered else ()


def _darknet(path: Path) -> YoloNames:
    """Read ``key = value`` lines: names, train, valid and test; Datumaro writes ``val``."""
    entries: dict[str, str] = {}
    for line in decode_text(read_bounded(path, _LIMIT_MB), path).splitlines():
        key, _, value = line.partition("#")[0].partition("=")
        entries[key.strip().lower()] = value.strip()
    listed = path.parent / Path(entries.get("names", "").replace("\\", "/")).name
    names = names_of_lines(listed) if entries.get("names") and listed.is_file() else ()
    validation = entries.get("valid") or entries.get("val")
    paths = {"train": entries.get("train"), "val": validation, "test": entries.get("test")}
    return YoloNames(names, split_paths={key: (text,) for key, text in paths.items() if text})
