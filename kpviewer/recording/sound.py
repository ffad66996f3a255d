"""Copy the sound of a video file to a recording of its frames.

The packets are copied, not decoded. Frames may come from any positions in the file, at any speed:
each stretch of consecutive frames gets the sound of its own time.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

import av
from av.stream import Disposition

from kpviewer.errors import RecordingError, SourceError
from kpviewer.recording.disk import disk_call
from kpviewer.sources.video.pyav import packets_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet

    from kpviewer.sources.video.container import DecoderOptions

    AudioPacket = Packet[AudioStream]

_JUMP_S = 0.01
"""Difference in s to the expected media time from which on a frame begins another stretch."""
_RESTART_S = 1.0
"""Step back in s from which on the times of a file have begun anew, as in joined files."""
_PCM = "pcm_"
"""Beginning of the names of uncompressed codecs."""
_UNPLACED = " channels"
"""End of the name of a layout that is only a number of channels."""
_ERRORS = (OSError, av.FFmpegError, ValueError, SourceError)


class SoundTrack:
    """Copies the sound of one file to one video; for one thread."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            RecordingError: if its sound can't be copied.
        """
        try:
            with disk_call():
                self._start_s = _first_frame_s(path)
                self._container: InputContainer | None = _open(path)
                self._stream = _default(self._container.streams.audio)
            self.may_be_late = _may_be_late(self._stream)
            """Whether the video can be played before the first packet is written."""
        except _ERRORS as error:
            raise RecordingError(f"The sound is left out: {error}.") from error
        self._packets: Iterator[AudioPacket] = iter(())
        self._next: AudioPacket | None = None
        self._output: AudioStream | None = None
        self._offset_s: float | None = None
        """Time in the file minus time in the recording, for the present stretch."""
        self._from_s = 0.0
        """Time in the file at which the stretch begins, in s."""
        self._last_s = -math.inf
        """Time in the file of the last packet since the last seek."""
        self._last_dts = -1

    def add_to(self, container: OutputContainer) -> None:
        """Add a stream for the sound to a video whose header isn't written yet."""
        self._output = _add_copy(self._stream, container)

    def delay_s(self, media_s: float) -> float:
        """Return the time from a frame to the next packet, in s; infinite if there is none.

        Raises:
            RecordingError: if the file can no longer be read.
        """
        self._seek(media_s)
        while (packet := self._peek()) is not None and self._time_of(packet) < media_s:
            self._next = None
        return math.inf if packet is None else self._time_of(packet) - media_s

    def packets(self, time_s: float, media_s: float) -> Iterator[AudioPacket]:
        """Yield the packets before the next frame.

        Raises:
            RecordingError: if the file can no longer be read.
        """
        offset_s = media_s - time_s
        if self._offset_s is None or abs(offset_s - self._offset_s) > _JUMP_S:
            yield from self.rest(time_s)
            self._offset_s = offset_s
            self._seek(media_s)
        yield from self._up_to(media_s)

    def rest(self, end_s: float) -> Iterator[AudioPacket]:
        """Yield the packets of the present stretch up to a time in the recording.

        Raises:
            RecordingError: if the file can no longer be read.
        """
        if self._offset_s is not None:
            yield from self._up_to(end_s + self._offset_s)

    def close(self) -> None:
        """Close the file."""
        container, self._container = self._container, None
        if container is not None:
            container.close()

    def _seek(self, media_s: float) -> None:
        self._from_s, self._last_s = media_s, -math.inf
        if self._container is None:
            return
        try:
            with disk_call():
                target_s = max(media_s + self._start_s, 0.0)
                self._container.seek(round(target_s * av.time_base), backward=True)
        except _ERRORS as error:
            raise RecordingError(f"The sound ends early: {error}.") from error
        self._packets, self._next = packets_of(self._container, self._stream), None

    def _up_to(self, media_s: float) -> Iterator[AudioPacket]:
        while (packet := self._peek()) is not None:
            at_s = self._time_of(packet)
            if at_s < self._last_s - _RESTART_S:
                raise RecordingError("The sound ends early: its times begin anew in the file.")
            if at_s >= media_s:
                return
            self._last_s, self._next = at_s, None
            if at_s >= self._from_s - _JUMP_S and self._retime(packet, at_s):
                yield packet

    def _peek(self) -> AudioPacket | None:
        """Return the next packet that has a time; None at the end."""
        while self._next is None:
            try:
                with disk_call():
                    packet = next(self._packets, None)
            except _ERRORS as error:
                raise RecordingError(f"The sound ends early: {error}.") from error
            if packet is None:
                return None
            self._next = packet if packet.pts is not None and packet.size else None
        return self._next

    def _time_of(self, packet: AudioPacket) -> float:
        base = packet.time_base
        return float(packet.pts * base) - self._start_s if packet.pts is not None and base else 0.0

    def _retime(self, packet: AudioPacket, at_s: float) -> bool:
        """Set a packet's time in the recording; return False if sound is there already."""
        if self._output is None or packet.time_base is None or self._offset_s is None:
            return False
        dts = round((at_s - self._offset_s) / packet.time_base)
        if dts <= self._last_dts:
            return False
        self._last_dts = dts + max(packet.duration or 0, 1) - 1
        packet.pts = packet.dts = dts
        packet.stream = self._output
        return True


