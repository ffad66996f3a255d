"""Limits of the values in a model's description: types with ranges, for ``models.tables``.

The limits are far above what real models have, and low enough that no file of a few kB can ask for
gigabytes: the largest face mesh has 478 points and 2,556 lines, the largest public set of boxes
1,203 classes.
"""

import re
from typing import Annotated, TypeAlias

from msgspec import Meta

MAX_CLASSES = 10_000
MAX_KEYPOINTS = 1_000
MAX_LINES = 3_000
MAX_NAME = 200
MAX_TEXT = 20_000
MAX_SIDE_PX = 16_384
MAX_PIXELS = 4096 * 4096
MAX_STRIDE_PX = 1_024
MAX_RANGES = 10_000
MAX_TENSORS = 20_000
MAX_OUTPUTS = 200
"""Most outputs of a file: real ones have some thirty, and thousands take minutes to compile."""
MAX_OUTPUT_VALUES = 2**27
"""Most values that a network may output for one image: half a gigabyte."""

Name: TypeAlias = Annotated[str, Meta(max_length=MAX_NAME)]
Text: TypeAlias = Annotated[str, Meta(max_length=MAX_TEXT)]
Side: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_SIDE_PX)]
SizeHW: TypeAlias = tuple[Side, Side]
Stride: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_STRIDE_PX)]
Count: TypeAlias = Annotated[int, Meta(ge=1, le=100_000)]
Byte: TypeAlias = Annotated[int, Meta(ge=0, le=255)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Level: TypeAlias = Annotated[float, Meta(ge=-1e6, le=1e6)]
"""Value of a colour, in units of a network's input."""
Spread: TypeAlias = Annotated[float, Meta(ge=1e-6, le=1e6)]
Value: TypeAlias = Annotated[float, Meta(ge=-1e9, le=1e9)]
"""Value of an activation."""
KeypointIndex: TypeAlias = Annotated[int, Meta(ge=0, lt=MAX_KEYPOINTS)]

ClassNames: TypeAlias = Annotated[tuple[Name, ...], Meta(min_length=1, max_length=MAX_CLASSES)]
KeypointNames: TypeAlias = Annotated[tuple[Name, ...], Meta(max_length=MAX_KEYPOINTS)]
Skeleton: TypeAlias = Annotated[
    tuple[tuple[KeypointIndex, KeypointIndex], ...], Meta(max_length=MAX_LINES)
]
Mirrored: TypeAlias = Annotated[tuple[KeypointIndex, ...], Meta(max_length=MAX_KEYPOINTS)]
Ranges: TypeAlias = Annotated[tuple[tuple[Name, Value, Value], ...], Meta(max_length=MAX_RANGES)]

_UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028-\u202e\u2066-\u2069]+")
"""Control characters, lone surrogates, and characters that change the text's direction."""


def is_writable(text: str) -> bool:
    """Return whether a text fits on one line of any file and window."""
    return _UNWRITABLE.search(text) is None


def clean_name(text: str) -> str:
    """Return a name from a file as one line of at most MAX_NAME characters."""
    return _UNWRITABLE.sub(" ", text[: 2 * MAX_NAME]).strip()[:MAX_NAME]


def check_input(input_hw: tuple[int, int], stride: int | None) -> None:
    """Check the size of a network's input.

    Raises:
        ValueError: if it has too many pixels, or its sides aren't multiples of the stride.
    """
    height, width = input_hw
    if height * width > MAX_PIXELS:
        raise ValueError(
            f"the input must have at most {MAX_PIXELS:,} pixels, got {width}x{height} px"
        )
    if stride is not None and (height % stride or width % stride):
        raise ValueError(
            f"the input's sides must be multiples of the stride, {stride} px, got "
            f"{width}x{height} px"
        )


def check_skeleton(skeleton: tuple[tuple[int, int], ...], points: int) -> None:
    """Check that lines join existing keypoints.

    Raises:
        ValueError: if a line doesn't.
    """
    if any(point >= points for line in skeleton for point in line):
        allowed = f"keypoints 0 to {points - 1}" if points else "keypoints, and there are none"
        raise ValueError(f"skeleton must name {allowed}")
