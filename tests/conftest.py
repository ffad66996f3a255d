"""What every test gets: no screen, no leftover thread, and the shared data where it is at hand."""

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # before the first import of Qt

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
JOIN_TIMEOUT_S = 5.0


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


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of pictures, clips and labels beside the repository; skips where it is absent."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the data folder {folder}")
    return folder
