"""What a model sees while it is trained, beside the truth: one picture a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from kpviewer.cli.prediction_tiles import chosen, prediction_tiles
from kpviewer.structures import ImageArray

if TYPE_CHECKING:
    from kpviewer.models.base import Detector

PICTURE = "predictions.png"
COLUMNS = 4
_GAP_PX = 8
_BACKGROUND = 32


def prediction_pictures(
    spec: str, out_dir: Path, device: str
) -> Callable[[Detector], object] | None:
    """Give what draws a detector's answers on a few pictures into ``OUT/predictions.png``.

    The pictures are the same each time, spread over the set, and drawn by the viewer's renderer:
    the truth dashed. Models of whole pictures have class bars under each instead, and those of
    single objects a line that names truth and mistake. None where there is nothing to draw with,
    or on.

    Raises:
        DatasetError: if the set can't be read.
    """
    from kpviewer.annotations.spec import read_annotations

    annotations = read_annotations(spec)
    if not chosen(annotations.images):
        return None
    try:
        from kpviewer.cli.report_pictures import bgr_painter
    except ImportError as error:
        click.echo(f"Note: no {PICTURE}, as PyQt6 can't be loaded: {error}", err=True)
        return None

    def show(detector: Detector) -> None:
        tiles = prediction_tiles(detector, annotations, device, bgr_painter)
        _save(grid(tiles), out_dir / PICTURE)

    return show


def grid(tiles: Sequence[ImageArray]) -> ImageArray:
    """Put pictures of any sizes into rows of COLUMNS, each in the middle of its cell.

    Args:
        tiles: (H, W, 3) uint8 each.
    """
    columns = max(1, min(COLUMNS, len(tiles)))
    rows = [tiles[start : start + columns] for start in range(0, len(tiles), columns)]
    width = max((tile.shape[1] for tile in tiles), default=1) + _GAP_PX
    heights = [max(tile.shape[0] for tile in row) + _GAP_PX for row in rows]
    canvas = np.full((sum(heights) + _GAP_PX, columns * width + _GAP_PX, 3), _BACKGROUND, np.uint8)
    for index, row in enumerate(rows):
        top = sum(heights[:index]) + _GAP_PX
        for column, tile in enumerate(row):
            left = column * width + _GAP_PX + (width - _GAP_PX - tile.shape[1]) // 2
            canvas[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    return canvas


def _save(bgr: ImageArray, path: Path) -> None:
    from PIL import Image

    partial = path.with_suffix(".part")
    Image.fromarray(np.ascontiguousarray(bgr[..., ::-1])).save(partial, format="PNG")
    partial.replace(path)  # whoever looks sees a whole picture
