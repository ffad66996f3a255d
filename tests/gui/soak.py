"""Operate the window for a long time in a process of its own, and print its resources.

    PYTHONPATH=.:tests QT_QPA_PLATFORM=offscreen python tests/gui/soak.py LAPS [--shipped]
    PYTHONPATH=.:tests QT_QPA_PLATFORM=offscreen python tests/gui/soak.py MINUTES --paced

A lap records, splits, seeks, saves, and changes theme, model and source, one of which is a camera
that hangs up. What is held is read at rest, with no source open. With ``--shipped`` real models are
swapped, else fakes.

With ``--paced`` the demo is played with shipped models as a user would: a seek every 5 s, another
model every 30 s, a recording in each other half minute. Once a minute it is paused to be read; some
steps free what a busy machine keeps for frames in flight, so that its load isn't measured.

Each line has, among others, the memory of the process as it is, ``as_is_mb``, and at rest,
``memory_mb``, of which ``own_mb`` isn't pages of files that the system takes back as it likes, and
what its allocator has handed out, ``used_mb``. The last lines, on standard error, have their slopes
after the warm-up if there are 20 readings: Theil and Sen's, with its confidence interval of 95 %.
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
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from fakes import FAKE_SPEC, FakeTimings
from PyQt6.QtWidgets import QApplication
from sources.servers import mjpeg, serving

from benchmarks.waiting import handle_events, wait
from kpviewer.gui.app import LOADERS
from kpviewer.gui.background.loader import BackgroundLoader
from kpviewer.gui.keys import Act
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.widgets.theme import ThemeChoice, ThemeManager
from kpviewer.runtime.executor import Executor
from kpviewer.runtime.openvino.flights import ALONE
from kpviewer.runtime.process.garbage import share_heaps
from kpviewer.structures import Candidates, ImageArray

assert np.ma  # the first median imports it: in the lap in which the first box jumps, 5,000 blocks
IMAGES = [np.full((48, 64, 3), value, np.uint8) for value in range(0, 240, 8)]
WARM_UP_LAPS, WARM_UP_MINUTES = 10, 5
SLOPE_READINGS = 20
SEEK_EVERY_S, SEEKS_A_MINUTE = 5.0, 12


class Engine:
    """Engine that predicts one box in every image."""

    device_name, backend, precision = "CPU", "fake", "fp32"

    def __init__(self, *_wanted: object) -> None:
        self.spec = FAKE_SPEC

    def infer(self, _bgr: ImageArray) -> tuple[Candidates, FakeTimings]:
        box, scores = np.array([[8, 8, 40, 40]], np.float32), np.full((1, 1), 0.9, np.float32)
        return Candidates(box, scores, np.zeros((1, 0, 2), np.float32)), FakeTimings()


class Lap:
    """Works a window as a user would; every step waits for what it asked for."""

    def __init__(
        self, window: MainWindow, themes: ThemeManager, camera: str, models: list[str]
    ) -> None:
        self._window, self._themes = window, themes
        self._camera, self._models = camera, models

    def run(self) -> None:
        self._open("demo")
        self._record()
        self._look()
        for model in self._models:  # all, so that every lap ends with the same one
            self._swap(model)
        self._open_camera()
        self._close_source()

    def run_a_minute(self) -> None:
        """Work for a minute at a user's pace."""
        run = self._window.actions_of_keys.run
        half = SEEKS_A_MINUTE // 2
        for number in range(SEEKS_A_MINUTE):
            end = time.monotonic() + SEEK_EVERY_S
            if number in (0, half):
                run(Act.RECORD)
            if number % half == half // 2:
                self._swap(self._models[number // half])
            self._window.bridge.playback.seek(number * 83 % 900)
            handle_events(max(end - time.monotonic(), 0.0))
        self._drop_recordings()

    def pause(self) -> None:
        """Pause, and look at as many frames one by one as free the memory for frames in flight."""
        self._window.actions_of_keys.run(Act.PLAY)
        shown = self._window.view.result
        for _ in range(ALONE + 1):  # the first of them may have been on its way
            before = shown()
            self._window.actions_of_keys.run(Act.STEP_FORWARD)
            wait(lambda before=before: shown() is not before)

    def play(self) -> None:
        """Play on."""
        self._window.actions_of_keys.run(Act.PLAY)

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
        self._drop_recordings()

    def _drop_recordings(self) -> None:
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

    def _close_source(self) -> None:
        """Close the source: how many buffers it has used, and what is on show, vary."""
        pipeline = weakref.ref(self._window.session.pipeline)
        self._window.session.close_source()
        wait(lambda: pipeline() is None)

    def _open(self, source: str) -> None:
        self._window.opener.choose_source(source)
        wait(lambda: self._window.session.source_text == source)
        self._frames_come()


def made_from_now_on(kind: type[Any]) -> weakref.WeakSet[Any]:
    """Return a set to which each object of a class is added; the collector may not know it."""
    made: weakref.WeakSet[Any] = weakref.WeakSet()
    begin = kind.__init__

    def init(self: Any, *given: Any, **named: Any) -> None:
        begin(self, *given, **named)
        made.add(self)

    kind.__init__ = init
    return made


_M_TRIM_THRESHOLD = -1  # of glibc's malloc.h


def give_back_at_once() -> None:
    """Have the allocator give back the unused end of each heap, which it else keeps.

    ``malloc_trim`` does so for the first heap alone: the end of the other varies by 9 MB.
    """
    ctypes.CDLL(None).mallopt(_M_TRIM_THRESHOLD, 0)


def widened_table_of_names() -> list[str]:
    """Have Python's table of interned strings double now, by 1.9 MB, not in one of the laps.

    It doubles when 87,381 places were taken, freed ones too, of which over 43,690 are in use. The
    imports alone use about that many, so it may double or not. Returns names to be kept.
    """
    names = [sys.intern(f"name {number}") for number in range(90_000)]
    return names[:20_000]


class _Malloc(ctypes.Structure):
    """glibc's ``mallinfo2``: the fifth value is ``hblkhd``, the eighth ``uordblks``."""

    _fields_ = (("values", ctypes.c_size_t * 10),)


def held_now() -> dict[str, float]:
    """Return what is held once Python and the allocator have given back what they can."""
    as_is_mb = memory_mb()
    gc.collect()
    library = ctypes.CDLL(None)
    library.malloc_trim(0)
    library.mallinfo2.restype = _Malloc
    malloc = library.mallinfo2().values
    return {
        "hours": time.monotonic() / 3600,
        "as_is_mb": as_is_mb,
        "memory_mb": memory_mb(),
        "own_mb": own_mb(),
        "used_mb": round((malloc[4] + malloc[7]) / 1e6, 3),
        "blocks": sys.getallocatedblocks(),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
    }


def memory_mb() -> float:
    """Return the memory of the process that is in use, MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 2)


def own_mb() -> float:
    """Return the memory in use that isn't a copy of a file's pages, MB."""
    status = dict(each.split(":", 1) for each in Path("/proc/self/status").read_text().splitlines())
    return round(int(status["RssAnon"].split()[0]) * 1024 / 1e6, 2)


def print_slopes(held: list[dict[str, float]], *, is_paced: bool) -> None:
    """Print the slopes of the figures of memory with their confidence intervals."""
    from scipy.stats import theilslopes  # noqa: PLC0415 - takes longer than a lap

    places = [each["hours"] for each in held] if is_paced else range(len(held))
    unit = "MB an hour" if is_paced else "MB a lap"
    for name in ("as_is_mb", "memory_mb", "own_mb", "used_mb"):
        slope, _, low, high = theilslopes([each[name] for each in held], places)
        sys.stderr.write(f"{name}: {slope:.4f} {unit}, 95 %: {low:.4f} to {high:.4f}\n")


def main(count: int, *, is_shipped: bool, is_paced: bool) -> None:
    """Run laps or minutes; print a line of JSON for each, and the slopes."""
    share_heaps()
    give_back_at_once()
    names = widened_table_of_names()
    background_loaders = made_from_now_on(BackgroundLoader)
    engines = made_from_now_on(Executor if is_shipped or is_paced else Engine)
    loaders = LOADERS
    if not is_paced:
        loaders = replace(LOADERS, load_first=None, list_devices=lambda: {"cpu": "CPU"})
    if not (is_shipped or is_paced):
        loaders = replace(loaders, load_engine=Engine)
    application = QApplication(sys.argv[:1])
    themes = ThemeManager(application, ThemeChoice.DARK)
    models = ["cards-ssd", "face-ssd"] if is_shipped or is_paced else ["one", "other"]
    held = []
    with tempfile.TemporaryDirectory() as folder, serving(mjpeg(IMAGES)) as port:
        options = ViewerOptions(source="demo", model=models[-1], folder=Path(folder))
        with closing(MainWindow(options, themes, loaders)) as window:
            window.show()
            window.begin(options)
            lap = Lap(window, themes, f"http://127.0.0.1:{port}/live.mjpg", models)
            for _ in range(count):
                (lap.run_a_minute if is_paced else lap.run)()
                if is_paced:
                    lap.pause()
                wait(lambda: len(engines) == 1)  # without the collector
                wait(lambda: all(each.busy_with is None for each in background_loaders))
                held.append(held_now())
                if is_paced:
                    lap.play()
                sys.stdout.write(f"{json.dumps(held[-1])}\n")
                sys.stdout.flush()
    warm = held[WARM_UP_MINUTES if is_paced else WARM_UP_LAPS :]
    if len(warm) >= SLOPE_READINGS:
        print_slopes(warm, is_paced=is_paced)
    names.clear()


if __name__ == "__main__":
    main(int(sys.argv[1]), is_shipped="--shipped" in sys.argv, is_paced="--paced" in sys.argv)
