"""Measure how fast the window answers, and what the pipeline adds to a live frame's age.

    QT_QPA_PLATFORM=offscreen python benchmarks/responsiveness.py

Prints three figures. *Slider*: from a move of the confidence to the repaint, while paused, with 400
candidates. *Blocks*: times that the window's thread didn't answer while the demo plays, is sought
in, changes its model and its size, and opens its plots. *Live*: age of a result of a 30 fps source
without the model's own time. Times of the processor are of the window's thread alone: the rest of a
time was another program's or another thread's.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtWidgets import QApplication
from waiting import PATIENCE_S, handle_events, wait

from kpviewer.gui.app import LOADERS
from kpviewer.gui.keys import Act
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.widgets.theme import ThemeChoice, ThemeManager
from kpviewer.models.loading import open_model
from kpviewer.pipeline.pipeline import Pipeline, PipelineOptions
from kpviewer.runtime.executor import Executor
from kpviewer.sources.synthetic.source import synthetic_source
from kpviewer.structures import FrameResult

MOVES = 200
PLAY_S = 20.0
LIVE_FRAMES = 300
BLOCK_MS = 50.0
TICK_MS = 2


class Gap(NamedTuple):
    """A time of the window's thread, ms."""

    wall_ms: float
    cpu_ms: float


class Watchdog:
    """Notes how long the window's thread takes between the ticks of a timer."""

    def __init__(self) -> None:
        self.gaps: list[Gap] = []
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_tick)
        self._before = time.perf_counter(), time.thread_time()
        self._timer.start(TICK_MS)

    def _on_tick(self) -> None:
        now = time.perf_counter(), time.thread_time()
        wall, cpu = (1e3 * (new - old) for new, old in zip(now, self._before, strict=True))
        self.gaps.append(Gap(wall, cpu))
        self._before = now

    def stop(self) -> list[Gap]:
        """Stop, and return the gaps that took too long, longest first."""
        self._timer.stop()
        return sorted((gap for gap in self.gaps if gap.wall_ms > BLOCK_MS), reverse=True)


def slider_gaps(window: MainWindow) -> list[Gap]:
    """Return the times from a move of the confidence to the repaint."""
    gaps: list[Gap] = []
    for score in np.tile([0.02, 0.3, 0.1, 0.6], MOVES // 4):
        handle_events(0.02)
        began, cpu_began = time.perf_counter(), time.thread_time()
        window.side_panel.thresholds.choose_confidence(float(score))
        window.view.repaint()
        wall_s, cpu_s = time.perf_counter() - began, time.thread_time() - cpu_began
        gaps.append(Gap(wall_s * 1e3, cpu_s * 1e3))
    return gaps


def work(window: MainWindow) -> Iterator[None]:
    """Seek, change the model, the size and the plots; yield between."""
    for number in range(1000):
        window.bridge.playback.seek(60 * number % 500)
        yield
        window.opener.choose_model(("cards-ssd", "face-ssd")[number % 2])
        yield
        window.resize(1000 + 100 * (number % 4), 700)
        yield
        window.actions_of_keys.run(Act.PLOTS)
        yield


def live_added_ms(model: str) -> list[float]:
    """Return the age of results of a paced source without the model's time, ms."""
    engine = Executor(open_model(model), "cpu")
    engine.warm_up((480, 640))
    pipeline = Pipeline(synthetic_source("synthetic:640x480"), engine, options=PipelineOptions())
    added: list[float] = []

    class Sink:
        def accept(self, result: FrameResult) -> None:
            timings = result.timings
            own = timings.upload_ms + timings.forward_ms + timings.postprocess_ms
            added.append(timings.total_ms - own)

    pipeline.add_sink(Sink())
    pipeline.start()
    end = time.monotonic() + PATIENCE_S
    while len(added) < LIVE_FRAMES and time.monotonic() < end:
        time.sleep(0.05)
    pipeline.close()
    return added[30:]


def line(name: str, values: list[float]) -> str:
    """Return a line with median, 95th percentile and largest value."""
    p50, p95 = np.percentile(values, [50, 95])
    return f"{name}: p50 {p50:.2f} ms, p95 {p95:.2f} ms, most {max(values):.1f} ms"


def main() -> None:
    """Print the figures."""
    application = QApplication(sys.argv[:1])
    themes = ThemeManager(application, ThemeChoice.DARK)
    with TemporaryDirectory() as folder:
        options = ViewerOptions(source="demo", model="face-ssd", folder=Path(folder))
        window = MainWindow(options, themes, LOADERS)
        window.show()
        window.begin(options)
        wait(lambda: (found := window.view.result()) is not None and found.has_model)
        handle_events(2.0)
        watchdog, steps, next_s = Watchdog(), work(window), 0.0
        end = time.monotonic() + PLAY_S
        while time.monotonic() < end:
            if time.monotonic() > next_s:
                next(steps)
                next_s = time.monotonic() + 1.0
            handle_events(0.05)
        blocks = watchdog.stop()
        wait(lambda: window.session.models.loading is None)
        window.actions_of_keys.run(Act.PLAY)
        handle_events(1.0)
        shown = window.view.result()
        sys.stdout.write(f"{len(shown.candidates.scores) if shown else 0} candidates\n")
        wall_ms, cpu_ms = zip(*slider_gaps(window), strict=True)
        sys.stdout.write(line("Slider", list(wall_ms)) + "\n")
        sys.stdout.write(line("Slider, processor time", list(cpu_ms)) + "\n")
        real = [gap for gap in blocks if gap.cpu_ms > BLOCK_MS / 2]
        sys.stdout.write(f"Blocks over {BLOCK_MS:.0f} ms in {PLAY_S:.0f} s: {len(real)} of work, ")
        sys.stdout.write(f"{len(blocks)} in all, the longest {blocks[:5]}\n")
        window.close()
    sys.stdout.write(line("Live", live_added_ms("face-ssd")) + "\n")


if __name__ == "__main__":
    main()
