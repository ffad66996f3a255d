"""Cameras, with a stand-in for the device."""

import numpy as np
import pytest
from captures import FakeCapture
from films import read_number

from kpviewer.errors import SourceError
from kpviewer.sources.camera import CameraSource
from kpviewer.sources.opencv import cv2
from kpviewer.structures import ImageArray


def buffer(height: int, width: int) -> ImageArray:
    return np.zeros((height, width, 3), np.uint8)


def camera(capture: FakeCapture, name: str | None = None) -> CameraSource:
    return CameraSource(0, name=name, open_capture=lambda _index: capture)


def test_the_compressed_format_is_asked_for_before_the_size_and_the_rate() -> None:
    capture = FakeCapture()
    camera(capture).open()
    wanted = [cv2.CAP_PROP_FOURCC, cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT]
    assert capture.asked[:4] == [*wanted, cv2.CAP_PROP_FPS]


def test_info_tells_what_the_camera_gives_not_what_was_asked() -> None:
    info = camera(FakeCapture(), name="Front door").open()
    assert info.name == "Front door"
    assert (info.width, info.height) == (96, 64)
    assert info.is_live
    assert info.frame_count is None


@pytest.mark.parametrize("fps", [0.0, -1.0, 1000.0, float("nan"), float("inf")])
def test_a_rate_that_cannot_be_true_is_unknown(fps: float) -> None:
    assert camera(FakeCapture(fps=fps)).open().nominal_fps is None


def test_a_missing_camera_is_an_error_with_a_cure() -> None:
    capture = FakeCapture(is_open=False)
    with pytest.raises(SourceError, match="kpviewer cameras"):
        camera(capture).open()
    assert capture.releases == 1


def test_a_camera_without_a_picture_is_an_error_and_is_released() -> None:
    capture = FakeCapture(frames=0)
    with pytest.raises(SourceError, match="gives no picture"):
        camera(capture).open()
    assert capture.releases == 1


def test_a_camera_may_fail_its_first_reads() -> None:
    source = camera(FakeCapture(failing_reads=3))
    source.open()
    assert source.read(buffer) is not None


def test_a_lost_camera_is_an_error_and_may_be_opened_again() -> None:
    captures = [FakeCapture(frames=3), FakeCapture()]
    source = CameraSource(0, open_capture=lambda _index: captures.pop(0))
    source.open()
    source.read(buffer)
    source.read(buffer)
    with pytest.raises(SourceError, match="unplugged"):
        source.read(buffer)
    source.close()
    source.open()
    assert source.read(buffer) is not None


@pytest.mark.parametrize("fills", [True, False], ids=["fills the buffer", "gives an array"])
def test_the_picture_ends_in_the_buffer_however_the_device_gives_it(fills: bool) -> None:
    source = camera(FakeCapture(fills=fills))
    source.open()
    given = buffer(64, 96)
    captured = source.read(lambda _height, _width: given)
    assert captured is not None
    assert np.shares_memory(captured.bgr, given)
    assert read_number(given) == 1


def test_a_picture_of_another_size_gets_a_buffer_of_its_size() -> None:
    capture = FakeCapture()
    source = camera(capture)
    source.open()
    capture.crop_rows = 10
    captured = source.read(buffer)
    assert captured is not None
    assert captured.bgr.shape == (54, 96, 3)
