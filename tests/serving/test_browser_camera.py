"""The camera of a viewer as a source: the newest frame, and an end to every wait."""

import threading

import numpy as np
import pytest
from av import VideoFrame

from kpviewer.errors import SourceError
from kpviewer.serving.browser_camera import BrowserCamera


def frame(level: int, size_wh: tuple[int, int] = (32, 24)) -> VideoFrame:
    width, height = size_wh
    return VideoFrame.from_ndarray(np.full((height, width, 3), level, np.uint8), format="bgr24")


def buffer(height: int, width: int) -> np.ndarray:
    return np.empty((height, width, 3), np.uint8)


def opened(camera: BrowserCamera) -> BrowserCamera:
    camera.offer(frame(1))
    info = camera.open()
    assert (info.width, info.height, info.is_live, info.is_seekable) == (32, 24, True, False)
    return camera


def test_the_newest_frame_is_read():
    camera = opened(BrowserCamera())
    camera.offer(frame(2))
    camera.offer(frame(3))
    captured = camera.read(buffer)
    assert captured.bgr.shape == (24, 32, 3)
    assert (captured.bgr == 3).all()
    assert camera.next_index == 1


def test_a_turned_phone_changes_the_size():
    camera = opened(BrowserCamera())
    camera.offer(frame(2, (24, 32)))
    assert camera.read(buffer).bgr.shape == (32, 24, 3)


def test_a_read_waits_for_the_next_frame():
    camera = opened(BrowserCamera())
    camera.read(buffer)
    levels: list[int] = []
    thread = threading.Thread(target=lambda: levels.append(int(camera.read(buffer).bgr[0, 0, 0])))
    thread.start()
    camera.offer(frame(7))
    thread.join()
    assert levels == [7]


@pytest.mark.parametrize(
    "stop", [BrowserCamera.end, BrowserCamera.interrupt], ids=["end", "interrupt"]
)
def test_a_waiting_read_ends(stop):
    camera = opened(BrowserCamera())
    camera.read(buffer)
    timer = threading.Timer(0.01, stop, [camera])
    timer.start()
    with pytest.raises(SourceError, match="sends no images"):
        camera.read(buffer)
    timer.join()


def test_a_camera_that_has_left_cannot_be_opened():
    camera = BrowserCamera()
    camera.end()
    with pytest.raises(SourceError):
        camera.open()


def test_a_closed_camera_is_neither_read_nor_sought():
    camera = opened(BrowserCamera())
    camera.close()
    with pytest.raises(SourceError):
        camera.read(buffer)
    with pytest.raises(SourceError):
        camera.seek(0)
