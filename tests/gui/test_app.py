"""The application from start to end, in a process of its own."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from interpreter import run_python

TESTS = Path(__file__).resolve().parents[1]
PROGRAM = """
import logging, os, signal, sys
sys.path[:0] = [{tests!r}, {root!r}]
from fakes import FakeEngine, FakeSource
from dataclasses import replace
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication
from kpviewer.gui.app import run_viewer
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.opening.engine_loading import LOADERS
from kpviewer.gui.options import ViewerOptions
logging.basicConfig(level="INFO", stream=sys.stdout)


class Engine(FakeEngine):
    device_name, backend, precision = "CPU", "torch", "fp32"

    def infer(self, bgr):
        if {interrupt}:
            os.kill(os.getpid(), signal.SIGINT)
        return super().infer(bgr)


def close_failed():
    for window in QApplication.topLevelWidgets():
        if isinstance(window, MainWindow) and window.session.failure is not None:
            window.close()


application, watch = QApplication([]), QTimer()
watch.timeout.connect(close_failed)
watch.start(10)
code = run_viewer(
    ViewerOptions(source="fake", seconds={seconds}, record={record!r}),
    loaders=replace(
        LOADERS,
        open_source=lambda text, ground_truth: FakeSource({frames}, open_errors={errors}),
        load_engine=lambda name, device, size: Engine(),
        load_first=None,
        list_devices=lambda: {{"cpu": "CPU"}},
    ),
)
print("imported", sorted({{"torch", "pyqtgraph", "pycocotools"}} & set(sys.modules)))
sys.exit(code)
"""


def run(
    *, seconds: float, interrupt: bool = False, errors: str = "[]", record: str | None = None
) -> tuple[int, str]:
    program = PROGRAM.format(
        tests=str(TESTS),
        root=str(TESTS.parent),
        seconds=seconds,
        record=record,
        interrupt=interrupt,
        frames=9000,
        errors=errors,
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=250, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_viewer_closes_by_itself_and_logs_its_times_without_slow_imports():
    code, output = run(seconds=3)
    assert code == 0, output
    assert "Time to window" in output
    assert "Time to first detection" in output
    assert "imported []" in output


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no kill by signal")
def test_ctrl_c_closes_cleanly_with_130():
    code, output = run(seconds=30, interrupt=True)
    assert code == 130, output
    assert "Traceback" not in output


def test_source_that_failed_is_the_exit_of_a_timed_run():
    imports = "[__import__('kpviewer.errors').errors.SourceError('No such camera.')]"
    # It is closed once the source has failed: on a busy machine, that may take any time.
    code, output = run(seconds=200, errors=imports)
    assert code != 0
    assert "No such camera." in output


def test_a_timed_run_that_recorded_nothing_says_so(tmp_path):
    code, output = run(seconds=0, record=str(tmp_path / "a.mp4"))  # over before it begins
    assert code != 0
    assert "Nothing was recorded within 0 s" in output


STUCK = """
import os, signal, sys, threading
sys.path[:0] = [{tests!r}, {root!r}]
from fakes import FakeSource
from dataclasses import replace
from kpviewer.gui.app import run_viewer
from kpviewer.gui.opening.engine_loading import LOADERS
from kpviewer.gui.options import ViewerOptions


class StuckSource(FakeSource):
    def open(self):
        threading.Event().wait()


def load(*_):
    os.kill(os.getpid(), signal.{name})
    threading.Event().wait()


threading.Thread(target=threading.Event().wait).start()  # of a library, say
sys.exit(
    run_viewer(
        ViewerOptions(source="fake"),
        loaders=replace(
            LOADERS,
            open_source=lambda text, ground_truth: StuckSource(),
            load_engine=load,
            load_first=None,
            list_devices=lambda: {{"cpu": "CPU"}},
        ),
    )
)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no such signal")
def test_a_closed_terminal_ends_a_process_in_which_everything_hangs():
    program = STUCK.format(tests=str(TESTS), root=str(TESTS.parent), name="SIGHUP")
    code, output, complaints = run_python(program)
    assert code == 129, output + complaints
