"""LabelImg folders of generated images: blocks of three colours on dark noise."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kpviewer.sources.opencv import cv2

BLOCK_COLOURS = {"blue": (40, 40, 230), "green": (40, 220, 40), "red": (230, 40, 40)}
"""RGB by class name, in the order of the class ids."""
BLOCK_NAMES = tuple(BLOCK_COLOURS)
SIDE = 64


def write_blocks(
    folder: Path,
    label_sets: Sequence[Sequence[str]],
    seed: int = 0,
    side_px: tuple[int, int] = (14, 30),
) -> Path:
    """Write one image of 64 x 64 px for each of ``label_sets``, a block for each name in it."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for number, names in enumerate(label_sets):
        rgb = rng.integers(0, 60, (SIDE, SIDE, 3)).astype(np.uint8)
        objects = ""
        for name in names:
            width, height = rng.integers(*side_px, 2)
            left, top = rng.integers(0, SIDE - width), rng.integers(0, SIDE - height)
            rgb[top : top + height, left : left + width] = BLOCK_COLOURS[name]
            objects += (
                f"<object><name>{name}</name><bndbox><xmin>{left}</xmin><ymin>{top}</ymin>"
                f"<xmax>{left + width}</xmax><ymax>{top + height}</ymax></bndbox></object>"
            )
        cv2.imwrite(str(folder / f"{number:03}.png"), rgb[..., ::-1])
        (folder / f"{number:03}.xml").write_text(
            f"<annotation><filename>{number:03}.png</filename><size><width>{SIDE}</width>"
            f"<height>{SIDE}</height></size>{objects}</annotation>"
        )
    return folder


def subsets(count: int) -> list[list[str]]:
    """Return all eight sets of the three colours repeatedly: half of the decisions are positive."""
    return [
        [name for bit, name in enumerate(BLOCK_NAMES) if number >> bit & 1]
        for number in (index % 8 for index in range(count))
    ]
