"""The 17 keypoints of a person that COCO annotates, with their skeleton and mirror."""

import re
from collections.abc import Sequence

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+|[^\W_A-Za-z0-9]+")
_SIDE = re.compile("left|right")
_OPPOSITES = {"left": "right", "right": "left", "l": "r", "r": "l"}
NAMES = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip",
    "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
"""In the order of COCO's person_keypoints annotations."""
BONES = (
    ("left_ankle", "left_knee"), ("left_knee", "left_hip"), ("right_ankle", "right_knee"),
    ("right_knee", "right_hip"), ("left_hip", "right_hip"), ("left_shoulder", "left_hip"),
    ("right_shoulder", "right_hip"), ("left_shoulder", "right_shoulder"),
    ("left_shoulder", "left_elbow"), ("right_shoulder", "right_elbow"),
    ("left_elbow", "left_wrist"), ("right_elbow", "right_wrist"), ("nose", "left_eye"),
    ("nose", "right_eye"), ("left_eye", "left_ear"), ("right_eye", "right_ear"),
)  # fmt: skip
"""Pairs of names that lines join."""


def skeleton_of(names: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Return the lines between those of ``names`` that COCO joins, as pairs of indices."""
    return tuple((names.index(a), names.index(b)) for a, b in BONES if a in names and b in names)


def mirrored_keypoints(names: Sequence[str]) -> tuple[int, ...]:
    """Return the index of each keypoint in a mirrored image: left_eye and right_eye swap.

    So do "Left Eye", "eye-left", "LEye", "eye_l" and their partners. A keypoint without such a
    word, or without a partner, keeps its index.
    """
    words = [words_of(name) for name in names]
    index = {"".join(own): row for row, own in enumerate(words)}
    partners = [index.get("".join(map(_mirrored, own)), row) for row, own in enumerate(words)]
    return tuple(
        partner if partners[partner] == row else row for row, partner in enumerate(partners)
    )


def words_of(name: str) -> list[str]:
    """Return the words of a name in lower case: "leftEye", "LEye" and "left_eye" have two."""
    return [word.casefold() for word in _WORD.findall(name)]


def _mirrored(word: str) -> str:
    """Return the opposite of a word of a name; the word itself if it has none."""
    return _OPPOSITES.get(word) or _SIDE.sub(lambda side: _OPPOSITES[side[0]], word)
