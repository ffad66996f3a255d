"""Contract of every source."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from captures import FakeCapture
from screens import FakeScreens
from servers import mjpeg, serving
from videos import numbered_image, read_number

from kpviewer.errors import SourceError
from kpviewer.sources.base import FrameSource
from kpviewer.sources.devices.camera import CameraSource
from kpviewer.sources.devices.screen import ScreenSource
from kpviewer.sources.images.source import ImagesSource, natural_order
from kpviewer.sources.naming import ScreenName
from kpviewer.sources.network.stream import StreamSource
from kpviewer.sources.opencv import cv2
from kpviewer.sources.synthetic.demo import DemoSource
from kpviewer.sources.synthetic.simulated_camera import SimulatedCamera
from kpviewer.sources.synthetic.source import synthetic_source
from kpviewer.sources.synthetic.strip.demo import StripSource
from kpviewer.sources.turn import Turn
from kpviewer.sources.turned_source import TurnedSource
from kpviewer.sources.video.file import VideoSource
from kpviewer.structures import ImageArray

SEEKABLE = ("demo", "strip", "synthetic", "images", "video", "turned video")
LIVE = ("camera", "camera of OpenCV", "simulated camera", "screen", "stream")
STALE = 77

MakeSource = Callable[[str], FrameSource]


@pytest.fixture
def make(video: Path, image_folder: Path) -> Iterator[MakeSource]:
    made: list[FrameSource] = []
    servers = ExitStack()
    images = [numbered_image(number) for number in range(20)]

    def stream() -> FrameSource:
        port = servers.enter_context(serving(mjpeg(images, stalls=True)))
        return StreamSource(f"http://127.0.0.1:{port}/")

    makers: dict[str, Callable[[], FrameSource]] = {
        "demo": DemoSource,
        "strip": StripSource,
        "synthetic": lambda: synthetic_source("synthetic:64x48"),
        "images": lambda: ImagesSource("folder", natural_order(list(image_folder.iterdir()))),
        "video": lambda: VideoSource(video),
        "turned video": lambda: TurnedSource(VideoSource(video), lambda _info: Turn()),
        "camera": lambda: CameraSource(0, open_capture=lambda _index: FakeCapture()),
        "camera of OpenCV": lambda: CameraSource(
            0, open_capture=lambda _index: cv2.VideoCapture(str(video), cv2.CAP_FFMPEG)
        ),
        "simulated camera": lambda: SimulatedCamera(synthetic_source("synthetic:64x48")),
        "stream": stream,
    }

    makers["screen"] = lambda: ScreenSource(
        ScreenName(1), open_grabber=FakeScreens, sleep=lambda _seconds: None
    )

    def make_one(kind: str) -> FrameSource:
        made.append(makers[kind]())
        return made[-1]

    with servers:
        yield make_one
        for one in made:
            one.close()


@pytest.fixture(params=[*SEEKABLE, *LIVE])
def source(request: pytest.FixtureRequest, make: MakeSource) -> FrameSource:
    return make(request.param)


@pytest.fixture(params=SEEKABLE)
def seekable(request: pytest.FixtureRequest, make: MakeSource) -> FrameSource:
    made = make(request.param)
    assert made.open().is_seekable
    return made


def stale_buffer(height: int, width: int) -> ImageArray:
    return np.full((height, width, 3), STALE, np.uint8)


def pixels(source: FrameSource) -> ImageArray | None:
    captured = source.read(stale_buffer)
    return None if captured is None else captured.bgr


def test_info_describes_the_frames(source):
    info = source.open()
    assert info == source.info
    assert info.name
    assert info.nominal_fps is None or 1 <= info.nominal_fps <= 240
    captured = source.read(stale_buffer)
    assert captured is not None
    assert captured.bgr.shape == (info.height, info.width, 3)
    assert captured.bgr.dtype == np.uint8


def test_the_image_is_in_the_buffer_that_was_allocated(source):
    source.open()
    given: list[ImageArray] = []

    def allocate(height: int, width: int) -> ImageArray:
        given.append(stale_buffer(height, width))
        return given[-1]

    captured = source.read(allocate)
    assert captured is not None
    assert len(given) == 1
    assert np.shares_memory(captured.bgr, given[0])
    assert (captured.bgr != STALE).mean() > 0.9


def test_no_pixel_is_left_from_what_the_buffer_held_before(source):
    source.open()
    on_black = source.read(lambda height, width: np.zeros((height, width, 3), np.uint8))
    source.close()
    source.open()
    on_white = source.read(lambda height, width: np.full((height, width, 3), 255, np.uint8))
    assert on_black is not None
    assert on_white is not None
    assert np.array_equal(on_black.bgr, on_white.bgr)


def test_frames_are_counted_from_zero(source):
    source.open()
    for expected in range(4):
        assert source.next_index == expected
        assert pixels(source) is not None
    assert source.next_index == 4


def test_time_increases_from_frame_to_frame(source):
    source.open()
    first, second = source.read(stale_buffer), source.read(stale_buffer)
    assert first is not None
    assert second is not None
    assert second.captured_ns > first.captured_ns
    if not source.info.is_live:
        assert first.position_s == 0.0
        assert second.position_s is not None
        assert second.position_s > 0.0


def test_the_end_is_none_repeatedly(seekable):
    count = seekable.info.frame_count
    assert count is not None
    seekable.seek(count - 1)
    assert pixels(seekable) is not None
    assert pixels(seekable) is None
    assert pixels(seekable) is None
    assert seekable.warning is None


def test_the_number_of_frames_is_as_announced(seekable):
    count = seekable.info.frame_count
    assert count is not None
    start = max(0, count - 70)
    seekable.seek(start)
    frames = 0
    while pixels(seekable) is not None:
        frames += 1
    assert start + frames == count


def test_a_frame_of_a_file_names_the_file(make):
    expected = {
        "images": ("img2.png", None),
        "video": ("film.mp4", 2),
        "demo": (None, None),
        "camera": (None, None),
    }
    for kind, (file, frame_in_file) in expected.items():
        source = make(kind)
        source.open()
        captured = [source.read(stale_buffer) for _ in range(3)][-1]
        assert captured is not None
        assert (captured.file, captured.frame_in_file) == (file, frame_in_file), kind


@pytest.mark.parametrize("index", [0, 1, 7, 11])
def test_seek_returns_the_same_image_as_sequential_reading(seekable, index):
    read = [pixels(seekable) for _ in range(12)]
    for target in (index, 5, index):
        seekable.seek(target)
        assert seekable.next_index == target
        found, expected = pixels(seekable), read[target]
        assert found is not None
        assert expected is not None
        assert np.array_equal(found, expected)


def test_seek_past_the_end_means_the_end_and_back_again_works(seekable):
    count = seekable.info.frame_count
    assert count is not None
    first = pixels(seekable)
    seekable.seek(count + 5)
    assert seekable.next_index == count
    assert pixels(seekable) is None
    assert seekable.warning is None
    seekable.seek(0)
    again = pixels(seekable)
    assert first is not None
    assert again is not None
    assert np.array_equal(first, again)


def test_a_source_that_is_not_seekable_raises(source):
    if source.open().is_seekable:
        source.seek(2)
        assert source.next_index == 2
    else:
        with pytest.raises(SourceError, match="is not seekable"):
            source.seek(2)


@pytest.mark.parametrize("is_opened_first", [False, True], ids=["never opened", "closed"])
def test_a_closed_source_refuses_to_be_used(source, is_opened_first):
    if is_opened_first:
        source.open()
        source.close()
    with pytest.raises(SourceError, match=r"open\(\)"):
        source.read(stale_buffer)
    with pytest.raises(SourceError, match=r"open\(\)"):
        source.seek(0)
    with pytest.raises(SourceError, match=r"open\(\)"):
        _ = source.info


def test_close_may_be_called_twice_and_open_starts_anew(source):
    source.open()
    pixels(source)
    source.close()
    source.close()
    source.open()
    assert source.next_index == 0
    assert pixels(source) is not None


@pytest.mark.parametrize("kind", ["images", "video"])
def test_a_frame_has_its_number_in_the_file(make, kind):
    source = make(kind)
    source.open()
    for index in (9, 3, 4):
        source.seek(index)
        image = pixels(source)
        assert image is not None
        assert read_number(image) == index
