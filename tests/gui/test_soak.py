"""The window at work for a long time: memory, descriptors and threads stay as they are.

Each lap records, splits, seeks, saves, and changes theme, model and source, one of which is a
camera that hangs up. What is held is read at rest, after each lap. ``pytest -m soak`` runs ten
minutes with shipped models; the usual suite one minute with a fake one.
"""

import ctypes
import gc
import itertools
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from fakes import FAKE_SPEC, FakeTimings
from sources.servers import mjpeg, serving

from kpviewer.gui.keys import Act
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.opening.engine_loading import load_engine
from kpviewer.gui.opening.source_opening import open_source
from kpviewer.gui.widgets.theme import ThemeChoice
from kpviewer.structures import Candidates, ImageArray

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc"),
    pytest.mark.timeout(1200),
]
PICTURES = [np.full((48, 64, 3), value, np.uint8) for value in range(0, 240, 8)]


class Held(NamedTuple):
    """What the process holds at a moment."""

    at_s: float
    memory_mb: float
    descriptors: int
    threads: int


def held_now() -> Held:
    """Return what is held once Python and the allocator have given back what they can."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Held(
        time.monotonic(),
        pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        len(os.listdir("/proc/self/fd")),
        threading.active_count(),
    )


class Engine:
    """Sees one box in every picture."""

    device_name, engine_name, precision = "CPU", "fake", "fp32"

    def __init__(self, *_wanted: object) -> None:
        self.spec = FAKE_SPEC

    def infer(self, _bgr: ImageArray) -> tuple[Candidates, FakeTimings]:
        box, scores = np.array([[8, 8, 40, 40]], np.float32), np.full((1, 1), 0.9, np.float32)
        return Candidates(box, scores, np.zeros((1, 0, 2), np.float32)), FakeTimings()


class Lap:
    """Works a window as a user would; every step waits for what it asked for."""

    def __init__(self, qtbot, window: MainWindow, themes, camera: str, models: list[str]) -> None:
        self._wait = qtbot.waitUntil
        self._window, self._themes, self._camera = window, themes, camera
        self._models = itertools.cycle(models)

    def run(self) -> None:
        self.frames_come()
        self._record()
        self._look()
        self._swap_model()
        self._watch_camera()
        self._watch("demo")

    def frames_come(self) -> None:
        shown = self._window.view.result
        self._wait(lambda: self._window.session.info is not None and shown() is not None)
        before = shown().frame.captured_ns
        self._wait(lambda: shown() is not None and shown().frame.captured_ns > before)

    def _record(self) -> None:
        saving, run = self._window.saving, self._window.actions_of_keys.run
        run(Act.RECORD)
        self._wait(lambda: (saving.recorded_s or 0) > 0.3)
        run(Act.SPLIT_RECORDING)
        self._window.bridge.playback.seek(200)
        self.frames_come()
        run(Act.RECORD)
        self._wait(lambda: "Saved" in self._window.status_bar.message())
        for path in saving.folder.iterdir():
            if not path.name.endswith(".part"):
                path.unlink()

    def _look(self) -> None:
        run = self._window.actions_of_keys.run
        for act in (Act.SNAPSHOT, Act.TABLE, Act.PLAY, Act.STEP_FORWARD, Act.PLAY, Act.TABLE):
            run(act)
        for choice in (ThemeChoice.LIGHT, ThemeChoice.DARK):
            self._themes.set_choice(choice)
        self.frames_come()

    def _swap_model(self) -> None:
        before = self._window.session.engine
        self._window.choose_model(next(self._models))
        self._wait(lambda: self._window.session.engine is not before)
        self._wait(lambda: self._window.session.models.loading is None)
        self.frames_come()

    def _watch_camera(self) -> None:
        self._watch(self._camera)
        # It hangs up after a second's worth of pictures, and is found again.
        self._wait(lambda: (status := self._window.session.poll().pipeline) and status.reconnects)

    def _watch(self, source: str) -> None:
        self._window.choose_source(source)
        self.frames_come()


def slope_mb_a_minute(readings: list[Held]) -> float:
    """Return the growth of memory over the second half, by least squares."""
    late = readings[len(readings) // 2 :]
    minutes = np.array([each.at_s for each in late]) / 60
    return float(np.polyfit(minutes, [each.memory_mb for each in late], 1)[0])


def soak(lap: Lap, seconds: float, tell: Callable[[str], None]) -> list[Held]:
    """Run laps for some time; return what was held after each."""
    end, readings = time.monotonic() + seconds, []
    while time.monotonic() < end or len(readings) < 4:
        lap.run()
        readings.append(held_now())
        tell(f"lap {len(readings)}: {readings[-1].memory_mb:.1f} MB, {readings[-1][2:]}")
    tell(f"{slope_mb_a_minute(readings):+.2f} MB a minute over the second half")
    return readings


def check(readings: list[Held], most_mb_a_minute: float) -> None:
    warm = readings[len(readings) // 2 :]
    assert len({each.descriptors for each in warm}) == 1, warm
    assert len({each.threads for each in warm}) == 1, warm
    assert slope_mb_a_minute(readings) < most_mb_a_minute, readings


def test_a_minute_of_work_leaves_nothing_behind(qtbot, open_window, themes):
    window = open_window(named="demo", open_source=open_source, load_engine=Engine)
    with serving(mjpeg(PICTURES)) as port:
        lap = Lap(qtbot, window, themes, f"http://127.0.0.1:{port}/live.mjpg", ["one", "other"])
        readings = soak(lap, 50, print)
    check(readings, 10.0)


@pytest.mark.soak
def test_ten_minutes_of_work_with_shipped_models_leave_nothing_behind(qtbot, open_window, themes):
    window = open_window(
        named="demo", model="face-ssd", open_source=open_source, load_engine=load_engine
    )
    with serving(mjpeg(PICTURES)) as port:
        lap = Lap(
            qtbot, window, themes, f"http://127.0.0.1:{port}/live.mjpg", ["cards-ssd", "face-ssd"]
        )
        readings = soak(lap, 600, print)
    check(readings, 2.0)
