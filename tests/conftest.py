"""Fixtures of all tests: no screen, no leftover thread, and the shared data if it is available."""

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # before the first import of Qt
# Before the first import of torch: tests run in parallel, and torch's threads spin while they wait.
# For small tensors one thread is faster even on an idle machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import gc
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest
from hypothesis import settings
from PyQt6.QtWidgets import QApplication
from threads import live_threads

from kpviewer.models.libraries.inference import block_reports
from kpviewer.system.cpu_threads import available_cores

# Ignored under nohup, or in the background of a script: tests of these signals would hang.
for name, usual in (("SIGHUP", signal.SIG_DFL), ("SIGINT", signal.default_int_handler)):
    if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is signal.SIG_IGN:
        signal.signal(getattr(signal, name), usual)
# Some environments keep Python from writing bytecode: each worker would rewrite all tests, and each
# of the processes that tests start would compile the package.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
gc.disable()  # half of the processor time of importing all tests; on again below
block_reports()  # some tests import the libraries to find out whether they are installed
settings.register_profile("suite", deadline=None)  # a busy machine is no fault
settings.load_profile("suite")
REPOSITORY = Path(__file__).resolve().parents[1]
JOIN_TIMEOUT_S = 60.0


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return the number of processes: one more than cores, as tests also wait for other threads."""
    return available_cores() + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the soak and other long files: at the end, one worker would hold up the run."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path.name != "test_soak.py", item.path not in slow))


def pytest_collection_finish() -> None:
    """Collect garbage again, but never visit the modules and tests that are there now."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Fail a test that leaves a thread of the application running."""
    before = live_threads()
    yield
    left = [thread for thread in live_threads() if thread not in before]
    for thread in left:
        thread.join(JOIN_TIMEOUT_S)
    names = [thread.name for thread in left if thread.is_alive()]
    assert not names, f"the test must stop and join its threads, still running: {names}"


@pytest.fixture(autouse=True, scope="session")
def one_application(qapp: QApplication) -> None:
    """Create the application with widgets first; overlays alone would create one without."""


@pytest.fixture(autouse=True)
def no_backend_is_remembered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep tests from reading and writing the user's cache."""
    folder = tmp_path_factory.getbasetemp() / f"cache-{time.monotonic_ns()}"
    with pytest.MonkeyPatch.context() as patched:  # not a test's own, which is undone in its order
        patched.setattr(platformdirs, "user_cache_dir", lambda *_, **__: str(folder))
        yield


@pytest.fixture(autouse=True)
def one_thread_for_torch() -> Iterator[None]:
    """Reset torch to one thread after a test whose model set more."""
    yield
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of images, clips and labels beside the repository, or skip."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the data folder {folder}")
    return folder
