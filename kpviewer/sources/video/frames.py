"""Frames of a video file by number: sequential reading and exact seeking."""

import math
from dataclasses import replace

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from kpviewer.errors import SourceError
from kpviewer.sources.video.container import DecoderOptions
from kpviewer.sources.video.decoding import Decoder
from kpviewer.sources.video.frame_index import FrameIndex, longest_step_s, scan, times_by_decoding
from kpviewer.sources.video.media_clock import MediaClock
from kpviewer.system.paths import identity_of

SCAN_BUDGET_S = 1.0
"""Time limit of the scan at opening; a slower file is scanned at the first seek."""


class VideoFrames:
    """Numbered frames of a file. One that can't be decoded keeps its number, if there is an index.

    Raises:
        av.error.FFmpegError: from the constructor, if the file can't be opened.
        SourceError: from the constructor, if no frame can be decoded.
    """

    def __init__(
        self, location: str, name: str, options: DecoderOptions, decoder: Decoder | None = None
    ) -> None:
        """Decode the first frame, and count the others if that is fast.

        Args:
            location: path or address.
            name: display name.
            options: options for opening the file.
            decoder: unused decoder of ``location``; None opens one.
        """
        self._location, self._name = location, name
        self._identity = identity_of(location)
        self.can_jump = True
        """Whether the container can be read from any position, or only from the start."""
        self.decoder = decoder or Decoder(location, name, options)
        """Current decoder of the frames."""
        if times_by_decoding(self.decoder):
            self.decoder.close()
            # FFmpeg writes MP4s of raw H.264 with an edit list that hides their first frames.
            ffmpeg = {**options.ffmpeg, "ignore_editlist": "1"}
            self.decoder = Decoder(
                location, name, replace(options, ffmpeg=ffmpeg, by_decoding=True)
            )
        self._options = self.decoder.options
        first = self.decoder.next_frame()
        if self.decoder.is_encrypted:
            self.decoder.close()
            raise SourceError(
                f"{name} is encrypted, so it can't be shown. Open a copy without DRM."
            )
        if first is None:
            self.decoder.close()
            raise SourceError(
                f"No frame of {name} can be decoded: the video is damaged. Copy it again."
            )
        self.first = first
        base = self.decoder.time_base
        self._base = None if base is None else float(base)
        self.next_index = 0
        self.decoded = 0
        """Number of frames before ``next_index`` that could be decoded; a seek passes only such."""
        self.has_reached_end = False
        """Whether the last frame was decoded; False after a seek, even beyond the end."""
        self._pending: VideoFrame | None = first
        self._is_ended = False
        self._clock = MediaClock(
            self.decoder.time_base if first.pts is not None else None,
            self.decoder.usual_step_s,
            longest_step_s(self.decoder.container),
            self._has_restarted,
        )
        self.position_s = 0.0
        """Media time of the last returned frame since the first frame."""
        self.index = self._scan(SCAN_BUDGET_S)
        """Timestamps of all frames; None while unknown."""

    @property
    def frame_count(self) -> int | None:
        """Counted number of frames; None while unknown."""
        return None if self.index is None else len(self.index)

    @property
    def times_s(self) -> NDArray[np.float64] | None:
        """(N,) float64 times of all frames from the first one on; None while unknown."""
        index, base = self.index, self._base
        if index is None or base is None:
            return None
        return (index.pts - index.pts[:1]).astype(np.float64) * base

    def next_frame(self) -> VideoFrame | None:
        """Return the next frame; None at the end, also repeatedly."""
        frame, self._pending = self._pending or self._advance(), None
        if frame is not None:
            self.next_index = self._number_of(frame) + 1
            self.decoded += 1
            if self.index is not None and self.next_index > len(self.index):
                self.index = None  # the file has grown; it is scanned again for the next seek
            self.position_s = self._clock.position_s(frame.pts)
        return frame

    def seek(self, index: int) -> None:
        """Make frame ``index`` the next one.

        Raises:
            SourceError: if the file can't be read again.
        """
        if index != self.next_index or self._is_ended:
            self._go_to(index)
            self.decoded = self.next_index

    def close(self) -> None:
        """Close the decoder."""
        self._pending = None
        self.decoder.close()

    def _number_of(self, frame: VideoFrame) -> int:
        """Return the number of the next frame, by its time if that is unique."""
        if self.index is None or self.index.is_joined or frame.pts is None:
            return self.next_index
        return self.index.number_of(frame.pts)

    def _go_to(self, index: int) -> None:
        if self.index is None:
            self._check_identity()
            self.index = self._scan(math.inf)
        if self.index is None or self.index.is_joined:
            self._decode_to(index)
        elif index >= len(self.index):
            self._pending, self._is_ended, self.next_index = None, True, len(self.index)
            self.has_reached_end = False
        else:
            self._clock.seek(_pts(self.first))
            self._seek_to(index, self.index)

    def _scan(self, budget_s: float) -> FrameIndex | None:
        found = scan(self._location, self.decoder, budget_s)
        if found is None or (self.first.pts is None and not found.is_joined):
            return None
        return found.from_first(_pts(self.first))

    def _check_identity(self) -> None:
        """Raise SourceError if the location leads to another file than the open one."""
        if identity_of(self._location) != self._identity:
            raise SourceError(
                f"{self._name} was replaced or removed while it was open. Open it again."
            )

    def _has_restarted(self) -> bool:
        return self.decoder.take_restart()  # of the present one: another replaces it

    def _advance(self) -> VideoFrame | None:
        if self._is_ended:
            return None
        frame = self.decoder.next_frame()
        self._is_ended = self.has_reached_end = frame is None
        return frame

    def _seek_to(self, index: int, frames: FrameIndex) -> None:
        target = int(frames.pts[index])
        forward = self.next_index <= index and not self._is_ended
        here = int(frames.pts[min(self.next_index, len(frames) - 1)])
        if not forward or (self.can_jump and frames.has_key_between(here, target)):
            self._pending = self._seek_before(target, frames)
        frame = self._pending or self._advance()
        while frame is not None and _pts(frame) < target:
            frame = self._advance()
        self._pending = frame
        self.next_index = len(frames) if frame is None else frames.number_of(_pts(frame))

    def _seek_before(self, target: int, frames: FrameIndex) -> VideoFrame:
        """Seek to a keyframe at or before ``target``, or to an earlier one if that lands too late.

        Some demuxers search decoding times, which differ from display times for reordered frames.
        """
        keys = frames.key_pts[frames.key_pts <= (target if self.can_jump else -math.inf)]
        for key in keys[: -4 if len(keys) > 3 else None : -1]:
            try:
                self.decoder.seek(int(key))
            except av.FFmpegError:
                break
            self._is_ended = False
            frame = self._advance()
            landing = self.decoder.landing
            if frame is None or frame.pts is None or frame.pts > target or landing is None:
                continue
            is_key = bool(frame.key_frame) or len(frames.key_pts) < len(frames)
            if is_key and frames.holds(landing):  # in raw H.261, all packets are said to be keys
                return frame
        return self._restart()

    def _restart(self) -> VideoFrame:
        """Open the file again, which works for every container."""
        self._check_identity()
        self.decoder.close()
        damaged = self.decoder.damaged
        try:
            self.decoder = Decoder(self._location, self._name, self._options)
        except av.FFmpegError as error:
            raise SourceError(f"{self._name} can't be opened again: {error.strerror}.") from error
        self._identity = identity_of(self._location)
        self.decoder.damaged.update(damaged)
        self._is_ended = False
        frame = self._advance()
        if frame is None:
            raise SourceError(
                f"{self._name} has no readable frame any more. Was it changed or removed?"
            )
        return frame

    def _decode_to(self, index: int) -> None:
        """Decode and count up to frame ``index``, for a file without timestamps."""
        if index < self.next_index or self._is_ended:
            self._pending, self.next_index = self._restart(), 0
            self._clock.restart()
        while self.next_index < index and self.next_frame() is not None:
            pass


def _pts(frame: VideoFrame) -> int:
    """Return the timestamp of a frame of an indexed file, in which every packet has one."""
    return 0 if frame.pts is None else frame.pts
