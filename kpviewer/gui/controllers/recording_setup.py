"""Options of a recording, its state, and its data rate."""

from dataclasses import replace

from kpviewer.gui.language import tr
from kpviewer.gui.saving.choices import VIDEOS, RecordingChoices, recordings_folder
from kpviewer.gui.saving.recordings import Recordings
from kpviewer.gui.session import Session
from kpviewer.gui.views.video.signs import RecordingState
from kpviewer.overlay import OverlayStyle
from kpviewer.recording.codecs import megabytes_a_minute
from kpviewer.recording.recorder_options import RecorderOptions
from kpviewer.recording.recorder_status import RecorderStatus
from kpviewer.recording.results import ResultHeader
from kpviewer.recording.segment import SegmentOptions
from kpviewer.recording.video import VideoOptions
from kpviewer.sources.naming import path_of
from kpviewer.structures import StreamInfo

PATIENCE_S = 1.0
"""Longest time that the image waits for a recorder without progress, in seconds."""
LEAST_S = 5.0
"""Length from which a recording's own data rate is used, in seconds."""


def can_record(session: Session) -> bool:
    """Return whether a source is open; a file that waits must have shown its first frame, too."""
    is_open = session.info is not None and session.failure is None
    return is_open and session.model_wait.is_settled


def can_start(session: Session, choices: RecordingChoices) -> bool:
    """Return whether a recording from the start can begin, or has to wait.

    Result files begin with the names of the model's classes, unless there is no model.
    """
    has_model = session.engine is not None or session.models.failure is not None
    return can_record(session) and (has_model or not choices.results)


def recording_state(recordings: Recordings) -> RecordingState | None:
    """Return the state of the running recording; None if there is none."""
    status = recordings.status()
    if status is None:
        return None
    return RecordingState(
        status.seconds, status.is_paused, status.is_waiting, lost=recordings.dropped
    )


def header_of(session: Session) -> ResultHeader:
    """Return the header of result files for the open source and model."""
    name = session.info.name if session.info is not None else ""
    if session.engine is None:
        return ResultHeader(name)
    ids = session.ground_truth.category_ids
    return ResultHeader.of_model(name, session.engine.spec, session.thresholds, ids)


def video_options(choices: RecordingChoices) -> VideoOptions:
    """Return encoder and quality of the videos."""
    return VideoOptions(choices.codec, quality=choices.quality)


def segment_options(choices: RecordingChoices, session: Session) -> SegmentOptions:
    """Return the contents of a recording; without a model it has no results."""
    if session.engine is None:
        choices = replace(choices, results=frozenset())
    video = video_options(choices)
    is_file = session.info is not None and not session.info.is_live
    return SegmentOptions(
        choices.outputs,
        header_of(session),
        video=video,
        every=choices.every,
        sound=path_of(session.source_text) if is_file and choices.sound else None,
    )


def recorder_options(
    choices: RecordingChoices, session: Session, style: OverlayStyle, file: str
) -> RecorderOptions:
    """Return the options of a recording: video files are recorded by media time, losslessly."""
    is_file = session.info is not None and not session.info.is_live
    return RecorderOptions(
        source=session.info.name if session.info is not None else "",
        style=style,
        lossless=is_file,
        patience_s=PATIENCE_S,
        by_media_time=is_file,
        segment=segment_options(choices, session),
        file=file,
        fallback=recordings_folder(),
    )


def data_rate(
    choices: RecordingChoices, session: Session, status: RecorderStatus | None
) -> float | None:
    """Return the data rate of a recording in MB a minute; None if nothing is open."""
    videos = len(VIDEOS[choices.videos])
    return None if session.info is None else rate_of(session.info, choices, status, videos)


def rate_of(
    info: StreamInfo, choices: RecordingChoices, status: RecorderStatus | None, videos: int
) -> float:
    """Return a data rate in MB a minute: that of a recording after some seconds, else estimated."""
    if status is not None and status.seconds > LEAST_S:
        return status.bytes / status.seconds * 60 / 1e6
    return megabytes_a_minute(info, choices.codec, choices.quality, videos=videos)


def space_text(mb_a_minute: float, free_bytes: int | None) -> str:
    """Return how fast the disk fills: "about 12 MB a minute; 40 GB free, 55 h"."""
    rate = f"{mb_a_minute:.2g}" if mb_a_minute < 10 else f"{mb_a_minute:.0f}"
    if free_bytes is None:
        return tr("about {rate} MB a minute").format(rate=rate)
    minutes = free_bytes / 1e6 / max(mb_a_minute, 1e-6)
    lasts = f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"
    if minutes > 99 * 24 * 60:
        lasts = tr("months")
    free = f"{free_bytes / 1e9:.{0 if free_bytes >= 10e9 else 1}f}"
    text = tr("about {rate} MB a minute; {free} GB free, {lasts}")
    return text.format(rate=rate, free=free, lasts=lasts)
