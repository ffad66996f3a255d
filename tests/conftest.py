"""What every test gets: no screen, no leftover thread, and the shared data where it is at hand."""

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # before the first import of Qt
# Before the first import of torch: tests run side by side, and its threads wait for each other
# spinning. For small tensors one is faster even on an idle machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QApplication

from kpviewer.models.inference_libraries import block_reports

block_reports()  # some tests import the libraries themselves, to see whether they are there
REPOSITORY = Path(__file__).resolve().parents[1]
JOIN_TIMEOUT_S = 60.0


def live_threads() -> list[threading.Thread]:
    """Threads of the application that still run."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("kpviewer-")]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Fail a test that leaves a thread of the application alive; the next test starts clean."""
    before = live_threads()
    yield
    left = [thread for thread in live_threads() if thread not in before]
    for thread in left:
        thread.join(JOIN_TIMEOUT_S)
    names = [thread.name for thread in left if thread.is_alive()]
    assert not names, f"the test must stop and join its threads, still running: {names}"


@pytest.fixture(autouse=True, scope="session")
def one_application(qapp: QApplication) -> None:
    """Make the application that has widgets first: overlays alone would make a lesser one."""


@pytest.fixture(autouse=True)
def one_thread_for_torch() -> Iterator[None]:
    """Take back the threads that a model of the test asked for."""
    yield
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of images, clips and labels beside the repository; skips where it is absent."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the data folder {folder}")
    return folder
