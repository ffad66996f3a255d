"""Saves single pictures as PNG."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpviewer.errors import RecordingError
from kpviewer.overlay import OverlayStyle, qimage_of, render
from kpviewer.recording.files import publish, recording_stem, reserve

if TYPE_CHECKING:
    from pathlib import Path

    from kpviewer.structures import FrameResult, ImageArray


def save_snapshot(
    result: FrameResult,
    folder: Path,
    style: OverlayStyle | None = None,
    *,
    stem: str | None = None,
) -> Path:
    """Save one frame; never overwrites.

    Args:
        result: its frame is held by the caller meanwhile.
        folder: made if it isn't there.
        style: how to annotate the picture; None saves it as it came.
        stem: name without suffix; None: ``kpviewer_YYYY-MM-DD_HH-MM-SS``.

    Returns:
        The PNG file.

    Raises:
        RecordingError: if it can't be written.
    """
    picture = result.frame.bgr if style is None else render(result, style)
    return save_png(picture, folder, stem or recording_stem())


def save_png(bgr: ImageArray, folder: Path, stem: str) -> Path:
    """Save an (H, W, 3) uint8 picture as ``folder/stem.png``; see ``save_snapshot``."""
    part = reserve(folder, stem, ".png")
    if not qimage_of(bgr).save(str(part), "PNG"):
        part.unlink(missing_ok=True)
        raise RecordingError(
            f"The picture can't be written to {folder}. Is the disk full? Choose another folder."
        )
    return publish(part)
