"""Index of a file's frames by display time, read without decoding, for exact seeking."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import dropwhile, pairwise
from typing import Any, NamedTuple, cast

import av
import numpy as np
from av.codec import CodecContext
from av.container import InputContainer
from av.format import Flags
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from kpviewer.sources.video.container import open_container
from kpviewer.sources.video.decoding import Decoder
from kpviewer.sources.video.media_clock import LONGEST_FRAME_S, LONGEST_STEP_S
from kpviewer.sources.video.pyav import packets_of
from kpviewer.structures import IntArray

_FIRST_PACKETS = 50
"""Number of packets among which a reordered frame shows itself."""
_LEAST_SHARE = 4
"""Share of the usual length of a frame below which that of the last one isn't believed."""
_VP8_SHOWN = 0x10
"""Bit of the first byte of a VP8 frame; one without it is only a reference for others."""
_PROGRESSIVE = 1
"""FFmpeg's number of a field order without fields; 0 is unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameIndex:
    """Timestamps of all frames of a stream, in its time base."""

    pts: IntArray
    """(N,) display times, strictly increasing: frame i is shown at pts[i]."""
    key_pts: IntArray
    """(M,) times of the keyframes, strictly increasing."""
    last_length: int = 0
    """Duration of the last frame; 0 if it isn't stated."""
    is_joined: bool = False
    """Whether the file's timestamps restart or jump, as in joined files. The index then has
    continuous times, which give the frame count and the length but can't be used to seek."""
    is_by_decoding: bool = False
    """Whether the times are decoding times; see ``Decoder.is_timed_by_decoding``."""
    packets: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    """Identities of all packets, by their times and bytes, sorted."""
    end_byte: int = 0
    """Position in the file behind the last packet."""

    @property
    def length(self) -> int:
        """Time from the first frame to the end of the last, in the time base."""
        span = int(self.pts[-1] - self.pts[0]) if len(self.pts) else 0
        usual = span // (len(self.pts) - 1) if len(self.pts) > 1 else 0
        is_guessed = self.last_length < usual // _LEAST_SHARE  # FFmpeg guesses in some formats
        return span + (usual if is_guessed else self.last_length or usual)

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.pts)

    def from_first(self, pts: int) -> FrameIndex:
        """Return the index from ``pts`` on; a cut file may start with undecodable frames.

        Decoding times run ahead of the frames, so as many follow the last one.
        """
        if self.is_joined:
            return self
        kept = self.pts[self.pts >= pts]
        if self.is_by_decoding and len(self.pts):
            step = int(self.pts[-1] - self.pts[-2]) if len(self.pts) > 1 else 1
            last = int(kept[-1]) if len(kept) else pts - step
            kept = np.append(kept, last + step * (1 + np.arange(len(self.pts) - len(kept))))
        return replace(self, pts=kept)

    def holds(self, packet: Packet[VideoStream]) -> bool:
        """Return whether a packet has the size that it has in the file at its time.

        Behind a jump in a program stream or a file without an index, times may be those of others.
        """
        wanted = _identities(packet)
        found = np.searchsorted(self.packets, wanted)
        return bool(np.any(self.packets[np.minimum(found, len(self.packets) - 1)] == wanted))

    def number_of(self, pts: int) -> int:
        """Return the number of the frame shown at ``pts``, or of the next frame after it."""
        return int(np.searchsorted(self.pts, pts))

    def has_key_between(self, after_pts: int, until_pts: int) -> bool:
        """Return whether a keyframe lies after ``after_pts`` and not after ``until_pts``."""
        keys = np.searchsorted(self.key_pts, [after_pts, until_pts], side="right")
        return bool(keys[1] > keys[0])


def scan(location: str, decoder: Decoder, budget_s: float) -> FrameIndex | None:
    """Read the packets of one stream of a file.

    Args:
        location: path of the file.
        decoder: decoder of the stream, opened from the same file.
        budget_s: time limit; ``inf`` is allowed.

    Returns:
        The index; None if the time ran out, or frames without timestamps can't be counted.
    """
    deadline = time.monotonic() + budget_s
    options, is_by_decoding = decoder.options, decoder.is_timed_by_decoding
    if options.patience is not None:
        options.limit.set(budget_s)
    rows: list[_Row] = []
    identities: list[int] = []
    second = float(1 / (decoder.time_base or 1))
    longest_s, is_untimed, end_byte = 0.0, False, 0
    try:
        with options.limit.applied(), open_container(location, options) as container:
            stream = cast("VideoStream", container.streams[decoder.stream.index])
            longest_s = longest_step_s(container)
            for packet in packets_of(container, stream):
                if not _is_shown(packet):
                    continue
                pts = packet.dts if is_by_decoding and not options.by_decoding else packet.pts
                if time.monotonic() > deadline:
                    return None
                is_untimed = is_untimed or pts is None
                end_byte = max(end_byte, (packet.pos or 0) + packet.size)
                identities += _identities(packet)
                rows.append(_Row(pts or 0, packet.dts, packet.duration or 0, packet.is_keyframe))
    except av.FFmpegError:
        if options.limit.is_expired:
            return None
        # otherwise the file is cut off here, and the frames before are indexed
    if is_untimed:
        return _untimed(rows, decoder)
    index = _index(rows, longest_s * second, second)
    if index is None:
        return None
    packets = np.unique(np.array(identities, np.int64))
    index = replace(index, packets=packets, end_byte=end_byte)
    if is_by_decoding:
        index = replace(index, is_by_decoding=True, last_length=0)  # its duration is guessed, too
    return index