def open_sound(path: Path | None) -> SoundTrack | None:
    """Open the sound of a source; None if it isn't a file, or has no sound.

    Raises:
        RecordingError: if its sound can't be copied.
    """
    if path is None:
        return None
    try:
        with disk_call():
            if not path.is_file():
                return None
            with _open(path) as container:
                if not container.streams.audio or not container.streams.video:
                    return None
    except _ERRORS:  # not a video, but for instance an image
        return None
    return SoundTrack(path)


def _open(path: Path) -> InputContainer:
    # Imported here, as the window starts without loading video decoders.
    from kpviewer.sources.video.container import open_container

    return open_container(*_place(path))


def _place(path: Path) -> tuple[str, DecoderOptions]:
    """Return the location of what can be opened of a file, and the options for that."""
    from kpviewer.sources.video.container import open_container
    from kpviewer.sources.video.file import options_for, whole_fragments

    whole = str(path), options_for(path)
    if (part := whole_fragments(path, str(path.resolve()))) is not None:
        try:
            open_container(*whole).close()
        except av.FFmpegError:
            return part
    return whole


def _default(streams: Iterable[AudioStream]) -> AudioStream:
    """Return the stream that players choose: the default one, or else the first."""
    return max(streams, key=lambda stream: bool(stream.disposition & Disposition.default))


def _first_frame_s(path: Path) -> float:
    """Return the file's own time of its first frame, which has media time 0."""
    from kpviewer.sources.video.decoding import Decoder

    location, options = _place(path)
    decoder = Decoder(location, path.name, options)
    frame = decoder.next_frame()
    decoder.close()
    return frame.time or 0.0 if frame is not None else 0.0


def _add_copy(stream: AudioStream, container: OutputContainer) -> AudioStream:
    """Add a stream for packets of another one.

    AVI, Matroska and MXF state how many channels PCM has, and MP4 also needs their places.
    """
    copy = container.add_stream_from_template(stream)
    context, layout = copy.codec_context, stream.codec_context.layout
    if context.name.startswith(_PCM) and layout.name.endswith(_UNPLACED):
        context.layout = f"{layout.nb_channels}c"  # the usual places of so many
    return copy


def _may_be_late(stream: AudioStream) -> bool:
    """Return whether an MP4 can hold a stream, and be played before its first packet.

    Raises:
        ValueError: if it can't hold it.
    """
    context = stream.codec_context
    if not _holds(stream, {}):
        raise ValueError(f"MP4 can't hold {context.name}")
    # With this option the index is written at once: AC-3 and AAC of broadcasts need a packet for
    # it, and the muxer looks at the channels of PCM only then.
    is_early = _holds(stream, {"movflags": "empty_moov"})
    if context.name.startswith(_PCM) and not is_early:
        raise ValueError(f"MP4 can't hold {context.name}")
    return is_early and (context.name != "aac" or bool(context.extradata))


def _holds(stream: AudioStream, options: dict[str, str]) -> bool:
    try:
        with av.open(io.BytesIO(), "w", format="mp4", options=options) as probe:
            _add_copy(stream, probe)
            probe.start_encoding()
    except _ERRORS:
        return False
    return True
