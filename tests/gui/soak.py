"""Operate the window for many laps in a process of its own, and print its resources after each.

    PYTHONPATH=.:tests QT_QPA_PLATFORM=offscreen python tests/gui/soak.py LAPS [--shipped]

A lap records, splits, seeks, saves, and changes theme, model and source, one of which is a camera
that hangs up. What is held is read at rest. With ``--shipped`` real models are swapped, else fakes.

Two figures of memory are printed, MB: what the process has (``memory_mb``) and what its allocator
has handed out (``used_mb``). The last lines, on standard error, have the slope of each after the
warm-up, with its standard error. A slope of 1 MB an hour is resolved if twice the error is less.
"""

import ctypes
import gc
import json
import os
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from fakes import FAKE_SPEC, FakeTimings
from PyQt6.QtCore import QEventLoop, QTimer
from PyQt6.QtWidgets import QApplication
from sources.servers import mjpeg, serving

from kpviewer.gui.app import LOADERS
from kpviewer.gui.keys import Act
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.opening.engine_loading import load_engine
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.widgets.theme import ThemeChoice, ThemeManager
from kpviewer.runtime.heaps import share_heaps
from kpviewer.runtime.loading import LoaderThread
from kpviewer.structures import Candidates, ImageArray

IMAGES = [np.full((48, 64, 3), value, np.uint8) for value in range(0, 240, 8)]
WARM_UP_LAPS = 10
PATIENCE_S = 120.0
POLL_MS = 5


class Engine:
    """Engine that predicts one box in every image."""

    device_name, backend, precision = "CPU", "fake", "fp32"

    def __init__(self, *_wanted: object) -> None:
        self.spec = FAKE_SPEC

    def infer(self, _bgr: ImageArray) -> tuple[Candidates, FakeTimings]:
        box, scores = np.array([[8, 8, 40, 40]], np.float32), np.full((1, 1), 0.9, np.float32)
        return Candidates(box, scores, np.zeros((1, 0, 2), np.float32)), FakeTimings()


def wait(is_done: Callable[[], object]) -> None:
    """Let the window work until something is true."""
    end = time.monotonic() + PATIENCE_S
    while not is_done():
        if time.monotonic() > end:
            raise TimeoutError(is_done)
        loop = QEventLoop()
        QTimer.singleShot(POLL_MS, loop.quit)
        loop.exec()


class Lap:
    """Works a window as a user would; every step waits for what it asked for."""

    def __init__(
        self, window: MainWindow, themes: ThemeManager, camera: str, models: list[str]
    ) -> None:
        self._window, self._themes = window, themes
        self._camera, self._models = camera, models

    def run(self) -> None:
        self._frames_come()
        self._record()
        self._look()
        for model in self._models:  # all, so that every lap ends with the same one
            self._swap(model)
        self._open_camera()
        self._open("demo")

    def _frames_come(self) -> None:
        shown = self._window.view.result
        wait(lambda: self._window.session.info is not None and shown() is not None)
        before = shown().frame.captured_ns
        wait(lambda: shown() is not None and shown().frame.captured_ns > before)

    def _record(self) -> None:
        saving, run = self._window.saving, self._window.actions_of_keys.run
        run(Act.RECORD)
        wait(lambda: (saving.recorded_s or 0) > 0.3)
        run(Act.SPLIT_RECORDING)
        self._window.bridge.playback.seek(200)
        self._frames_come()
        run(Act.RECORD)
        wait(lambda: "Saved" in self._window.status_bar.message())

    def _look(self) -> None:
        run = self._window.actions_of_keys.run
        for act in (Act.SNAPSHOT, Act.TABLE, Act.PLAY, Act.STEP_FORWARD, Act.PLAY, Act.TABLE):
            run(act)
        for choice in (ThemeChoice.LIGHT, ThemeChoice.DARK):
            self._themes.set_choice(choice)
        self._frames_come()
        for path in self._window.saving.folder.glob("*.mp4"):
            path.unlink()

    def _swap(self, model: str) -> None:
        before = self._window.session.engine
        self._window.opener.choose_model(model)
        wait(lambda: self._window.session.engine is not before)
        wait(lambda: self._window.session.models.loading is None)
        self._frames_come()

    def _open_camera(self) -> None:
        self._open(self._camera)
        # It hangs up after a second's worth of images, and is found again.
        wait(lambda: (status := self._window.session.poll().pipeline) and status.reconnects)

    def _open(self, source: str) -> None:
        self._window.opener.choose_source(source)
        self._frames_come()


def is_loading() -> bool:
    """Return whether something loads in the background."""
    return any(isinstance(each, LoaderThread) for each in threading.enumerate())


class _Malloc(ctypes.Structure):
    """glibc's ``mallinfo2``: the fifth value is ``hblkhd``, the eighth ``uordblks``."""

    _fields_ = (("values", ctypes.c_size_t * 10),)


def held_now() -> dict[str, float]:
    """Return what is held once Python and the allocator have given back what they can."""
    gc.collect()
    library = ctypes.CDLL(None)
    library.malloc_trim(0)
    library.mallinfo2.restype = _Malloc
    malloc = library.mallinfo2().values
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "hours": time.monotonic() / 3600,
        "memory_mb": round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1),
        "used_mb": round((malloc[4] + malloc[7]) / 1e6, 2),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
    }


def slope_of(laps: list[dict[str, float]], name: str) -> tuple[float, float]:
    """Return the least-squares slope of a figure, MB an hour, and its standard error."""
    hours, values = (np.array([lap[key] for lap in laps]) for key in ("hours", name))
    (slope, _), covariance = np.polyfit(hours - hours.mean(), values, 1, cov=True)
    return float(slope), float(covariance[0, 0] ** 0.5)


def main(laps: int, *, is_shipped: bool) -> None:
    """Run laps; print a line of JSON for each, and one with the slopes."""
    share_heaps()
    application = QApplication(sys.argv[:1])
    themes = ThemeManager(application, ThemeChoice.DARK)
    models = ["cards-ssd", "face-ssd"] if is_shipped else ["one", "other"]
    with tempfile.TemporaryDirectory() as folder, serving(mjpeg(IMAGES)) as port:
        options = ViewerOptions(
            source="demo",
            model=models[-1],
            folder=Path(folder),
        )
        engines = weakref.WeakSet()

        def load(*wanted: Any) -> Any:
            engine = load_engine(*wanted) if is_shipped else Engine()
            engines.add(engine)
            return engine

        loaders = replace(
            LOADERS,
            load_engine=load,
            load_first=None,
            list_devices=lambda: {"cpu": "CPU"},
        )
        with closing(MainWindow(options, themes, loaders)) as window:
            window.show()
            window.begin(options)
            lap = Lap(window, themes, f"http://127.0.0.1:{port}/live.mjpg", models)
            held = []
            for _ in range(laps):
                lap.run()
                wait(lambda: len(engines) == 1)  # without the collector
                wait(lambda: not is_loading())
                held.append(held_now())
                sys.stdout.write(f"{json.dumps(held[-1])}\n")
                sys.stdout.flush()
    if len(held) > WARM_UP_LAPS + 2:
        for name in ("memory_mb", "used_mb"):
            slope, error = slope_of(held[WARM_UP_LAPS:], name)
            is_resolved = "resolved" if 2 * error < 1 else "not resolved"
            sys.stderr.write(
                f"{name}: {slope:.2f} +- {error:.2f} MB an hour; 1 MB an hour is {is_resolved}\n"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]), is_shipped="--shipped" in sys.argv)
