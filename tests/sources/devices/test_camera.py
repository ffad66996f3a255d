"""Cameras, with a fake device."""

from functools import partial

import numpy as np
import pytest
from captures import FakeCapture
from videos import buffer, read_number

from kpviewer.errors import SourceError
from kpviewer.sources import open as opening
from kpviewer.sources.devices.camera import Camera, CameraSource
from kpviewer.sources.naming import CameraName, CameraRequest, parse_camera
from kpviewer.sources.opencv import cv2


def camera(capture: FakeCapture, name: str | None = None) -> CameraSource:
    return CameraSource(0, name=name, open_capture=lambda _index: capture)


def test_the_compressed_format_is_requested_before_size_and_rate():
    capture = FakeCapture()
    camera(capture).open()
    expected = [cv2.CAP_PROP_FOURCC, cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT]
    assert capture.asked[:4] == [*expected, cv2.CAP_PROP_FPS]


def test_info_describes_the_actual_output_not_the_request():
    info = camera(FakeCapture(), name="Front door").open()
    assert info.name == "Front door"
    assert (info.width, info.height) == (96, 64)
    assert info.is_live
    assert info.frame_count is None


@pytest.mark.parametrize("fps", [0.0, -1.0, 1000.0, float("nan"), float("inf")])
def test_an_implausible_frame_rate_is_unknown(fps):
    assert camera(FakeCapture(fps=fps)).open().nominal_fps is None


def test_a_missing_camera_is_an_error_with_a_fix():
    capture = FakeCapture(is_open=False)
    with pytest.raises(SourceError, match="kpviewer cameras"):
        camera(capture).open()
    assert capture.releases == 1


def test_a_folder_that_is_named_as_a_missing_camera_is_mentioned(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "2023").mkdir()
    source = CameraSource(2023, open_capture=lambda _index: FakeCapture(is_open=False))
    with pytest.raises(SourceError, match=r"write \./2023\.$"):
        source.open()


def test_a_camera_without_an_image_is_an_error_and_is_released():
    capture = FakeCapture(frames=0)
    with pytest.raises(SourceError, match="sends no image"):
        camera(capture).open()
    assert capture.releases == 1


def test_a_camera_may_fail_its_first_reads():
    source = camera(FakeCapture(failing_reads=3))
    source.open()
    assert source.read(buffer) is not None


def test_a_lost_camera_is_an_error_and_may_be_opened_again():
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
def test_the_image_is_in_the_buffer_for_every_device(fills):
    source = camera(FakeCapture(fills=fills))
    source.open()
    given = buffer(64, 96)
    captured = source.read(lambda _height, _width: given)
    assert captured is not None
    assert np.shares_memory(captured.bgr, given)
    assert read_number(given) == 1


def test_an_image_of_another_size_gets_a_buffer_of_its_size():
    capture = FakeCapture()
    source = camera(capture)
    source.open()
    capture.crop_rows = 10
    captured = source.read(buffer)
    assert captured is not None
    assert captured.bgr.shape == (54, 96, 3)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("3", CameraName(3, None)),
        ("0:1920x1080", CameraName(0, CameraRequest(1920, 1080, 30.0, "MJPG"))),
        ("0:640x480@59.94", CameraName(0, CameraRequest(640, 480, 59.94, "MJPG"))),
        ("12:640x480@15:yuyv", CameraName(12, CameraRequest(640, 480, 15.0, "YUYV"))),
        ("0:640x480:YUYV", CameraName(0, CameraRequest(640, 480, 30.0, "YUYV"))),
        ("cam1", CameraName(1, None)),
        ("Cam1:640x480", CameraName(1, CameraRequest(640, 480, 30.0, "MJPG"))),
        ("cam", None),
        ("0:640", None),
        ("-1", None),
        ("٣", None),  # a digit, but not a camera number
    ],
)
def test_a_camera_is_named_by_number_and_format(text, name):
    assert parse_camera(text) == name


def test_a_format_is_written_as_it_is_read():
    request = CameraRequest(1920, 1080, 59.94, "YUYV")
    assert parse_camera(f"0:{request}") == CameraName(0, request)


def test_a_format_with_a_zero_is_an_error():
    with pytest.raises(SourceError, match="0:1280x720@30:MJPG"):
        parse_camera("0:0x480")


def test_the_chosen_format_is_requested_and_a_difference_is_reported():
    capture = FakeCapture(fps=30.0)
    request = CameraRequest(1920, 1080, 60.0, "YUYV")
    source = CameraSource(0, request=request, open_capture=lambda _index: capture)
    source.open()
    assert capture.values[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"YUYV")
    assert capture.values[cv2.CAP_PROP_FRAME_WIDTH] == 1920
    assert capture.values[cv2.CAP_PROP_FPS] == 60.0
    assert source.warning is not None
    assert "sends 96x64@30 instead of the requested 1920x1080@60" in source.warning


def test_no_difference_and_no_choice_are_no_warning():
    chosen = CameraSource(
        0, request=CameraRequest(96, 64, 30.0), open_capture=lambda _index: FakeCapture()
    )
    for source in (chosen, camera(FakeCapture())):
        source.open()
        assert source.warning is None


def test_a_camera_with_a_new_number_is_found_by_its_id():
    opened: list[int] = []
    cameras = [Camera(0, "Door", "/dev/video0", "1:2 Door"), Camera(1, "Other", None, "1:3 Other")]

    def open_it(index: int) -> FakeCapture:
        opened.append(index)
        return FakeCapture()

    source = CameraSource(0, id="1:2 Door", open_capture=open_it, find=lambda: cameras)
    source.open()
    source.close()
    cameras[:] = [Camera(1, "Other", None, "1:3 Other"), Camera(2, "Door", None, "1:2 Door")]
    source.open()
    source.close()
    assert opened == [0, 2]
    cameras.pop()
    with pytest.raises(SourceError, match="not plugged in"):
        source.open()
    cameras.clear()  # they can't be listed, so only the number is known
    source.open()
    assert opened == [0, 2, 2]


def test_a_camera_is_not_mistaken_for_another_of_its_model(monkeypatch):
    both = [Camera(index, "Webcam", f"/dev/video{index}", "1:2 Webcam") for index in (0, 2)]
    there = list(both)
    fake = partial(CameraSource, open_capture=lambda _index: FakeCapture(), find=lambda: there)
    monkeypatch.setattr(opening, "list_cameras", lambda: both)
    monkeypatch.setattr(opening, "CameraSource", fake)
    source = opening.make_source("0")
    source.open()
    source.close()
    there[:] = both[1:]
    with pytest.raises(SourceError, match="not plugged in"):
        source.open()
    there[:] = both
    assert source.open().name == "Webcam"
    source.close()
