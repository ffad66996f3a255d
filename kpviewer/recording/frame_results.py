"""The detections of one frame as a CSV file."""

from __future__ import annotations

from pathlib import Path

from kpviewer.recording.files import source_stem, utf8_of
from kpviewer.recording.formats import CsvRows, ResultHeader
from kpviewer.recording.parts import save_file
from kpviewer.structures import FrameResult


def save_frame_csv(result: FrameResult, folder: Path, header: ResultHeader) -> Path:
    """Write the detections of one frame as CSV, without overwriting a file.

    Returns:
        The file: ``SOURCE_frame-N.csv``.

    Raises:
        RecordingError: if it can't be written.
    """
    rows = CsvRows(header)
    text = rows.begin() + rows.frame(result) + rows.end()
    stem = f"{source_stem(header.source)}_frame-{result.frame.index}"
    return save_file(folder, stem, ".csv", utf8_of(text))
