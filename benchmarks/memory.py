"""Repeat some work, and print what is held at rest after each tenth of it.

    python benchmarks/memory.py load|images|stream [COUNT]
    QT_QPA_PLATFORM=offscreen python benchmarks/memory.py window|grid [COUNT]

``load`` loads models in turn, ``images`` runs one on images of many sizes, ``stream`` runs it on
videos of many sizes, ``window`` opens these in a window, ``grid`` removes four of them from a grid
when they ended, and adds others. Memory is that of the process without pages of files, once Python
and the C library have given back what they can (Linux).
"""

import ctypes
import gc
import os
import sys
import tempfile
import threading
from collections.abc import Generator
from contextlib import closing
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import av
import numpy as np

import kpviewer as kp
from kpviewer.runtime.choosing.autotune import probe_image
from kpviewer.runtime.process.garbage import share_heaps
from kpviewer.sources.opencv import cv2

MODELS = ("face-ssd", "cards-ssd", "strip-grid")
SIZES_WH = [(w, h) for w in (320, 480, 640, 960, 1280) for h in (240, 360, 480, 720)]
FRAMES, TILES = 12, 4


def held() -> str:
    """Return the memory at rest and the numbers of Python's blocks, descriptors and threads."""
    gc.collect()
    if hasattr(library := ctypes.CDLL(None), "malloc_trim"):
        library.malloc_trim(0)
    status = dict(each.split(":", 1) for each in Path("/proc/self/status").read_text().splitlines())
    return (
        f"{int(status['RssAnon'].split()[0]) / 1024:.1f} MB, {sys.getallocatedblocks()} blocks, "
        f"{len(os.listdir('/proc/self/fd'))} descriptors, {threading.active_count()} threads"
    )


def images() -> list[Any]:
    """Return an image of a face in many sizes."""
    return [cv2.resize(probe_image(), size_wh) for size_wh in SIZES_WH]


def clips(folder: Path) -> list[str]:
    """Write a short video of each size; return their paths."""
    for number, bgr in enumerate(images()):
        with av.open(str(folder / f"{number}.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height = SIZES_WH[number]
            for shift in range(FRAMES):
                frame = av.VideoFrame.from_ndarray(np.roll(bgr, shift * 4, 1), format="bgr24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return [str(folder / f"{number}.mp4") for number in range(len(SIZES_WH))]


def load(_folder: Path) -> Generator[None, None, None]:
    """Load models in turn."""
    for name in cycle(MODELS):
        kp.load(name)(probe_image())
        yield


def run_images(_folder: Path) -> Generator[None, None, None]:
    """Run a model on images."""
    model = kp.load()
    for bgr in cycle(images()):
        model(bgr)
        yield


def stream(folder: Path) -> Generator[None, None, None]:
    """Run a model on videos."""
    model = kp.load()
    for clip in cycle(clips(folder)):
        for _ in kp.stream(clip, model):
            pass
        yield


def window(folder: Path) -> Generator[None, None, None]:
    """Open videos in a window."""
    from waiting import wait

    from kpviewer.gui.main_window import MainWindow
    from kpviewer.gui.opening.engine_loading import LOADERS
    from kpviewer.gui.options import ViewerOptions

    options = ViewerOptions(source="demo", model=MODELS[0], folder=folder)
    with closing(MainWindow(options, themes(), LOADERS)) as opened:
        opened.show()
        opened.begin(options)
        wait(lambda: opened.session.engine is not None)
        for clip in cycle(clips(folder)):
            known = (None, opened.session.info)
            opened.opener.choose_source(clip)
            wait(partial(lambda known: opened.session.info not in known, known))
            wait(lambda: opened.view.result() is not None)
            yield


def grid(folder: Path) -> Generator[None, None, None]:
    """Play videos in a grid, and replace them all when they ended."""
    from waiting import wait

    from kpviewer.gui.grid.window import GridWindow
    from kpviewer.gui.opening.engine_loading import LOADERS
    from kpviewer.gui.options import ViewerOptions

    names = cycle(clips(folder))
    options = ViewerOptions(sources=tuple(islice(names, TILES)), model=MODELS[0], folder=folder)
    with closing(GridWindow(options, themes(), LOADERS)) as opened:
        opened.show()
        opened.begin()

        def have_ended() -> bool:
            results = [tile.view.result() for tile in opened.grid.tiles]
            return len(results) == TILES and all(
                each is not None and each.frame.index == FRAMES - 1 for each in results
            )

        while True:
            wait(have_ended)
            yield
            for tile in list(opened.grid.tiles):
                opened.session.remove(tile.session)
            wait(lambda: not opened.grid.tiles)
            opened.opener.add(list(islice(names, TILES)))


def themes() -> Any:
    """Return the theme of an application, which is made."""
    from PyQt6.QtWidgets import QApplication

    from kpviewer.gui.widgets.theme import ThemeChoice, ThemeManager

    application = QApplication(sys.argv[:1])
    return ThemeManager(application, ThemeChoice.DARK)


WORK = {"load": load, "images": run_images, "stream": stream, "window": window, "grid": grid}


def main(name: str, count: int = 200) -> None:
    """Repeat a kind of work."""
    share_heaps()
    with tempfile.TemporaryDirectory() as folder, closing(WORK[name](Path(folder))) as work:
        for number in range(1, count + 1):
            next(work)
            if number % max(1, count // 10) == 0:
                sys.stdout.write(f"{name} {number}: {held()}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
