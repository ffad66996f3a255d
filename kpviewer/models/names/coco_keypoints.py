"""The 17 keypoints of a person that COCO annotates, with their skeleton and mirror."""

from __future__ import annotations

from collections.abc import Sequence

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

    A keypoint without "left" or "right" in its name, or without a partner, keeps its index.
    """
    index = {name: row for row, name in enumerate(names)}
    swap = {"left": "right", "right": "left"}
    partners = ("_".join(swap.get(part, part) for part in name.split("_")) for name in names)
    return tuple(index.get(partner, row) for row, partner in enumerate(partners))
