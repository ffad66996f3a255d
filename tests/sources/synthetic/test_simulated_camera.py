"""A video as a camera: images come at their own times, and late readers lose some."""

from collections.abc import Callable

import numpy as np
import pytest
from fakes import FakeSource, read_stamp

from kpviewer.errors import SourceError
from kpviewer.sources.synthetic import simulated_camera
from kpviewer.sources.synthetic.simulated_camera import SimulatedCamera
from kpviewer.structures import ImageArray


class FakeTime:
    """Time that passes by sleeping only, from an arbitrary moment."""

    def __init__(self) -> None:
        self.ns = 77_000_000_000

    def monotonic_ns(self) -> int:
        return self.ns

    def sleep(self, seconds: float) -> None:
        self.ns += round(seconds * 1e9)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    fake = FakeTime()
    monkeypatch.setattr(simulated_camera, "time", fake)
    return fake


def new(height: int, width: int) -> ImageArray:
    return np.empty((height, width, 3), np.uint8)


def reader(camera: SimulatedCamera, time: FakeTime, began_ns: int) -> Callable[[], tuple[int, int]]:
    """Return a function that reads a frame's number, and its time in ms since ``began_ns``."""

    def read() -> tuple[int, int]:
        captured = camera.read(new)
        assert captured is not None
        return read_stamp(captured.bgr), round((captured.captured_ns - began_ns) / 1e6)

    return read


def test_images_come_at_the_rate_of_the_video(time):
    camera = SimulatedCamera(FakeSource(4, fps=10.0), delay_s=0.03)
    began_ns = time.ns
    info = camera.open()
    assert (info.is_live, info.is_seekable, info.frame_count) == (True, False, None)
    read = reader(camera, time, began_ns)
    assert [read() for _ in range(6)] == [
        (0, 30),
        (1, 130),
        (2, 230),
        (3, 330),
        (0, 430),
        (1, 530),
    ]
    assert time.ns == began_ns + 530_000_000


def test_a_late_reader_gets_the_newest_image_with_its_time(time):
    camera = SimulatedCamera(FakeSource(100, fps=10.0))
    began_ns = time.ns
    camera.open()
    read = reader(camera, time, began_ns)
    assert read() == (0, 0)
    time.sleep(0.75)
    assert read() == (7, 700)
    assert read() == (8, 800)
    assert camera.next_index == 9


def test_a_source_that_is_live_already_is_refused():
    with pytest.raises(SourceError, match="not seekable"):
        SimulatedCamera(FakeSource(live=True)).open()


def test_a_closed_camera_cannot_be_read_and_opens_again(time):
    camera = SimulatedCamera(FakeSource(5))
    camera.open()
    camera.read(new)
    camera.close()
    with pytest.raises(SourceError, match="open"):
        camera.read(new)
    camera.open()
    captured = camera.read(new)
    assert captured is not None
    assert read_stamp(captured.bgr) == 0
