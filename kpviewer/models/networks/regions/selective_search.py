"""Selective search: about 2,000 boxes of an image that are likely to hold objects of any class.

Segments are grouped into ever larger regions, whose boxes are the proposals. Several colour spaces,
segmentations and similarities make the groupings different from each other, as in the paper's
"fast" mode. Source: Uijlings et al. 2013, Selective Search for Object Recognition.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional

from kpviewer.models.networks.regions.grouping import grouped_xyxy
from kpviewer.models.networks.regions.segmentation import (
    colour_histograms,
    colours_of,
    described,
    segment_map,
    texture_histograms,
)
from kpviewer.structures import FloatArray, ImageArray, IntArray


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """Diversification of selective search; by default the paper's "fast" mode (table 5)."""

    side_px: int = 400
    """Longest side at which an image is searched; larger images are shrunk first."""
    colour_spaces: tuple[str, ...] = ("hsv", "lab")
    """Colour spaces of the segmentations and of the similarities: "hsv", "lab", "rgb"."""
    scales: tuple[float, ...] = (50.0, 100.0)
    """Felzenszwalb's k of the segmentations."""
    least_side_share: float = 0.02
    """Least width and height of a proposal, over the longest side of the image."""
    most: int = 2000
    """Largest number of proposals for an image."""
    seed: int = 0
    """Seed of the random order."""


FAST = SearchSettings()


def selective_search(rgb: ImageArray, settings: SearchSettings = FAST) -> FloatArray:
    """Return the boxes of an image that are likely to hold an object, the likeliest first.

    The same image and settings always give the same boxes.

    Args:
        rgb: (H, W, 3) uint8 image.
        settings: diversification.

    Returns:
        (N, 4) float32 boxes, xyxy, px: inside the image and all different. N is at most
        ``settings.most``; 0 for an image with a side of 0.

    Raises:
        WeightsError: if scikit-image isn't installed.
    """
    if 0 in rgb.shape:
        return np.zeros((0, 4), np.float32)
    small = _shrunk(rgb, settings.side_px)
    xyxy = ordered(_groupings(small, settings), settings.seed)
    sides = xyxy[:, 2:] - xyxy[:, :2]
    is_large = (sides >= settings.least_side_share * max(small.shape[:2])).all(1)
    size_xy = np.array([rgb.shape[1], rgb.shape[0]])
    scale_xy = size_xy / (small.shape[1], small.shape[0])
    scaled = xyxy[is_large][: settings.most] * np.tile(scale_xy, 2)
    inside: FloatArray = np.minimum(scaled, np.tile(size_xy, 2)).astype(np.float32)
    return inside


def ordered(groupings: list[IntArray], seed: int) -> IntArray:
    """Put the boxes of several groupings into one random order, large regions mostly first.

    A box is ranked by its place in its grouping, counted from the whole image, times a random
    number in [0, 1). So no grouping and no size takes all the first places (section 4).

    Args:
        groupings: arrays of (N, 4) boxes, in the order of the merges.
        seed: seed of the random numbers.

    Returns:
        (M, 4) boxes without duplicates; of equal ones the first stays.
    """
    rng = np.random.default_rng(seed)
    ranks = [np.arange(len(xyxy), 0, -1) * rng.random(len(xyxy)) for xyxy in groupings]
    sorted_xyxy = np.concatenate(groupings)[np.argsort(np.concatenate(ranks), kind="stable")]
    _, firsts = np.unique(sorted_xyxy, axis=0, return_index=True)
    return sorted_xyxy[np.sort(firsts)]


def _groupings(rgb: ImageArray, settings: SearchSettings) -> list[IntArray]:
    """Return the boxes of each grouping: two similarities for each of the segmentations."""
    found = []
    for colour_space in settings.colour_spaces:
        colours = colours_of(rgb, colour_space)
        for scale in settings.scales:
            numbers = segment_map(colours, scale)
            texture = texture_histograms(colours, numbers)
            both = np.concatenate([colour_histograms(colours, numbers), texture], 1)
            segments = described(numbers, both)
            found += [grouped_xyxy(segments), grouped_xyxy(replace(segments, histograms=texture))]
    return found


def _shrunk(rgb: ImageArray, side_px: int) -> ImageArray:
    """Shrink an image to a longest side of at most ``side_px``."""
    ratio = side_px / max(rgb.shape[:2])
    if ratio >= 1:
        return rgb
    size = [max(1, round(side * ratio)) for side in rgb.shape[:2]]
    pixels = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None]
    small = functional.interpolate(pixels, size, mode="bilinear", antialias=True)
    shrunk: ImageArray = small[0].permute(1, 2, 0).numpy()
    return shrunk
