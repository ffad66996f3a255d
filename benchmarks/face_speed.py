"""Compare the time of a face detector with YuNet at 320 px, in turn, calm and busy.

    python benchmarks/face_speed.py --yunet face_detection_yunet.onnx

Each detector gets the frame as a camera gives it and returns detections after NMS: resizing and
decoding are included. A block is one detector's frames; blocks alternate, and each pair of blocks
gives a ratio. *Busy* is beside another process that uses one core.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from compare_faces import YuNet

from kpviewer.models.loading import open_model
from kpviewer.models.selection import select
from kpviewer.runtime.choosing.autotune import probe_image
from kpviewer.runtime.executor import Executor
from kpviewer.sources.opencv import cv2
from kpviewer.structures import ImageArray
from kpviewer.system.cpu_threads import cpu_threads

SIZES_WH = ((320, 240), (640, 480), (1280, 720), (1920, 1080))
WARM_UP = 5
"""Frames of a block that aren't timed: the other detector's threads have just stopped."""

Detect = Callable[[ImageArray], object]


class Pair(NamedTuple):
    """Times of both detectors in one pair of blocks, ms a frame: medians."""

    own_ms: float
    other_ms: float


def own_detector(model: str) -> tuple[Detect, Executor]:
    """Return kpviewer's detector at the default thresholds, with what the viewer uses."""
    engine = Executor(open_model(model), "cpu")
    thresholds = engine.spec.thresholds

    def detect(bgr: ImageArray) -> object:
        return select(engine.infer(bgr)[0], thresholds)

    return detect, engine


def yunet_detector(path: Path) -> Detect:
    """Return YuNet with as many threads as the other may use."""
    net, threads = YuNet(path), cpu_threads()

    def detect(bgr: ImageArray) -> object:
        cv2.setNumThreads(threads)
        return net.infer(bgr)

    return detect


def block_ms(detect: Detect, bgr: ImageArray, frames: int, pause_s: float) -> float:
    """Return the median time of a frame, ms."""
    times = []
    for number in range(WARM_UP + frames):
        began = time.perf_counter()
        detect(bgr)
        if number >= WARM_UP:
            times.append(time.perf_counter() - began)
        if pause_s:
            time.sleep(pause_s)
    return statistics.median(times) * 1e3


@contextmanager
def busy_core(is_wanted: bool) -> Iterator[None]:
    """Use one core in another process meanwhile, if wanted."""
    if not is_wanted:
        yield
        return
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            yield
        finally:
            process.kill()


def row(size_wh: tuple[int, int], state: str, pairs: list[Pair]) -> str:
    """Return a line of the Markdown table."""
    ratios = sorted(pair.own_ms / pair.other_ms for pair in pairs)
    own, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    spread = f"{ratios[0]:.2f}-{ratios[-1]:.2f}"
    size = f"{size_wh[0]}x{size_wh[1]}"
    ratio = statistics.median(ratios)
    return f"| {size} | {state} | {own:.2f} | {other:.2f} | **{ratio:.2f}** | {spread} |"


@click.command()
@click.option("--model", default="face-ssd", show_default=True)
@click.option("--yunet", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--image", type=click.Path(exists=True), help="Image with faces; else the demo's.")
@click.option("--blocks", default=7, show_default=True, help="Blocks of each detector.")
@click.option("--frames", default=25, show_default=True, help="Timed frames of a block.")
@click.option("--pause-ms", default=0.0, help="Time between frames, as of a live source.")
def main(
    model: str, yunet: Path, image: str | None, blocks: int, frames: int, pause_ms: float
) -> None:
    """Print times and ratios as a Markdown table."""
    (own, engine), other = own_detector(model), yunet_detector(yunet)
    source = probe_image() if image is None else np.asarray(cv2.imread(image), np.uint8)
    for size in SIZES_WH:
        engine.warm_up(size[::-1])
    click.echo(f"{model}: {engine.backend} {engine.precision}, {cpu_threads()} threads\n")
    click.echo(f"| frame | machine | {model}, ms | YuNet@320, ms | ratio | spread |")
    click.echo("|---|---|---|---|---|---|")
    for is_busy in (False, True):
        with busy_core(is_busy):
            for size in SIZES_WH:
                bgr = np.asarray(cv2.resize(source, size, interpolation=cv2.INTER_AREA), np.uint8)
                pairs = [
                    Pair(*(block_ms(each, bgr, frames, pause_ms / 1e3) for each in (own, other)))
                    for _ in range(blocks)
                ]
                click.echo(row(size, "busy" if is_busy else "calm", pairs))


if __name__ == "__main__":
    main()
