"""Copy the sound of a video file beside the frames that are recorded of it.

The packets are copied, not decoded. Frames may come from any places of the file, at any speed: each
stretch of frames gets the sound of its own time.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import av

from kpviewer.errors import RecordingError
from kpviewer.recording.disk import asking_disk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet

    AudioPacket = Packet[AudioStream]

_JUMP_S = 0.01
"""Frames that are further from their place in the file begin another stretch."""
_ERRORS = (OSError, av.FFmpegError, ValueError)


class SoundTrack:
    """The sound of one file on its way to one video; for one thread."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            RecordingError: if its sound can't be copied.
        """
        try:
            with asking_disk():
                self._start_s = _first_frame_s(path)
                self._container: InputContainer | None = _open(path)
                self._stream = self._container.streams.audio[0]
            _check_holds(self._stream)
        except _ERRORS as error:
            raise RecordingError(f"The sound is left out: {error}.") from error
        self._packets: Iterator[AudioPacket] = iter(())
        self._next: AudioPacket | None = None
        self._output: AudioStream | None = None
        self._offset_s: float | None = None
        """Time in the file less time in the recording, of the present stretch."""
        self._from_s = self._until_s = 0.0
        """Time in the file where the stretch begins, and up to which it was copied."""
        self._last_dts = -1

    def add_to(self, container: OutputContainer) -> None:
        """Add its stream to a video whose header isn't written yet."""
        self._output = container.add_stream_from_template(self._stream)

    def packets(self, time_s: float, media_s: float) -> Iterator[AudioPacket]:
        """Yield the packets before the next frame.

        Args:
            time_s: of the frame in the recording.
            media_s: of the frame in the file, whose first frame has 0.

        Raises:
            RecordingError: if the file can't be read any more.
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
            RecordingError: if the file can't be read any more.
        """
        if self._offset_s is not None:
            yield from self._up_to(end_s + self._offset_s)

    def close(self) -> None:
        """Close the file."""
        container, self._container = self._container, None
        if container is not None:
            container.close()

    def _seek(self, media_s: float) -> None:
        self._from_s = media_s
        if self._container is None:
            return
        try:
            with asking_disk():
                place_s = max(media_s + self._start_s, 0.0)
                self._container.seek(round(place_s * av.time_base), backward=True)
        except _ERRORS as error:
            raise RecordingError(f"The sound ends early: {error}.") from error
        self._packets, self._next = self._container.demux(self._stream), None

    def _up_to(self, media_s: float) -> Iterator[AudioPacket]:
        while (packet := self._peek()) is not None:
            at_s = self._time_of(packet)
            if at_s >= media_s:
                return
            self._next = None
            if at_s >= self._from_s - _JUMP_S and self._place(packet, at_s):
                yield packet

    def _peek(self) -> AudioPacket | None:
        """Return the next packet that has a time; None at the end."""
        while self._next is None:
            try:
                with asking_disk():
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

    def _place(self, packet: AudioPacket, at_s: float) -> bool:
        """Give a packet its time in the recording; False if another stretch fills that."""
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
    """Open the sound of a source; None if it is no file, or has none.

    Raises:
        RecordingError: if there is sound that can't be copied.
    """
    if path is None:
        return None
    try:
        with asking_disk():
            if not path.is_file():
                return None
            with _open(path) as container:
                if not container.streams.audio or not container.streams.video:
                    return None
    except _ERRORS:  # no video: an image, say
        return None
    return SoundTrack(path)


def _open(path: Path) -> InputContainer:
    # Here, as the window starts without what decodes videos.
    from kpviewer.sources.decoding import open_container
    from kpviewer.sources.video import OPTIONS

    return open_container(str(path), OPTIONS)


def _first_frame_s(path: Path) -> float:
    """Return the file's own time of its first frame, which has 0 for us."""
    with _open(path) as container:
        frame = next(container.decode(video=0), None)
        return frame.time or 0.0 if frame is not None else 0.0


def _check_holds(stream: AudioStream) -> None:
    """Raise ValueError unless an MP4 can hold a stream."""
    name = stream.codec_context.name
    try:
        with av.open(io.BytesIO(), "w", format="mp4") as probe:
            probe.add_stream_from_template(stream)
            probe.start_encoding()
    except _ERRORS as error:
        raise ValueError(f"MP4 can't hold {name}") from error
