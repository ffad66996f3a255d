"""Small video files with numbered frames, whose numbers a test can read."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from kpviewer.structures import ImageArray

WIDTH, HEIGHT = 96, 64
BITS = 8
BLOCK_PX = 12
TIME_BASE = Fraction(1, 1000)
WHOLE_FRAMES = ("mpeg4", "mpeg2video", "mpeg1video", "h261", "h263", "wmv2")
"""Codecs whose time base is one frame."""


def buffer(height: int, width: int) -> ImageArray:
    """Allocate the buffer of a frame."""
    return np.zeros((height, width, 3), np.uint8)


def numbered_image(number: int) -> np.ndarray:
    """Return (HEIGHT, WIDTH, 3) uint8 BGR with the bits of ``number`` as black and white blocks."""
    image = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    for bit in range(BITS):
        left = bit * BLOCK_PX
        image[:32, left : left + BLOCK_PX] = 255 * (number >> bit & 1)
    image[40:, : 2 + number % 80] = (30, 200, 90)  # something that moves
    return image


def read_number(bgr: np.ndarray) -> int:
    """Return the number in an image of ``numbered_image``."""
    row = bgr[8:24].mean(axis=(0, 2))
    centres = row[BLOCK_PX // 2 :: BLOCK_PX][:BITS]
    return sum(1 << bit for bit, value in enumerate(centres) if value > 128)


def write_video(
    path: Path,
    *,
    frames: int = 60,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    muxer: dict[str, str] | None = None,
    times_ms: Sequence[int] | None = None,
    turned_deg: float | None = None,
    pixel_aspect: Fraction | None = None,
    pix_fmt: str = "yuv420p",
    size_wh: tuple[int, int] = (WIDTH, HEIGHT),
    rate: Fraction = Fraction(25),
) -> list[int]:
    """Write a numbered video; return the time of each frame in ms."""
    times = list(times_ms) if times_ms is not None else [40 * i for i in range(frames)]
    with av.open(str(path), "w", options=muxer or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.width, stream.height = size_wh
        stream.pix_fmt = pix_fmt
        if pixel_aspect is not None:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        stream.codec_context.time_base = TIME_BASE if codec not in WHOLE_FRAMES else Fraction(1, 25)
        if turned_deg is not None:
            stream.set_display_rotation(turned_deg)
        for number, time_ms in enumerate(times):
            frame = av.VideoFrame.from_ndarray(numbered_image(number), format="bgr24")
            frame.pts = time_ms if codec not in WHOLE_FRAMES else time_ms // 40
            frame.time_base = stream.codec_context.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return times


def write_from_raw(path: Path, b_frames: int, *, hidden: int = 0, group: int = 12) -> None:
    """Write a numbered video of 60 frames as tools do from raw H.264, which has no times.

    Args:
        path: the video; the raw one lies beside it.
        b_frames: number of frames between two that aren't B-frames.
        hidden: number of frames before time 0, which an edit list hides.
        group: longest distance between keyframes.
    """
    raw = path.with_suffix(".h264")
    write_video(
        raw,
        options={"bf": str(b_frames), "x264-params": f"scenecut=0:keyint={group}:b-adapt=0"},
    )
    with av.open(str(raw)) as found, av.open(str(path), "w") as made:
        stream = made.add_stream_from_template(found.streams.video[0])
        packets = [packet for packet in found.demux(video=0) if packet.size]
        for number, packet in enumerate(packets):
            packet.time_base, packet.stream = Fraction(1, 1000), stream
            packet.pts = packet.dts = 40 * (number - hidden)
            packet.duration = 40
            made.mux(packet)