def times_by_decoding(decoder: Decoder) -> bool:
    """Return whether the display times of a file are wrong: they rise as frames are decoded.

    Tools write such files from raw H.264, which has no times.
    """
    stated = decoder.stream.codec_context
    if not stated.has_b_frames or decoder.is_timed_by_decoding:
        return False
    packets: list[Packet[VideoStream]] = []
    for packet in decoder.first_packets(_FIRST_PACKETS):
        last = packets[-1].pts if packets else None
        if packet.size and (packet.pts is None or (last is not None and packet.pts <= last)):
            return False
        packets.append(packet)
    context = cast("VideoCodecContext", CodecContext.create(stated.name, "r"))
    context.extradata = stated.extradata
    shown: list[int] = []
    with contextlib.suppress(av.FFmpegError):
        frames = [frame for packet in packets for frame in context.decode(packet)]
        shown = [frame.pts for frame in frames if frame.pts is not None]
    return any(later < earlier for earlier, later in pairwise(shown))


def _is_shown(packet: Packet[Any]) -> bool:
    if packet.size == 0 or packet.is_discard:
        return False
    return packet.stream.codec_context.name != "vp8" or bool(memoryview(packet)[0] & _VP8_SHOWN)


class _Row(NamedTuple):
    """Times of a packet."""

    pts: int
    dts: int | None
    duration: int
    is_key: bool


def _identities(packet: Packet[Any]) -> list[int]:
    """Return a number for each time of a packet that hardly another packet has."""
    stamps = (packet.pts, packet.dts)
    return [(stamp << 24 ^ packet.size) % 2**63 for stamp in stamps if stamp is not None]


def longest_step_s(container: InputContainer) -> float:
    """Return the longest step between frames of a format, in s; a longer one is a break."""
    return LONGEST_STEP_S if Flags.ts_discont in Flags(container.format.flags) else LONGEST_FRAME_S


def _untimed(rows: list[_Row], decoder: Decoder) -> FrameIndex | None:
    """Count frames of which some have no timestamp, from the first keyframe on."""
    if decoder.stream.codec_context.field_order > _PROGRESSIVE:
        return None  # two packets may be one frame
    decodable = dropwhile(lambda row: not row.is_key, rows)
    base = decoder.time_base or Fraction(1)
    numbers = np.arange(sum(1 for _ in decodable))
    pts = np.rint(numbers * (decoder.usual_step_s / base)).astype(np.int64)
    return FrameIndex(pts, pts[:0], is_joined=True) if len(pts) else None


def _index(rows: list[_Row], longest: float, second: float) -> FrameIndex | None:
    """Sort the frames in display order within each run of continuous timestamps.

    Args:
        rows: packets in the order of the file.
        longest: longest step between frames, in the time base; a longer one is a break.
        second: one second in the time base.
    """
    starts = [0]
    for number in range(1, len(rows)):
        back = (rows[number - 1].dts or 0) - (rows[number].dts or 0)
        if rows[number].dts is not None and back > (0 if rows[number].is_key else second):
            starts.append(number)
    shown: list[int] = []
    for start, stop in zip(starts, [*starts[1:], len(rows)], strict=True):
        part = sorted(row.pts for row in rows[start:stop])
        usual = (part[-1] - part[0]) // (len(part) - 1) if len(part) > 1 else 1
        shift = shown[-1] + max(usual, 1) - part[0] if shown else 0
        shown += [pts + shift for pts in part]
    pts = np.unique(np.array(shown, np.int64))
    if not rows or len(pts) != len(rows):
        return None
    steps = np.diff(pts)
    breaks = steps > longest
    if breaks.any():
        pts[1:] -= np.cumsum(np.where(breaks, steps - int(np.median(steps)), 0))
    key_pts = np.unique(np.array([row.pts for row in rows if row.is_key], np.int64))
    last_length = max(rows, key=lambda row: row.pts).duration
    return FrameIndex(pts, key_pts, last_length, len(starts) > 1 or bool(breaks.any()))
