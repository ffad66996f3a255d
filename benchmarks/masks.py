"""Outlines of masks against the masks themselves: how alike they are, and how long they take.

Masks are mixed from smooth prototypes at random. The reference enlarges each map to the input, as
Ultralytics' ``process_mask_native`` does, and keeps what is above 0 within the box.
"""

import argparse
import time

import numpy as np

from kpviewer.models.ranking import Masks
from kpviewer.runtime.masks import mask_outlines
from kpviewer.sources.opencv import cv2

WIDTH, HEIGHT, STRIDE, PROTOTYPES = 640, 384, 4, 32
SUBPIXELS = 4


def scene(count: int) -> tuple[np.ndarray, Masks]:
    """Return boxes, px of the input, and their masks."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(PROTOTYPES, HEIGHT // STRIDE, WIDTH // STRIDE)).astype(np.float32)
    maps = np.stack([cv2.GaussianBlur(each, (0, 0), 6) for each in noise])
    coefficients = rng.normal(size=(count, PROTOTYPES)).astype(np.float32)
    centres, sides = rng.uniform(0, (WIDTH, HEIGHT), (count, 2)), rng.uniform(10, 300, (count, 2))
    boxes = np.concatenate([centres - sides / 2, centres + sides / 2], 1).astype(np.float32)
    return boxes, Masks(maps / maps.std(), (HEIGHT, WIDTH), coefficients)


def whole(box: np.ndarray, masks: Masks, row: int) -> np.ndarray:
    """Return the (H, W) mask of an object, bool."""
    levels = masks.levels(row, (slice(None), slice(None)))
    inside = cv2.resize(levels, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR) > 0
    x, y = np.arange(WIDTH), np.arange(HEIGHT)[:, None]
    left, top, right, bottom = box
    return inside & (x >= left) & (x < right) & (y >= top) & (y < bottom)


def painted(outline: np.ndarray) -> np.ndarray:
    """Return the (H, W) pixels within an outline, bool."""
    filled = np.zeros((HEIGHT, WIDTH), np.uint8)
    corners = np.rint((outline - 0.5) * 2**SUBPIXELS).astype(np.int32)
    cv2.fillPoly(filled, [corners], 1, shift=SUBPIXELS)
    return filled.astype(np.bool_)


def main() -> None:
    """Print the median and the lowest IoU, and the time for all masks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=60, help="number of masks")
    boxes, masks = scene(parser.parse_args().count)
    scores = np.full((len(boxes), 1), 0.9, np.float32)
    times_s = []
    for _ in range(9):
        began_s = time.perf_counter()
        outlines = mask_outlines(boxes, scores, masks)
        times_s.append(time.perf_counter() - began_s)
    ious = []
    for row, (box, outline) in enumerate(zip(boxes, outlines, strict=True)):
        mask = whole(box, masks, row)
        if mask.any():
            own = painted(outline)
            ious.append((own & mask).sum() / (own | mask).sum())
    print(f"{len(ious)} masks of {len(boxes)} objects, input {WIDTH}x{HEIGHT}")
    print(f"IoU: median {np.median(ious):.3f}, lowest {min(ious):.3f}")
    print(f"time: {np.median(times_s) * 1e3:.1f} ms, median of {len(times_s)} runs")


if __name__ == "__main__":
    main()
