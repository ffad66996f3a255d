"""Segments of an image by Felzenszwalb's method, described by their colour and texture.

scikit-image makes the segments: Felzenszwalb and Huttenlocher 2004, Efficient Graph-Based Image
Segmentation. It comes with ``pip install "kpviewer[proposals]"`` and is imported on use.
"""

import importlib
from typing import Any

import numpy as np

from kpviewer.errors import WeightsError
from kpviewer.models.networks.regions.grouping import Segments
from kpviewer.structures import FloatArray, ImageArray, IntArray

COLOUR_BINS = 25
"""Bins of a colour histogram for each channel (section 3.2)."""
TEXTURE_BINS = 10
"""Bins of a texture histogram for each channel and orientation (section 3.2)."""
ORIENTATIONS = 8
_SMOOTHING_PX = 0.8
"""Standard deviation of the smoothing before segmentation, as in the paper's code."""


def colours_of(rgb: ImageArray, colour_space: str) -> FloatArray:
    """Convert an image to a colour space.

    Args:
        rgb: (H, W, 3) uint8 image.
        colour_space: "hsv", "lab" or "rgb".

    Returns:
        (H, W, 3) float32; each channel fills [0, 1] unless it is constant.
    """
    if colour_space == "rgb":
        converted = rgb.astype(np.float32)
    else:
        converted = getattr(_library("skimage.color"), f"rgb2{colour_space}")(rgb).astype(
            np.float32
        )
    low, high = converted.min((0, 1)), converted.max((0, 1))
    normalised: FloatArray = (converted - low) / np.maximum(high - low, 1e-6)
    return normalised


def segment_map(colours: FloatArray, scale: float) -> IntArray:
    """Return the segment of each pixel.

    Args:
        colours: (H, W, 3) float in [0, 1].
        scale: Felzenszwalb's k, for larger segments, and the least size of a segment, px.

    Returns:
        (H, W) int64 numbers from 0.
    """
    felzenszwalb = _library("skimage.segmentation").felzenszwalb
    least = max(1, round(scale))
    numbers: IntArray = felzenszwalb(colours, scale=scale, sigma=_SMOOTHING_PX, min_size=least)
    return numbers


def described(numbers: IntArray, histograms: FloatArray) -> Segments:
    """Return the segments of a map with their sizes, boxes and neighbours.

    Args:
        numbers: (H, W) segment of each pixel, of R segments from 0.
        histograms: (R, D) as in ``Segments``.
    """
    count = int(numbers.max()) + 1
    ys, xs = np.indices(numbers.shape)
    xyxy = np.zeros((count, 4), np.int64)
    xyxy[:, :2] = max(numbers.shape)
    flat = numbers.ravel()
    np.minimum.at(xyxy[:, 0], flat, xs.ravel())
    np.minimum.at(xyxy[:, 1], flat, ys.ravel())
    np.maximum.at(xyxy[:, 2], flat, xs.ravel() + 1)
    np.maximum.at(xyxy[:, 3], flat, ys.ravel() + 1)
    sizes = np.bincount(flat, minlength=count).astype(np.float32)
    return Segments(sizes, xyxy, histograms, touching_pairs(numbers))


def touching_pairs(numbers: IntArray) -> IntArray:
    """Return (E, 2) pairs of segments that share an edge of a pixel, ordered, each pair once."""
    beside = np.stack([numbers[:, :-1].ravel(), numbers[:, 1:].ravel()], 1)
    below = np.stack([numbers[:-1].ravel(), numbers[1:].ravel()], 1)
    pairs = np.concatenate([beside, below])
    pairs = np.sort(pairs[pairs[:, 0] != pairs[:, 1]], 1)
    count = int(numbers.max()) + 1
    codes = np.unique(pairs[:, 0] * count + pairs[:, 1])
    return np.stack([codes // count, codes % count], 1)


def colour_histograms(colours: FloatArray, numbers: IntArray) -> FloatArray:
    """Return (R, 75) histograms of the colours of each segment, each of sum 1."""
    return _histograms(np.moveaxis(colours, 2, 0), numbers, COLOUR_BINS)


def texture_histograms(colours: FloatArray, numbers: IntArray) -> FloatArray:
    """Return (R, 240) histograms of Gaussian derivatives (sigma 1) of each segment, each of sum 1.

    The eight orientations are four axes, each with its rising and its falling part.
    """
    blurred = _library("scipy.ndimage").gaussian_filter1d
    maps = []
    for channel in np.moveaxis(colours, 2, 0):
        across = blurred(blurred(channel, 1.0, 0), 1.0, 1, order=1)
        down = blurred(blurred(channel, 1.0, 1), 1.0, 0, order=1)
        steepest = max(float(np.hypot(across, down).max()), 1e-6)
        for step in range(ORIENTATIONS // 2):
            angle = step * np.pi / (ORIENTATIONS // 2)
            slope = (np.cos(angle) * across + np.sin(angle) * down) / steepest
            maps += [np.maximum(slope, 0), np.maximum(-slope, 0)]
    return _histograms(np.stack(maps), numbers, TEXTURE_BINS)


def _histograms(maps: FloatArray, numbers: IntArray, bins: int) -> FloatArray:
    """Return the histograms of M maps in [0, 1] for each segment, (R, M * bins), each of sum 1."""
    count = int(numbers.max()) + 1
    offsets = numbers.ravel() * bins
    tables = []
    for each in maps:
        places = np.minimum((each.ravel() * bins).astype(np.int64), bins - 1)
        table = np.bincount(offsets + places, minlength=count * bins)
        tables.append(table.reshape(count, bins))
    joined: FloatArray = np.concatenate(tables, 1).astype(np.float32)
    joined /= joined.sum(1, keepdims=True)
    return joined


def _library(name: str) -> Any:
    """Import a module of scikit-image, or of scipy, which comes with it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise WeightsError(
            "Selective search needs scikit-image, which isn't installed: "
            'pip install "kpviewer[proposals]"'
        ) from error
