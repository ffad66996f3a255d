"""Models that read the keypoints of one object in a crop, as OpenMMLab's and others prepare it."""

from collections.abc import Sequence
from typing import Any

from kpviewer.models.names.coco_keypoints import skeleton_of
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.onnx.families.point_names import assumed, pose_names

MEAN_RGB, STD_RGB = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
_CROP_HW = [256, 192]
COMMON: dict[str, Any] = {
    "stride": 32,
    "whole_input": True,
    "value_range": [0, 255],
    "placement": "top-left",
    "sampling": "linear",
    "nms": "none",
    "score_threshold": 0.3,
    "keypoint_threshold": 0.3,
    "iou_threshold": 0.65,
}
"""Fields of the description that all models of OpenMMLab share."""
_NO_PERSON = ("ap10k", "animal", "horse", "macaque")
_KINDS = {21: "hand", 106: "face", 68: "face", 98: "face"}
"""Objects of well-known numbers of keypoints."""


def crop_fields(facts: FileFacts, count: int, own_names: Sequence[str] = ()) -> dict[str, Any]:
    """Return the fields of the description of a model for crops, all but ``output``.

    Args:
        facts: what the file says.
        count: number of its keypoints.
        own_names: names of the keypoints that the file has; empty: assumed by their number.
    """
    keypoints = tuple(own_names) or names_of_pose(facts, count)
    return COMMON | {
        "classes": [_KINDS.get(count, "animal" if _is_animal(facts) else "person")],
        "keypoints": list(keypoints),
        "skeleton": skeleton_of(keypoints),
        "input": _CROP_HW,
        "mean": MEAN_RGB,
        "std": STD_RGB,
        "padding": [0, 0, 0],
        "notes": [
            "This model reads keypoints in a crop of one object, and takes the whole image "
            f"as that. For every object that a detector finds: "
            f"--model two-stage:DETECTOR+{facts.stem}.onnx",
            *(() if own_names else assumed(keypoints)),
        ],
    }


def names_of_pose(facts: FileFacts, count: int) -> tuple[str, ...]:
    """Return the names of ``count`` keypoints of a pose model, by what its file is called."""
    return pose_names(count, is_person=not _is_animal(facts))


def _is_animal(facts: FileFacts) -> bool:
    return any(each in facts.stem.lower() for each in _NO_PERSON)
