"""Colours of the classes, equal on screen, in files and in plots. Plain numbers, no Qt.

The first seven are those of Okabe and Ito ("Color Universal Design", 2008), distinct with any
common colour blindness; their black is left out, because it vanishes on dark images. The rest is
spread evenly by hue in OKLCH (Ottosson 2020), a space with perceptually equal steps.
"""

import math
from functools import lru_cache
from typing import TypeAlias

Rgb: TypeAlias = tuple[int, int, int]
"""sRGB, 0 to 255."""

BLACK: Rgb = (0, 0, 0)
WHITE: Rgb = (255, 255, 255)

OKABE_ITO: tuple[Rgb, ...] = (
    (86, 180, 233),  # sky blue first: it stands out from skin, on which orange would drown
    (230, 159, 0),
    (0, 158, 115),
    (240, 228, 66),
    (204, 121, 167),
    (213, 94, 0),
    (0, 114, 178),
)

_GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))  # any number of hues stays evenly spread
_LIGHTNESSES = (0.78, 0.64, 0.88)
_CHROMA = 0.13


@lru_cache(maxsize=1024)
def class_color(class_id: int) -> Rgb:
    """Return the colour of a class.

    Raises:
        ValueError: if ``class_id`` is negative.
    """
    if class_id < 0:
        raise ValueError(f"class_id must be at least 0, got {class_id}")
    if class_id < len(OKABE_ITO):
        return OKABE_ITO[class_id]
    step = class_id - len(OKABE_ITO)
    lightness = _LIGHTNESSES[step % len(_LIGHTNESSES)]
    return oklch_to_rgb(lightness, _CHROMA, step * _GOLDEN_ANGLE)


@lru_cache(maxsize=1024)
def text_color(plate: Rgb) -> Rgb:
    """Return black or white, whichever has more contrast on ``plate``: at least 4.58."""
    return max(BLACK, WHITE, key=lambda color: contrast_ratio(color, plate))


def contrast_ratio(one: Rgb, other: Rgb) -> float:
    """Return the contrast of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: Rgb) -> float:
    """Return the luminance of a colour (WCAG 2.2, "relative luminance")."""
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in color)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def oklch_to_rgb(lightness: float, chroma: float, hue: float) -> Rgb:
    """Convert to sRGB; reduce the chroma until the colour is within the gamut."""
    linear = _oklch_to_linear(lightness, chroma, hue)
    while not all(0 <= value <= 1 for value in linear):
        chroma *= 0.97
        linear = _oklch_to_linear(lightness, chroma, hue)
    red, green, blue = (round(255 * _gamma(value)) for value in linear)
    return red, green, blue


def _oklch_to_linear(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    """Convert to linear sRGB; matrices of bottosson.github.io/posts/oklab."""
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _gamma(linear: float) -> float:
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
