"""The encoders for recordings, and their bit rates.

An encoder is offered if it opens on this machine: FFmpeg may have been built without it, and a GPU
encoder needs the GPU.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from functools import cache
from typing import TypeVar, cast

import av
from av.video.codeccontext import VideoCodecContext

from kpviewer.structures import StreamInfo

T = TypeVar("T", int, float)
_USUAL_FPS = 30.0
_PROBE_WH = (640, 480)


class Quality(StrEnum):
    """Image quality of a recording."""

    SMALL = "small"
    GOOD = "good"
    BEST = "best"


@dataclass(frozen=True, slots=True)
class Codec:
    """One encoder of FFmpeg."""

    label: str
    """Name that the user reads."""
    levels: Mapping[Quality, int]
    """The encoder's own value for each quality; lower is better. Empty: ``bits`` is its rate."""
    level_option: str
    """Names of the encoder options that get the level, separated by commas."""
    bits: Mapping[Quality, float]
    """Bits per pixel of the video, by quality; see ``megabytes_a_minute``."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Further options of the encoder."""
    tag: str | None = None
    """Four-letter code in an MP4, if players require another one than FFmpeg's."""


def _by_quality(small: T, good: T, best: T) -> dict[Quality, T]:
    return dict(zip(Quality, (small, good, best), strict=True))


# zerolatency: images that the encoder holds back are lost in a crash.
# qp: for crf, x264 estimates the bits of each image first, which takes a quarter of its time.
_NVENC = {"preset": "p4", "tune": "ll", "rc": "vbr", "forced-idr": "1"}
CODECS: dict[str, Codec] = {
    "libx264": Codec(
        "H.264", _by_quality(27, 21, 15), "qp", _by_quality(0.08, 0.16, 0.31),
        {"preset": "ultrafast", "tune": "zerolatency", "forced-idr": "1"},
    ),
    "libx265": Codec(
        "H.265", _by_quality(28, 23, 17), "crf", _by_quality(0.06, 0.12, 0.25),
        {"preset": "ultrafast", "tune": "zerolatency", "forced-idr": "1",
         "x265-params": "log-level=none"}, "hvc1",
    ),
    "h264_nvenc": Codec(
        "H.264, NVIDIA", _by_quality(30, 24, 18), "cq", _by_quality(0.1, 0.2, 0.4), _NVENC
    ),
    "hevc_nvenc": Codec(
        "H.265, NVIDIA", _by_quality(31, 26, 20), "cq", _by_quality(0.06, 0.12, 0.25), _NVENC,
        "hvc1",
    ),
    "h264_videotoolbox": Codec("H.264, Apple", {}, "", _by_quality(0.1, 0.2, 0.4)),
    "mpeg4": Codec(
        "MPEG-4", _by_quality(7, 4, 2), "qmin,qmax", _by_quality(0.03, 0.05, 0.1)
    ),
}  # fmt: skip
"""Encoders by FFmpeg's name, the preferred first.

``bits`` of x264, x265 and MPEG-4 are means over three clips of people, 400x300 to 1920x1080, of 90
frames. Single clips have 0.6 to 1.4 times as many. Those of the other encoders are guesses.
"""


def encoder_options(name: str, quality: Quality, preset: str | None = None) -> dict[str, str]:
    """Return the options of an encoder."""
    codec = CODECS[name]
    options = dict(codec.options)
    if codec.levels:
        level = str(codec.levels[quality])
        options |= dict.fromkeys(codec.level_option.split(","), level)
    if preset is not None and name == "libx264":
        options["preset"] = preset
    return options


def bit_rate(name: str, quality: Quality, width: int, height: int, fps: float) -> int | None:
    """Return the bits per second of an encoder without quality levels; None for others."""
    codec = CODECS[name]
    return None if codec.levels else int(codec.bits[quality] * width * height * max(fps, 10.0))


@cache
def usable_codecs() -> tuple[str, ...]:
    """Return the encoders that open here, the preferred first; the first call is slow."""
    return tuple(name for name in CODECS if _opens(name))


def usual_codec() -> str:
    """Return the default encoder: H.264, else MPEG-4 part 2."""
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
    """Return the estimated size of a recording in MB per minute, from the bits per pixel.

    The scene matters as much: a still one needs a third, leaves in the wind three times as much.

    Args:
        info: size and rate of the stream.
        codec: a key of CODECS; None is the default.
        quality: quality of the recording.
        videos: number of videos that are written, such as annotated and raw.
    """
    bits = CODECS[codec or usual_codec()].bits[quality]
    pixels = info.width * info.height * (info.nominal_fps or _USUAL_FPS) * 60
    return videos * pixels * bits / 8 / 1e6
