"""Image and boxes at frame n are those of frame n: real files through the real pipeline.

Every frame carries its number as black and white blocks, and the engine reads it: the results
can be compared with the requested frames, whatever the metadata of the file.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import FAKE_SPEC, FakeTimings, eventually
from sources.videos import read_number, write_video

from kpviewer.pipeline.pipeline import Pipeline, PipelineOptions
from kpviewer.pipeline.source.transport import Span
from kpviewer.sources.video.file import VideoSource
from kpviewer.structures import Candidates, FrameResult, ImageArray

FRAMES = 60
UNEVEN_MS = [0, *np.cumsum(np.random.default_rng(3).integers(5, 300, FRAMES - 1)).tolist()]
EVEN_MS = [40 * number for number in range(FRAMES)]
B_FRAMES = {"bf": "3", "g": "12"}
OPEN_GOP = {"x264-params": "open-gop=1:bframes=3:keyint=12:scenecut=0"}
FILMS = {
    "b_frames.mp4": (EVEN_MS, B_FRAMES),
    "uneven.mkv": (UNEVEN_MS, B_FRAMES),
    "uneven_open_gop.mkv": (UNEVEN_MS, OPEN_GOP),
    "b_frames.ts": (EVEN_MS, {"bf": "2", "g": "15"}),
    "one_keyframe.mp4": (UNEVEN_MS, {"bf": "2", "g": "600"}),
}
FAST = PipelineOptions(pace=False)


class ReadingEngine:
    """Sees one box, whose x1 is the number that is painted in the image."""

    spec = replace(FAKE_SPEC, input_hw=(64, 96))

    def infer(self, bgr: ImageArray) -> tuple[Candidates, FakeTimings]:
        number = read_number(bgr)
        box = np.array([[number, 0, number + 10, 10]], np.float32)
        points = np.zeros((1, 0, 2), np.float32)
        return Candidates(box, np.full((1, 1), 0.9, np.float32), points), FakeTimings()


Clip = tuple[Path, list[int]]
MakePlayer = Callable[[Path], Pipeline]


@pytest.fixture(scope="module", params=list(FILMS))
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Clip:
    path = tmp_path_factory.mktemp("numbered") / request.param
    times_ms, options = FILMS[request.param]
    write_video(path, times_ms=times_ms, options=options)
    return path, times_ms


@pytest.fixture
def make_player() -> Iterator[MakePlayer]:
    made: list[Pipeline] = []

    def make(path: Path) -> Pipeline:
        made.append(Pipeline(VideoSource(path), ReadingEngine(), options=FAST))
        return made[-1]

    yield make
    for pipeline in made:
        pipeline.close()


class Viewer:
    """Notes what each result says it is: the frame's number, image, box and time."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int, int, float]] = []

    def accept(self, result: FrameResult) -> None:
        frame, box = result.frame, result.detections.xyxy[0]
        assert frame.position_s is not None
        assert frame.file is not None
        assert frame.frame_in_file == frame.index
        self.seen.append((frame.index, read_number(frame.bgr), int(box[0]), frame.position_s))

    def wait_for(self, count: int) -> None:
        eventually(lambda: len(self.seen) >= count)

    def assert_last_is(self, number: int, time_ms: int) -> None:
        assert self.seen[-1][:3] == (number, number, number)
        assert self.seen[-1][3] == pytest.approx(time_ms / 1000, abs=1e-3)


def test_after_any_seek_step_and_step_back_the_image_matches_the_frame_number(make_player, clip):
    path, times_ms = clip
    chance = random.Random(1)
    player, viewer = make_player(path), Viewer()
    player.add_sink(viewer)
    player.pause()
    player.start()
    here = 0
    for count in range(1, 80):
        viewer.wait_for(count)
        viewer.assert_last_is(here, times_ms[here])
        order = chance.choice(("step", "back", "seek", "near"))
        if order == "step" and here < FRAMES - 1:
            here += 1
            player.step()
        else:
            jump = {"seek": chance.randrange(FRAMES), "near": here + chance.randint(-3, 3)}
            here = min(max(jump.get(order, here - 1), 0), FRAMES - 1)
            player.seek(here)


def test_a_held_reverse_step_shows_every_frame_down_to_the_first(make_player, clip):
    path, times_ms = clip
    player, viewer = make_player(path), Viewer()
    player.add_sink(viewer)
    player.pause()
    player.seek(FRAMES - 1)
    player.start()
    for count, number in enumerate(reversed(range(FRAMES)), start=1):
        viewer.wait_for(count)
        viewer.assert_last_is(number, times_ms[number])
        if number:
            player.seek(number - 1)


def test_a_span_repeats_the_same_frames_each_time(make_player, clip):
    player, viewer = make_player(clip[0]), Viewer()
    player.add_sink(viewer)
    player.transport.change(span=Span(17, 30))
    player.seek(15)
    player.start()
    viewer.wait_for(44)
    part = list(range(17, 31))
    assert [number for _, number, _, _ in viewer.seen[:44]] == [15, 16, *part, *part, *part]
