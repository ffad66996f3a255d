"""Core-seconds of each part of ``process`` that isn't the model, for one frame.

    python benchmarks/core_seconds.py [--size 1920x1080] [--frames 90]

A clip is made from the demo, enlarged, with noise that moves, so that H.264 has work as in a real
scene; the bit rate is printed. Each part runs on one thread, and its processor time is counted, so
a busy machine changes little. Figures in docs/explanation/scale.md.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from kpviewer.sources.base import new_image
from kpviewer.sources.opencv import cv2
from kpviewer.sources.synthetic.demo import DemoSource

FPS = 30


def frames(width: int, height: int, count: int) -> Iterator[np.ndarray]:
    """Yield (height, width, 3) uint8 BGR frames of the enlarged demo, with moving noise."""
    noise = np.random.default_rng(0).normal(0, 2, (height + 64, width + 64, 3)).astype(np.int16)
    source = DemoSource()
    source.open()
    for index in range(count):
        captured = source.read(new_image)
        assert captured is not None
        top, left = index * 7 % 64, index * 13 % 64
        bgr = cv2.resize(captured.bgr, (width, height), interpolation=cv2.INTER_CUBIC)
        yield np.clip(bgr + noise[top : top + height, left : left + width], 0, 255).astype(np.uint8)
    source.close()


def write(path: Path, images: list[np.ndarray], preset: str, crf: int) -> None:
    """Encode images as H.264 on one thread."""
    with av.open(str(path), "w") as container:
        options = {"preset": preset, "crf": str(crf)}
        stream = container.add_stream("libx264", rate=FPS, options=options)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt, stream.codec_context.thread_count = "yuv420p", 1
        for index, bgr in enumerate(images):
            frame = av.VideoFrame.from_ndarray(bgr, format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def decode(path: Path, *, to_bgr: bool) -> None:
    """Decode a clip on one thread, as BGR images if asked."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for frame in container.decode(stream):
            if to_bgr:
                frame.to_ndarray(format="bgr24")


def core_ms(job: Callable[[], object], count: int) -> float:
    """Return the least processor time of three runs per frame, ms."""
    spent = []
    for _ in range(3):
        began_s = time.process_time()
        job()
        spent.append(time.process_time() - began_s)
    return min(spent) / count * 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--frames", type=int, default=90)
    given = parser.parse_args()
    width, height = map(int, given.size.split("x"))
    images = list(frames(width, height, given.frames))
    with tempfile.TemporaryDirectory() as folder:
        clip, out = Path(folder, "clip.mp4"), Path(folder, "out.mp4")
        write(clip, images, "medium", 20)
        rate = clip.stat().st_size * 8 / len(images) * FPS / 1e6
        print(f"{given.size}, {FPS} frames/s, {rate:.1f} Mbit/s; one thread, core-ms a frame")
        decoding = core_ms(lambda: decode(clip, to_bgr=False), len(images))
        converting = core_ms(lambda: decode(clip, to_bgr=True), len(images)) - decoding
        encoding = core_ms(lambda: write(out, images, "superfast", 20), len(images))
        written = out.stat().st_size * 8 / len(images) * FPS / 1e6
    for name, ms in (
        ("decode H.264", decoding),
        ("convert to BGR", converting),
        ("convert and encode H.264 (superfast, as process)", encoding),
    ):
        print(f"{name}: {ms:.2f} ms, {1000 / ms:.0f} frames a core-second")
    print(f"encoded with superfast: {written:.1f} Mbit/s")


if __name__ == "__main__":
    main()
