"""Snapshots: single images as PNG, with their detections as JSON, and detections as CSV."""

import json
from pathlib import Path

from kpviewer.errors import RecordingError
from kpviewer.overlay import OverlayStyle, render
from kpviewer.overlay.jpeg import encoded
from kpviewer.recording.files import free_stem, recording_stem, source_stem, utf8_of
from kpviewer.recording.formats import CsvRows, ResultHeader, describe_frame, describe_header
from kpviewer.recording.parts import save_file
from kpviewer.recording.reasons import reason_of
from kpviewer.structures import FrameResult, ImageArray

_PNG_QUALITY = 80
"""Qt's quality: little compression, as more takes several times as long to save a tenth."""


def save_snapshot(
    result: FrameResult,
    folder: Path,
    style: OverlayStyle | None = None,
    *,
    stem: str | None = None,
    header: ResultHeader | None = None,
) -> Path:
    """Save one frame, without overwriting a file.

    Args:
        result: result to save; the caller holds its frame meanwhile.
        folder: folder of the file; made if it doesn't exist.
        style: overlay style; None saves the image without an overlay.
        stem: name without suffix; None: ``kpviewer_YYYY-MM-DD_HH-MM-SS``.
        header: description of the stream and the model, to save the detections as JSON of the same
            name; None saves only the image.

    Returns:
        The PNG file.

    Raises:
        RecordingError: if it can't be written.
    """
    image = result.frame.bgr if style is None else render(result, style)
    endings = (".png", ".json") if header is not None else (".png",)
    path = save_png(image, folder, free_stem(folder, stem or recording_stem(), endings))
    if header is not None:
        _save_json(result, header, path)
    return path


def _save_json(result: FrameResult, header: ResultHeader, png: Path) -> None:
    """Write the detections of an image beside it; the first keys are those of result files."""
    frame = result.frame
    size = {"picture": png.name, "width": frame.bgr.shape[1], "height": frame.bgr.shape[0]}
    about = describe_header("kpviewer-snapshot", header)
    text = json.dumps(about | size | describe_frame(header, result), allow_nan=False, indent=2)
    try:
        save_file(png.parent, png.stem, ".json", utf8_of(text + "\n"))
    except (RecordingError, UnicodeError) as error:
        raise RecordingError(f"{png.name} is saved, its JSON is not: {reason_of(error)}") from error


def save_png(bgr: ImageArray, folder: Path, stem: str) -> Path:
    """Save an (H, W, 3) uint8 image as ``folder/stem.png``; see ``save_snapshot``."""
    try:
        data = encoded(bgr, "PNG", _PNG_QUALITY)
    except ValueError as error:
        raise RecordingError(f"The snapshot can't be saved: {error}.") from error
    return save_file(folder, stem, ".png", data)


def save_frame_csv(result: FrameResult, folder: Path, header: ResultHeader) -> Path:
    """Write the detections of one frame as CSV, without overwriting a file.

    Returns:
        The file: ``SOURCE_frame-N.csv``.

    Raises:
        RecordingError: if it can't be written.
    """
    rows = CsvRows(header)
    text = rows.begin() + rows.frame(result) + rows.end()
    stem = source_stem(header.source, f"_frame-{result.frame.index}")
    return save_file(folder, stem, ".csv", utf8_of(text))
