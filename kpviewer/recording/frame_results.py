"""Saves what was seen in one frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpviewer.errors import RecordingError
from kpviewer.recording.files import publish, reserve, source_stem
from kpviewer.recording.formats import CsvRows, ResultHeader

if TYPE_CHECKING:
    from pathlib import Path

    from kpviewer.structures import FrameResult


def save_frame_csv(result: FrameResult, folder: Path, header: ResultHeader) -> Path:
    """Write the detections of one frame as CSV; never overwrites.

    Args:
        result: the frame with its detections.
        folder: made if it isn't there.
        header: what the rows are named by.

    Returns:
        The file: ``SOURCE_frame-N.csv``.

    Raises:
        RecordingError: if it can't be written.
    """
    rows = CsvRows(header)
    text = rows.begin() + rows.frame(result) + rows.end()
    stem = f"{source_stem(header.source)}_frame-{result.frame.index}"
    part = reserve(folder, stem, ".csv")
    try:
        part.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        part.unlink(missing_ok=True)
        raise RecordingError(
            f"{folder} must take a file of {len(text)} bytes, got: {error.strerror or error}. "
            "Choose another folder."
        ) from error
    return publish(part)
