"""The encoders that a recording can use, and what quality costs.

An encoder is offered if it opens on this machine: FFmpeg may have been built without it, and those
of graphics cards need the card.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, cast

import av

if TYPE_CHECKING:
    from collections.abc import Mapping

    from av.video.codeccontext import VideoCodecContext

    from kpviewer.structures import StreamInfo

_USUAL_FPS = 30.0
_PROBE_WH = (640, 480)


class Quality(StrEnum):
    """How good the images of a recording are."""

    SMALL = "small"
    GOOD = "good"
    BEST = "best"


@dataclass(frozen=True, slots=True)
class Codec:
    """One encoder of FFmpeg."""

    label: str
    """For people."""
    levels: Mapping[Quality, int]
    """The encoder's own number for each quality; lower is better. Empty: ``bits`` are its rate."""
    level_option: str
    """Names of the options that take it."""
    bits: Mapping[Quality, float]
    """A pixel of the video; see ``megabytes_a_minute``."""
    options: Mapping[str, str] = field(default_factory=dict)
    tag: str | None = None
    """Its four letters in an MP4, where players want others than FFmpeg's."""


def _by_quality(small: float, good: float, best: float) -> dict[Quality, float]:
    return dict(zip(Quality, (small, good, best), strict=True))


def _levels(small: int, good: int, best: int) -> dict[Quality, int]:
    return dict(zip(Quality, (small, good, best), strict=True))


# zerolatency: images that the encoder holds back are lost in a crash.
_NVENC = {"preset": "p4", "tune": "ll", "rc": "vbr", "forced-idr": "1"}
CODECS: dict[str, Codec] = {
    "libx264": Codec(
        "H.264", _levels(26, 20, 14), "crf", _by_quality(0.13, 0.26, 0.5),
        {"preset": "ultrafast", "tune": "zerolatency", "forced-idr": "1"},
    ),
    "libx265": Codec(
        "H.265", _levels(28, 23, 17), "crf", _by_quality(0.06, 0.12, 0.25),
        {"preset": "ultrafast", "tune": "zerolatency", "forced-idr": "1",
         "x265-params": "log-level=none"}, "hvc1",
    ),
    "h264_nvenc": Codec(
        "H.264, NVIDIA", _levels(30, 24, 18), "cq", _by_quality(0.1, 0.2, 0.4), _NVENC
    ),
    "hevc_nvenc": Codec(
        "H.265, NVIDIA", _levels(31, 26, 20), "cq", _by_quality(0.06, 0.12, 0.25), _NVENC, "hvc1"
    ),
    "h264_videotoolbox": Codec("H.264, Apple", {}, "", _by_quality(0.1, 0.2, 0.4)),
    "mpeg4": Codec(
        "MPEG-4", _levels(7, 4, 2), "qmin,qmax", _by_quality(0.03, 0.05, 0.1)
    ),
}  # fmt: skip
"""By FFmpeg's name, the preferred first.

``bits`` of x264, x265 and MPEG-4 are means over three clips of people, 400x300 to 1920x1080, of 90
frames; singly they lie between 0.6 and 1.4 of them. Those of the others are guesses.
"""


def encoder_options(name: str, quality: Quality, preset: str | None = None) -> dict[str, str]:
    """Give the options of an encoder.

    Args:
        name: a key of CODECS.
        quality: wanted.
        preset: of x264 in place of the usual one, for who has more time.
    """
    codec = CODECS[name]
    options = dict(codec.options)
    if codec.levels:
        level = str(codec.levels[quality])
        options |= dict.fromkeys(codec.level_option.split(","), level)
    if preset is not None and name == "libx264":
        options["preset"] = preset
    return options


def bit_rate(name: str, quality: Quality, width: int, height: int, fps: float) -> int | None:
    """Give the bits a second of an encoder that knows no quality; None for the others."""
    codec = CODECS[name]
    return None if codec.levels else int(codec.bits[quality] * width * height * max(fps, 10.0))


@cache
def usable_codecs() -> tuple[str, ...]:
    """Name the encoders that open here, the preferred first; the first call takes a moment."""
    return tuple(name for name in CODECS if _opens(name))


def usual_codec() -> str:
    """Name the encoder of a recording that asks for none: H.264, else MPEG-4 part 2."""
    return next(name for name in ("libx264", "mpeg4") if name in av.codecs_available)


def _opens(name: str) -> bool:
    if name not in av.codecs_available:
        return False
    try:
        context = cast("VideoCodecContext", av.CodecContext.create(name, "w"))
        context.width, context.height = _PROBE_WH
        context.pix_fmt = "yuv420p"
        context.framerate = Fraction(30)
        context.time_base = Fraction(1, 30)
        context.options = dict(encoder_options(name, Quality.GOOD))
        context.open(strict=False)
    except (av.FFmpegError, ValueError, OSError):
        return False
    return True


def megabytes_a_minute(
    info: StreamInfo, codec: str | None, quality: Quality, *, videos: int = 1
) -> float:
    """Estimate what a recording takes, from a table of bits a pixel.

    What is filmed matters as much: a still scene takes a third, leaves in the wind three times.

    Args:
        info: size and rate of the stream.
        codec: a key of CODECS; None is the usual one.
        quality: wanted.
        videos: how many are written, as annotated and raw.
    """
    bits = CODECS[codec or usual_codec()].bits[quality]
    pixels = info.width * info.height * (info.nominal_fps or _USUAL_FPS) * 60
    return videos * pixels * bits / 8 / 1e6
