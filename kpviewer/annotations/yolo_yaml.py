"""Names and keypoints from the ``data.yaml`` of a YOLO data set.

A reader of the few forms of YAML that such files use, so that no YAML library is needed: a list or
a mapping from numbers, in lines or in brackets. Other keys are not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from kpviewer.annotations.values import read_bounded, shorten
from kpviewer.errors import DatasetError

LIMIT_MB = 4
_KEY = re.compile(r"([A-Za-z_]\w*)\s*:(?:\s+|$)(.*)")
_NUMBERED = re.compile(r"(\d{1,6})\s*:(?:\s+|$)(.*)", re.DOTALL)
_COMMENT = re.compile(r"""((?:"(?:\\.|[^"\\])*"|'[^']*'|[^"'#]|(?<!\s)#)*?)(?:(?:^|\s)#.*)?$""")


@dataclass(frozen=True, slots=True)
class YoloNames:
    """What a data set says of its classes and points."""

    class_names: tuple[str, ...] = ()
    """Empty where nothing tells them."""
    kpt_shape: tuple[int, int] | None = None
    """Number of points, and numbers of each: 2, or 3 with visibility; None: no points."""
    keypoint_names: tuple[str, ...] = ()


def read_yolo_yaml(path: Path) -> YoloNames:
    """Read ``names``, ``kpt_shape`` and ``kpt_names`` of a ``data.yaml``.

    Raises:
        DatasetError: if it is no text, or one of the three has a form that isn't known.
    """
    try:
        text = read_bounded(path, LIMIT_MB).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} must be YAML in UTF-8: {error}.") from error
    blocks = _blocks(text)
    try:
        shape = tuple(int(each) for each in _items(blocks.get("kpt_shape", [])))
        if shape and (len(shape) != 2 or shape[1] not in (2, 3) or not 0 < shape[0] < 10_000):
            raise ValueError(f"kpt_shape: {shape}")
        points = _items(_first_list(blocks.get("kpt_names", [])))
        return YoloNames(
            tuple(_items(blocks.get("names", []))),
            (shape[0], shape[1]) if shape else None,
            tuple(points) if shape and len(points) == shape[0] else (),
        )
    except ValueError as error:
        raise DatasetError(
            f"{path} must list names (- NAME, or 0: NAME, from 0) and kpt_shape: [K, 3]; got "
            f"{shorten(str(error))}. Or list the names in classes.txt and remove data.yaml."
        ) from error


def _blocks(text: str) -> dict[str, list[str]]:
    """Give the lines of each top-level key, without comments; the first is what stands beside."""
    blocks: dict[str, list[str]] = {}
    lines: list[str] = []
    for raw in text.splitlines():
        match = _COMMENT.match(raw)
        line = (match.group(1) if match else raw).rstrip()
        key = _KEY.fullmatch(line)
        if key:
            lines = blocks[key.group(1)] = [key.group(2)] if key.group(2) else []
        elif line.strip():
            lines.append(line)
    return blocks


def _items(lines: list[str]) -> list[str]:
    """Give the values of a list or of a mapping from 0 on.

    Raises:
        ValueError: if it is neither.
    """
    text = " ".join(line.strip() for line in lines)
    if text[:1] in ("[", "{") and text[-1:] in ("]", "}"):
        parts = [part.strip() for part in re.findall(_PART, text[1:-1]) if part.strip()]
    else:
        parts = [line.strip().removeprefix("- ").strip() for line in lines]
    numbered = [_NUMBERED.fullmatch(part) for part in parts]
    if not any(numbered):
        return [_plain(part) for part in parts]
    by_number = {int(each.group(1)): _plain(each.group(2)) for each in numbered if each}
    if sorted(by_number) != list(range(len(parts))):
        raise ValueError(text)
    return [by_number[number] for number in range(len(parts))]


_PART = r"""(?:"(?:\\.|[^"\\])*"|'[^']*'|[^,"']|["'])+"""


def _first_list(lines: list[str]) -> list[str]:
    """Give the lines of the first list inside a mapping from class numbers."""
    found: list[str] = []
    for line in lines:
        head = _NUMBERED.fullmatch(line.strip())
        if head is None:
            found.append(line)
        elif found:
            break
        elif head.group(2):
            found.append(head.group(2))
    return found


def _plain(text: str) -> str:
    """Take the quotes off; raises ValueError for nothing, and for what is itself a list."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = re.sub(r"\\(.)", r"\1", text[1:-1]) if text[0] == '"' else text[1:-1]
    elif text[:1] in ("[", "{", "&", "*", "!", "|", ">"):
        raise ValueError(text)
    if not text.strip():
        raise ValueError("a blank")
    return text
