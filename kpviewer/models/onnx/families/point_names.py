"""Names of the keypoints of well-known models, which their files lack."""

from collections.abc import Sequence

from kpviewer.models.names.coco_keypoints import NAMES as COCO
from kpviewer.models.onnx.description import UNNAMED_POINTS

FACE = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
"""Order of SCRFD, RetinaFace and YuNet; left and right as in the image."""
BLAZEFACE = ("left_eye", "right_eye", "nose", "mouth", "left_ear", "right_ear")
"""Order of MediaPipe, whose own names are the person's right and left."""
HALPE_26 = (
    *COCO, "head", "neck", "hip", "left_big_toe", "right_big_toe", "left_small_toe",
    "right_small_toe", "left_heel", "right_heel",
)  # fmt: skip
"""Source: mmpose, configs/_base_/datasets/halpe26.py."""
_FINGERS = tuple(
    f"{finger}{joint}"
    for finger in ("thumb", "forefinger", "middle_finger", "ring_finger", "pinky_finger")
    for joint in range(1, 5)
)
HAND_21 = ("wrist", *_FINGERS)
"""Source: mmpose, configs/_base_/datasets/coco_wholebody_hand.py."""
WHOLE_BODY_133 = (
    *COCO,
    *(f"{side}_{toe}" for side in ("left", "right") for toe in ("big_toe", "small_toe", "heel")),
    *(f"face-{index}" for index in range(68)),
    *(f"{side}_{each}" for side in ("left", "right") for each in ("hand_root", *_FINGERS)),
)
"""Source: mmpose, configs/_base_/datasets/coco_wholebody.py."""


_OWNERS = {
    COCO: "COCO's person",
    HALPE_26: "Halpe's person",
    WHOLE_BODY_133: "COCO-WholeBody's person",
    HAND_21: "COCO-WholeBody's hand",
}
_PERSONS = frozenset(("person", "people", "human", "pedestrian", "player", "man", "woman"))


def numbered(count: int) -> tuple[str, ...]:
    """Return "point 0", "point 1" ... for keypoints without known names."""
    return tuple(f"point {index}" for index in range(count))


def pose_names(count: int, *, is_person: bool = True) -> tuple[str, ...]:
    """Return the names of ``count`` keypoints of a pose model."""
    known = {len(names): names for names in (COCO, HALPE_26, WHOLE_BODY_133)}
    if is_person and count in known:
        return known[count]
    return HAND_21 if count == len(HAND_21) else numbered(count)


def points_of(classes: Sequence[str], count: int) -> tuple[str, ...]:
    """Return the names of ``count`` keypoints of classes: COCO's for 17 of a person, or numbers."""
    is_person = any(name.casefold() in _PERSONS for name in classes)
    return COCO if is_person and count == len(COCO) else numbered(count)


def assumed(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return a note that keypoints have the names of a well-known model; none for numbers."""
    if names not in _OWNERS:
        return ()
    count, owner = len(names), _OWNERS[names]
    return (f"{UNNAMED_POINTS}. It has {count}, as {owner} has, so those names are shown.",)


def lines_of(edges: object, count: int) -> list[tuple[int, int]]:
    """Return the pairs among ``edges`` that join two of ``count`` keypoints by number."""
    return [
        (each[0], each[1])
        for each in (edges if isinstance(edges, list) else ())
        if isinstance(each, list)
        and len(each) == 2
        and all(type(end) is int and 0 <= end < count for end in each)
        and each[0] != each[1]
    ]
