"""Images of a generated strip: a camera's position, with given light, focus and noise.

A colour table of glowing steel turns brightness into an image.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from kpviewer.sources.opencv import cv2
from kpviewer.sources.synthetic.strip.world import MARGIN_PX, StripWorld
from kpviewer.structures import FloatArray, ImageArray

_GLOW = np.array(
    [
        [0, 14, 10, 8],
        [40, 44, 38, 36],
        [80, 52, 48, 86],
        [120, 40, 62, 190],
        [160, 46, 118, 240],
        [200, 92, 186, 255],
        [235, 168, 228, 255],
        [255, 226, 246, 255],
    ],
    np.float32,
)
"""Brightness and its blue, green, red: grey for cold, then dark red, orange, yellow, white."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """Camera position, light and noise of an image."""

    shift_xy: tuple[float, float] = (0.0, 0.0)
    """Position of the image's corner in the world, px from the margin; may be fractional."""
    gain: float = 1.0
    tilt: float = 0.0
    """Relative increase of brightness from the left edge to the right one."""
    warmth: float = 0.0
    """Colour of the lamp in [-1, 1], from bluish to reddish."""
    blur_px: float = 0.0
    """Standard deviation of the blur."""
    noise: float = 2.0
    """Standard deviation of the noise, levels of 255."""
    noise_seed: int = 0


def random_exposure(rng: np.random.Generator) -> Exposure:
    """Return a random exposure of a still image."""
    shift = rng.uniform(-MARGIN_PX + 2, MARGIN_PX - 2, 2)
    is_blurred = rng.random() < 0.5
    return Exposure(
        (float(shift[0]), float(shift[1])),
        gain=float(rng.uniform(0.6, 1.15)),
        tilt=float(rng.uniform(-0.35, 0.35)),
        warmth=float(rng.uniform(-1, 1)),
        blur_px=float(rng.uniform(0.5, 1.8)) if is_blurred else 0.0,
        noise=float(rng.uniform(1, 6)),
        noise_seed=int(rng.integers(1 << 30)),
    )


def expose(
    world: StripWorld, exposure: Exposure, size_hw: tuple[int, int]
) -> tuple[ImageArray, FloatArray]:
    """Render an image of a world.

    Args:
        world: strip to render.
        exposure: camera position, light and noise.
        size_hw: size of the image, px; with its shift, it must be inside the world.

    Returns:
        (H, W, 3) uint8 BGR, and the (N, 2) centres of all marks, of which some may be outside.
    """
    height, width = size_hw
    corner = np.array(exposure.shift_xy) + MARGIN_PX
    whole = np.floor(corner).astype(int)
    part = world.light[whole[1] : whole[1] + height + 1, whole[0] : whole[0] + width + 1]
    fraction = corner - whole
    step = np.array([[1, 0, fraction[0]], [0, 1, fraction[1]]], np.float64)
    light = np.asarray(
        cv2.warpAffine(
            part,
            step,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.float32,
    )
    lamp = exposure.gain * (1 + exposure.tilt * np.linspace(-0.5, 0.5, width, dtype=np.float32))
    light *= lamp
    if exposure.blur_px > 0:
        light = np.asarray(cv2.GaussianBlur(light, (0, 0), exposure.blur_px), np.float32)
    light += _noise(size_hw, exposure)
    levels = cv2.convertScaleAbs(np.maximum(light, 0, out=light))
    bgr = cv2.applyColorMap(levels, _colours(exposure.warmth))
    return np.asarray(bgr, np.uint8), world.seen_from(exposure.shift_xy)


@lru_cache(maxsize=2)
def _noise_bank(shape_hw: tuple[int, int]) -> FloatArray:
    """Return (H, W) standard normal noise, generated once; images use windows of it."""
    return np.random.default_rng(7).standard_normal(shape_hw, np.float32)


def _noise(size_hw: tuple[int, int], exposure: Exposure) -> FloatArray:
    """Return the noise of an image: a random window of the bank."""
    spare = 128
    bank = _noise_bank((size_hw[0] + spare, size_hw[1] + spare))
    row, column = np.random.default_rng(exposure.noise_seed).integers(0, spare, 2)
    window = bank[row : row + size_hw[0], column : column + size_hw[1]]
    return np.asarray(window * np.float32(exposure.noise), np.float32)


def _colours(warmth: float) -> ImageArray:
    """Return the colour table of a lamp: (256, 1, 3) uint8 BGR."""
    levels = np.arange(256)
    bgr = np.stack([np.interp(levels, _GLOW[:, 0], _GLOW[:, i]) for i in (1, 2, 3)], -1)
    bgr *= np.array([1 - 0.12 * warmth, 1.0, 1 + 0.06 * warmth])
    return np.asarray(np.clip(bgr, 0, 255).astype(np.uint8)[:, None], np.uint8)
