"""Training images of dots, whose points a test can find in the pixels."""

import numpy as np

from kpviewer.training.data.samples import Sample

COLOURS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [0, 255, 255]], np.uint8)


def dotted_face(side: int = 120, seed: int = 0) -> Sample:
    """Return a grey image with a coloured 5x5 dot on each landmark of one face."""
    rng = np.random.default_rng(seed)
    rgb = np.full((side, side, 3), 40, np.uint8)
    layout = np.array([[-0.2, -0.15], [0.2, -0.15], [0, 0.05], [-0.15, 0.25], [0.15, 0.25]])
    centre = side / 2 + rng.uniform(-side / 12, side / 12, 2)
    points = np.round(centre + layout * side * 0.6) + 0.5  # centres of pixels
    for (x, y), colour in zip(points.astype(int), COLOURS, strict=True):
        rgb[y - 2 : y + 3, x - 2 : x + 3] = colour
    half = side * np.array([0.22, 0.28])
    box = np.concatenate([centre - half, centre + half])
    return Sample(
        rgb,
        box[None].astype(np.float32),
        np.zeros(1, np.int64),
        points[None].astype(np.float32),
        np.ones((1, 5), np.bool_),
        np.zeros(1, np.bool_),
    )


def background(side: int = 160) -> Sample:
    """Return a grey image without objects."""
    return Sample(
        np.full((side, side, 3), 90, np.uint8),
        np.zeros((0, 4), np.float32),
        np.zeros(0, np.int64),
        np.zeros((0, 5, 2), np.float32),
        np.zeros((0, 5), np.bool_),
        np.zeros(0, np.bool_),
    )


def dot_centre(rgb: np.ndarray, colour: np.ndarray) -> np.ndarray | None:
    """Return the centre (x, y) of pixels closer to ``colour`` than to grey; None without any."""
    chroma = rgb.astype(float) - rgb.min(-1, keepdims=True)
    target = colour / np.linalg.norm(colour)
    strength = chroma @ target
    strength[(chroma.max(-1) < 60)] = 0
    alike = strength / np.maximum(np.linalg.norm(chroma, axis=-1), 1e-6) > 0.92
    weight = np.where(alike, strength, 0)
    if weight.sum() < 100:
        return None
    rows, columns = np.mgrid[: rgb.shape[0], : rgb.shape[1]]
    return np.array([(columns + 0.5) * weight, (rows + 0.5) * weight]).sum((1, 2)) / weight.sum()
