"""``kpviewer.view``: the window on objects, in a program that continues afterwards."""

import threading
from pathlib import Path

import pytest
from fakes import FakeSource
from interpreter import python

import kpviewer as kp
from kpviewer.gui.opening.loaders import Loaders
from kpviewer.gui.options import ViewerOptions

TESTS = Path(__file__).resolve().parents[1]
PROGRAM = """
import os, signal, sys, threading, warnings
warnings.simplefilter("error")
os.environ["QT_QPA_PLATFORM"] = "offscreen"
sys.path[:0] = [{tests!r}]
import kpviewer as kp
from fakes import FakeSource

def interrupt():
    os.kill(os.getpid(), signal.SIGINT)

class Interrupting(FakeSource):
    def open(self):
        interrupt()
        return super().open()

def look(source):
    try:
        kp.view(source, model)
    except KeyboardInterrupt:
        return source.closes > 0

def state():
    return sys.excepthook, threading.excepthook, signal.getsignal(signal.SIGINT)

model = kp.load("face-ssd", device="cpu", backend="onnxruntime", precision="fp32")
result = next(kp.stream("demo", model))
kp.draw(result)
kp.view  # pyqtgraph sets a hook on import
before = state()
real = model.infer
once = iter([interrupt])  # a second one, at the next frame, would end the program at once
model.infer = lambda bgr: (bgr.shape == (24, 32, 3) and next(once, bool)(), real(bgr))[1]
print("closed", look(FakeSource(100000)))
print("as before", before == state())
kp.draw(result)
print("closed", look(Interrupting(10)))
print("threads", [each.name for each in threading.enumerate() if "kpviewer" in each.name])
"""


def test_a_program_draws_opens_the_window_and_continues():
    message = python(PROGRAM.format(tests=str(TESTS))).splitlines()
    assert message == ["closed True", "as before True", "closed True", "threads []"]


def test_a_window_needs_the_main_thread():
    message: list[str] = []

    def work() -> None:
        with pytest.raises(kp.KpviewerError) as caught:
            kp.view("demo")
        message.append(str(caught.value))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert message == ["kpviewer.view must be called on the main thread, as Qt requires."]


def test_a_window_needs_a_display(monkeypatch):
    monkeypatch.setattr("kpviewer.api.viewing.has_display", lambda: False)
    with pytest.raises(kp.KpviewerError, match=r"no display .* Use kpviewer\.stream"):
        kp.view("demo")


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[ViewerOptions, Loaders]]:
    """Return what windows would be opened with; none opens."""
    windows: list[tuple[ViewerOptions, Loaders]] = []

    def run(options: ViewerOptions, *, loaders: Loaders, ends_process: bool) -> int:
        windows.append((options, loaders))
        return 0

    monkeypatch.setattr("kpviewer.api.viewing.has_display", lambda: True)
    monkeypatch.setattr("kpviewer.api.viewing.run_viewer", run)
    return windows


def test_a_list_of_sources_opens_a_grid(ran):
    namesake = type("FakeSource", (FakeSource,), {})  # such as of a cell that ran again
    first, second = FakeSource(3), namesake(3)
    kp.view(["a.mp4", 1, first, second])
    kp.view(["a.mp4"])
    (grid, loaders), (single, _) = ran
    named = ("a.mp4", "1", "FakeSource (Python)", "FakeSource 2 (Python)")
    assert (grid.source, grid.sources, grid.settings_folder) == (None, named, None)
    assert [loaders.open_source(name, None) for name in named[2:]] == [first, second]
    assert (single.source, single.sources) == ("a.mp4", ())


def test_a_loaded_model_is_moved_to_another_device_that_is_given(ran):
    model = kp.load("strip-grid", device="cpu", backend="onnxruntime", precision="fp32")
    for device in ("auto", "cpu"):
        kp.view("demo", model, device=device)
        options, loaders = ran[-1]
        assert loaders.load_engine(options.model, device, (48, 64)) is model
    kp.view("demo", model, device="cuda:99")
    options, loaders = ran[-1]
    with pytest.raises(kp.KpviewerError, match=r"(?i)cuda"):
        loaders.load_engine(options.model, "cuda:99", (48, 64))


@pytest.mark.parametrize(
    "given",
    [
        {"source": 3.5},
        {"source": []},
        {"source": ["demo"] * 17},
        {"source": ["demo", None]},
        {"source": [FakeSource(3)] * 2},
        {"model": 3},
        {"model": None},
        {"seconds": -1},
        {"seconds": "2"},
        {"seconds": float("nan")},
        {"seconds": 1e12},
    ],
)
def test_arguments_are_checked_before_a_window_opens(given):
    with pytest.raises(kp.InputError):
        kp.view(**given)
