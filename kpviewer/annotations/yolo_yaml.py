"""Names, keypoints and folders from the ``data.yaml`` of a YOLO data set.

PyYAML parses it without constructing Python objects. Scalars stay texts, so that classes called
``no``, ``1.0`` or ``2024-05-01`` keep their names.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from kpviewer.annotations.limits import (
    MAX_CLASSES,
    MAX_KEYPOINTS,
    check_count,
    decode_text,
    read_bounded,
)
from kpviewer.annotations.reading.values import shorten
from kpviewer.errors import DatasetError

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
LIMIT_MB = 2.0 if _Loader is not yaml.SafeLoader else 0.125
"""Largest size of a file, MB; a list of 20,000 names has 0.5 MB.

PyYAML's pure-Python loader is 20 times slower and gets a lower limit.
"""
_MAX_EVENTS = 400_000
_MAX_DEPTH = 16
_TAB_WIDTH = 4
SPLITS = ("train", "val", "test")
_READ_KEYS = {
    "names",
    "class_names",
    "nc",
    "kpt_shape",
    "kpt_names",
    "node_names",
    "flip_idx",
    "path",
    "valid",
    "validation",
    *SPLITS,
}
_NUMBERED = re.compile(r"(\d{1,6})(?:\s*(?:[:=)\t]|[.,](?!\d))|\s)\s*(\S.*)")
_SURROGATES = re.compile(r"\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class YoloNames:
    """Description of a YOLO data set."""

    class_names: tuple[str, ...] = ()
    """Names of the classes; empty if nothing lists them."""
    kpt_shape: tuple[int, int] | None = None
    """Number of keypoints, and values of each: 2, or 3 with visibility; None: no keypoints."""
    keypoint_names: tuple[str, ...] = ()
    mirrored_keypoints: tuple[int, ...] = ()
    """``flip_idx``: index of each keypoint in a mirrored image; empty if it isn't given."""
    root: str = ""
    """Folder that ``split_paths`` are relative to, as written in ``path``."""
    split_paths: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Image folders or lists of images by split: train, val, test."""
    notes: tuple[str, ...] = ()


def read_yolo_yaml(path: Path) -> YoloNames:
    """Read classes, keypoints and folders from a ``data.yaml``.

    Raises:
        DatasetError: if it isn't YAML, is too deep or too large, or an entry has an unknown form.
    """
    text = decode_text(read_bounded(path, LIMIT_MB), path)
    if "\t" in text:
        text = text.expandtabs(_TAB_WIDTH)  # YAML forbids tabs, but editors write them
    text = _SURROGATES.sub(_joined, text)  # JSON's escapes of characters beyond 16 bits
    try:
        _check_events(text)
        entries = _entries(yaml.compose(text, Loader=_Loader))
        return _description(entries, path)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DatasetError(
            f"{path} can't be used: {_one_line(error)}. List names as - NAME, or as 0: NAME from 0 "
            f"on, and kpt_shape as [K, 3]; or list the names in classes.txt and remove {path.name}."
        ) from error


def _joined(match: re.Match[str]) -> str:
    high, low = (int(each, 16) for each in match.groups())
    return f"\\U{0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF):08x}"


def _one_line(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    reason = getattr(error, "problem", None) or str(error)
    line = f" in line {mark.line + 1}" if mark is not None else ""
    return " ".join(str(reason).split())[:120] + line


def _check_events(text: str) -> None:
    """Check the depth, the number and the tags of YAML events before building anything.

    Raises:
        ValueError: if it is too deep or too long, or a tag asks for an object.
    """
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=_Loader)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MAX_DEPTH:
            raise ValueError(f"entries are nested deeper than {_MAX_DEPTH}")
        if count > _MAX_EVENTS:
            raise ValueError(f"it has more than {_MAX_EVENTS} entries")
        tag = getattr(event, "tag", None)
        if tag is not None and (not tag.startswith("tag:yaml.org,2002:") or "python" in tag):
            raise ValueError(f"the tag {shorten(tag)} is not read")


def _entries(document: yaml.Node | None) -> dict[str, yaml.Node]:
    """Return the values of the known top-level keys.

    Raises:
        ValueError: if the document isn't a mapping, or a known key occurs twice.
    """
    if document is None:
        return {}
    if not isinstance(document, yaml.MappingNode):
        raise ValueError("it has no keys")
    entries: dict[str, yaml.Node] = {}
    for key, value in document.value:
        if isinstance(key, yaml.ScalarNode) and key.value in _READ_KEYS:
            if key.value in entries:
                raise ValueError(f"{key.value} comes twice")
            entries[key.value] = value
    return entries


def _description(entries: dict[str, yaml.Node], path: Path) -> YoloNames:
    names = _names(entries.get("names", entries.get("class_names")), path)
    check_count(len(names), MAX_CLASSES, "names of classes", path)
    shape_texts = _scalars(entries.get("kpt_shape"))
    shape = tuple(int(each) if _is_number(each) else 0 for each in shape_texts)
    if shape and (len(shape) != 2 or shape[1] not in (2, 3) or not 0 < shape[0] <= MAX_KEYPOINTS):
        raise ValueError(f"kpt_shape is {shorten(shape_texts)}")
    listed = entries.get("kpt_names", entries.get("node_names"))  # the latter is SLEAP's
    points = _names(_first_list(listed), path)
    split_paths = {split: _entry_texts(entries.get(split)) for split in SPLITS}
    same = ("val", "valid", "validation")
    split_paths["val"] = next(filter(None, (_entry_texts(entries.get(key)) for key in same)), ())
    count_text = " ".join(_entry_texts(entries.get("nc")))
    wrong = names and count_text.isdecimal() and int(count_text[:9]) != len(names)
    notes = [f"{path.name} says nc: {count_text[:9]}, but lists {len(names)} names"] * bool(wrong)
    count, flips = shape[0] if shape else 0, _entry_texts(entries.get("flip_idx"))
    is_valid = sorted(flips) == sorted(map(str, range(count)))
    if count and flips and not is_valid:
        notes.append(
            f"flip_idx in {path.name} isn't used: it must list 0 to {count - 1}, each once"
        )
    return YoloNames(
        names,
        (shape[0], shape[1]) if shape else None,
        points if len(points) == count else (),
        tuple(map(int, flips)) if is_valid else (),
        " ".join(_entry_texts(entries.get("path"))),
        {split: paths for split, paths in split_paths.items() if paths},
        tuple(notes),
    )


def _names(node: yaml.Node | None, path: Path) -> tuple[str, ...]:
    """Return the names of a list, or of a mapping from or to the numbers from 0."""
    if isinstance(node, yaml.ScalarNode) and node.value:
        listed = path.parent / Path(node.value).name
        if listed.suffix in (".txt", ".names") and listed.is_file():
            return names_of_lines(listed)
    if not isinstance(node, yaml.MappingNode):
        return tuple(_filled(name) for name in _scalars(node))
    pairs = [(_text(key), _text(value)) for key, value in node.value]
    if not any(_is_number(key) for key, _ in pairs):
        pairs = [(value, key) for key, value in pairs]
    by_number = {int(key): _filled(name) for key, name in pairs if _is_number(key)}
    if len(by_number) < len(pairs) or set(by_number) != set(range(len(pairs))):
        raise ValueError(f"names have the numbers {shorten([key for key, _ in pairs])}")
    return tuple(by_number[number] for number in range(len(pairs)))


def names_of_lines(path: Path) -> tuple[str, ...]:
    """Read a list of names, one a line, such as ``classes.txt`` or ``obj.names``.

    Numbers in front of the names, "0: cat" or "0 cat", are dropped if they count from 0.

    Raises:
        DatasetError: if it can't be read, or isn't text.
    """
    text = decode_text(read_bounded(path, LIMIT_MB), path)
    names = tuple(line.strip() for line in text.splitlines() if line.strip())
    check_count(len(names), MAX_CLASSES, "names of classes", path)
    numbered = [_NUMBERED.fullmatch(name) for name in names]
    found = [(match[1], match[2]) for match in numbered if match is not None]
    is_numbered = [number for number, _ in found] == [str(row) for row in range(len(names))]
    bare = tuple(name for _, name in found)
    # "0 fingers" and "1 fingers" are names, not numbered ones
    return bare if is_numbered and len({*bare}) == len({*names}) else names


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 6


def _scalars(node: yaml.Node | None) -> list[str]:
    if node is None or _is_null(node):
        return []
    if not isinstance(node, yaml.SequenceNode):
        raise ValueError(f"{shorten(node.value)} isn't a list")
    return [_text(each) for each in node.value]


def _text(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise ValueError("a list is nested in a list")
    return str(node.value)


def _filled(name: str) -> str:
    if not name.strip():
        raise ValueError("a name is blank")
    return name.strip()


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null")


def _entry_texts(node: yaml.Node | None) -> tuple[str, ...]:
    """Return the texts of an entry that is a scalar or a list; other forms are ignored."""
    if node is None or _is_null(node):
        return ()
    items = node.value if isinstance(node, yaml.SequenceNode) else [node]
    return tuple(str(item.value) for item in items if isinstance(item, yaml.ScalarNode))


def _first_list(node: yaml.Node | None) -> yaml.Node | None:
    """Return the node itself, or the first value of a mapping from classes."""
    if isinstance(node, yaml.MappingNode):
        return node.value[0][1] if node.value else None
    return node
