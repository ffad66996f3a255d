"""Colours of keypoints by the part that they mark. Plain numbers, no Qt.

Left is blue and right is orange, which stay distinct with any common colour blindness. Parts of a
side differ in lightness.
"""

import math
from functools import lru_cache

from kpviewer.models.names.coco_keypoints import words_of
from kpviewer.overlay.palette import OKABE_ITO, Rgb, class_color, oklch_to_rgb

_SKY, _ORANGE, _GREEN, _YELLOW, _, _VERMILION, _BLUE = OKABE_ITO
_PALE_BLUE, _PALE_ORANGE = (168, 216, 245), (250, 214, 137)

_PART_WORDS = {
    "eye": "eye eyes pupil iris eyelid brow eyebrow",
    "ear": "ear ears",
    "nose": "nose nostril",
    "mouth": "mouth lip lips",
    "arm": "shoulder elbow wrist hand arm palm thumb finger index middle ring pinky",
    "leg": "hip knee ankle foot heel toe leg paw hoof",
    "trunk": "head neck chin jaw chest spine back pelvis tail",
}
_PARTS = {word: part for part, words in _PART_WORDS.items() for word in words.split()}
_COLORS: dict[str, tuple[Rgb, Rgb, Rgb]] = {
    "eye": (_SKY, _YELLOW, _ORANGE),
    "ear": (_PALE_BLUE, _YELLOW, _PALE_ORANGE),
    "nose": (_SKY, _GREEN, _ORANGE),
    "mouth": (_BLUE, _YELLOW, _VERMILION),
    "arm": (_SKY, _YELLOW, _ORANGE),
    "leg": (_BLUE, _YELLOW, _VERMILION),
    "trunk": (_PALE_BLUE, _YELLOW, _PALE_ORANGE),
}
"""Colours of the left, of the middle and of the right."""
_SIDES = {"left": 0, "l": 0, "right": 2, "r": 2}
_LIGHTNESS, _CHROMA = 0.78, 0.13


@lru_cache(maxsize=64)
def keypoint_colors(names: tuple[str, ...], count: int) -> tuple[Rgb, ...] | None:
    """Return the colours of the keypoints of an object; None for the colour of its class.

    Keypoints have the colours of their parts, if the names tell these. Others have colours by
    index: those of the classes for a few, and neighbouring hues for many, as of a contour.

    Args:
        names: names of the keypoints, such as "left_eye"; may be too few.
        count: number of keypoints.
    """
    if count <= 1:
        return None
    found = [_part_and_side(name) for name in names[:count]]
    if any(part for part, _ in found):
        found += [("", 1)] * (count - len(found))
        return tuple(_COLORS[part or "trunk"][side] for part, side in found)
    if count <= len(OKABE_ITO):
        return tuple(class_color(index) for index in range(count))
    turn = 2 * math.pi / count
    return tuple(oklch_to_rgb(_LIGHTNESS, _CHROMA, index * turn) for index in range(count))


def _part_and_side(name: str) -> tuple[str, int]:
    """Return the part that a name contains, or "", and the side: 0 left, 1 middle, 2 right."""
    words = words_of(name)
    part = next((_PARTS[word] for word in words if word in _PARTS), "")
    side = next((_SIDES[word] for word in words if word in _SIDES), 1)
    return part, side


def readable(name: str) -> str:
    """Return the name of a keypoint as people write it: "left_eye" as "left eye"."""
    return name.replace("_", " ").strip()
