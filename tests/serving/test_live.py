"""The live stream: painted frames, and settings that all viewers share."""

import asyncio
import threading

import numpy as np
import pytest
from fakes import TIMEOUT_S, FakeSource, Fault, eventually, resizes
from live_streams import ThreeBoxes, running, until

from kpviewer.errors import InputError, SourceError
from kpviewer.overlay import OverlayStyle
from kpviewer.serving.annotating import LiveOptions
from kpviewer.serving.live_state import LiveChange, change_of, greeting
from kpviewer.structures import NmsKind


def counts(stream) -> dict[int, int]:
    return stream.state().counts


def test_thresholds_change_the_detections_of_all():
    with running() as stream:
        until(stream, lambda: counts(stream) == {0: 2})
        stream.apply(LiveChange(score=0.2))
        until(stream, lambda: counts(stream) == {0: 2, 1: 1})
        stream.apply(LiveChange(score=0.95))
        until(stream, lambda: counts(stream) == {})


def test_classes_are_hidden_and_shown():
    with running() as stream:
        stream.apply(LiveChange(score=0.2, classes={0: False}))
        until(stream, lambda: counts(stream) == {1: 1})
        assert stream.state().hidden == [0]
        stream.apply(LiveChange(classes={0: True}))
        until(stream, lambda: counts(stream) == {0: 2, 1: 1})
        assert stream.state().hidden == []


def test_a_paused_frame_follows_the_slider_without_the_model():
    engine = ThreeBoxes()
    with running(engine=engine) as stream:
        until(stream, lambda: counts(stream) == {0: 2})
        stream.apply(LiveChange(paused=True, score=0.95))
        eventually(lambda: stream.state().state == "paused")
        until(stream, lambda: counts(stream) == {})
        runs = engine.runs
        stream.apply(LiveChange(score=0.2))
        until(stream, lambda: counts(stream) == {0: 2, 1: 1})
        assert engine.runs == runs
        stream.apply(LiveChange(paused=False))
        until(stream, lambda: engine.runs > runs)


def test_a_frame_is_painted_with_its_boxes():
    with running() as stream:
        until(stream, lambda: stream.frames.held is not None)
        painted = stream.frames.held.item
        original = np.full_like(painted.bgr, painted.result.frame.index % 256)
        assert painted.bgr.shape == (24, 32, 3)
        assert not np.array_equal(painted.bgr[..., 0], original[..., 0])


def test_frames_are_painted_only_while_somebody_watches():
    engine = ThreeBoxes()
    with running(engine=engine) as stream:
        eventually(lambda: engine.runs > 12)
        assert stream.frames.held is None
        until(stream, lambda: stream.frames.held is not None)


def test_the_first_who_watches_sees_nothing_that_was_painted_for_those_before():
    engine = ThreeBoxes()
    with running(engine=engine) as stream:
        until(stream, lambda: True)
        before, runs = stream.frames.held, engine.runs
        eventually(lambda: engine.runs > runs + 12)
        with stream.watching():
            now = stream.frames.held
            assert now is None or now.item.result.frame.index > before.item.result.frame.index
            with stream.watching():
                assert asyncio.run(stream.frames.after(before.number)).number > before.number
        stream.apply(LiveChange(paused=True))
        eventually(lambda: stream.state().state == "paused")
        for _ in range(2):
            until(stream, lambda: counts(stream) == {0: 2})


def test_the_size_is_that_of_the_painted_frame():
    with running(lambda: FakeSource(100_000, faults={3: resizes(48, 20)})) as stream:
        until(stream, lambda: stream.state().size_wh == (20, 48))


def test_large_frames_are_shrunk():
    options = LiveOptions(side_px=16)
    with running(options=options) as stream:
        until(stream, lambda: stream.frames.held is not None)
        assert stream.frames.held.item.bgr.shape == (12, 16, 3)


def test_a_frame_that_cannot_be_painted_is_reported():
    style = OverlayStyle(lines="thick")  # type: ignore[arg-type]
    with running(options=LiveOptions(style)) as stream, stream.watching():
        eventually(lambda: "can't be painted" in (stream.state().problem or ""))


def test_a_source_that_cannot_be_opened_is_an_error():
    source = FakeSource(open_errors=[SourceError("there is no such camera")])
    with pytest.raises(SourceError, match="no such camera"), running(lambda: source):
        pass


def test_a_file_loops_or_stays_at_its_end():
    engine = ThreeBoxes()
    with running(lambda: FakeSource(2), engine):
        eventually(lambda: engine.runs > 5)
    with running(lambda: FakeSource(2), options=LiveOptions(loop=False)) as stream:
        eventually(lambda: stream.state().state == "paused")
        until(stream, lambda: counts(stream) == {0: 2})


def test_a_camera_of_a_viewer_is_the_source_until_it_leaves():
    cameras = [FakeSource(live=True), FakeSource(live=True)]
    for camera in cameras:
        camera.give(100_000)
    with running() as stream:
        assert stream.use_camera(cameras[0])
        eventually(lambda: cameras[0].reads > 3 and stream.state().is_camera)
        assert not stream.use_camera(cameras[1])
        stream.drop_camera(cameras[1])
        assert stream.has_camera
        stream.drop_camera(cameras[0])
        eventually(lambda: cameras[0].closes > 0)
        until(stream, lambda: counts(stream) == {0: 2})
        assert not stream.has_camera
    assert cameras[1].opens == 0


def test_a_fault_of_the_model_is_reported_and_the_stream_goes_on():
    class Failing(ThreeBoxes):
        def infer(self, bgr):
            if self.runs in (3, 4):  # a frame is tried twice
                self.runs += 1
                raise ValueError("a fault")
            return super().infer(bgr)

    engine = Failing()
    with running(engine=engine) as stream:
        eventually(lambda: "a fault" in (stream.state().problem or ""))
        eventually(lambda: engine.runs > 8)
        assert stream.state().state == "running"


def test_a_source_that_is_gone_after_a_camera_is_reported():
    camera = FakeSource(live=True)
    camera.give(100_000)
    sources = [FakeSource(100_000)]

    def make_source() -> FakeSource:
        if not sources:
            raise SourceError("the file is gone")
        return sources.pop()

    with running(make_source) as stream:
        assert stream.use_camera(camera)
        stream.drop_camera(camera)
        assert stream.state().problem == "the file is gone"


def test_a_camera_replaces_a_source_that_failed():
    camera, has_started = FakeSource(live=True), threading.Event()
    camera.give(100_000)

    def breaks(_source: FakeSource) -> bool:
        assert has_started.wait(TIMEOUT_S)  # else the stream may fail to start
        raise SourceError("the disk is gone")

    with running(lambda: FakeSource(faults={3: Fault(breaks)})) as stream:
        has_started.set()
        eventually(lambda: stream.state().problem == "the disk is gone")
        assert stream.use_camera(camera)
        eventually(lambda: camera.reads > 3)
        assert (stream.state().state, stream.state().problem) == ("running", None)


def test_a_camera_that_comes_as_the_source_fails_is_not_lost():
    camera, has_started = FakeSource(live=True), threading.Event()
    camera.give(100_000)

    def comes(_source: FakeSource) -> bool:
        assert has_started.wait(TIMEOUT_S)
        assert stream.use_camera(camera)
        raise SourceError("the disk is gone")

    with running(lambda: FakeSource(100_000, faults={3: Fault(comes)})) as stream:
        has_started.set()
        eventually(lambda: camera.reads > 3)
        assert (stream.state().state, stream.state().problem) == ("running", None)


def test_a_change_is_read():
    change = change_of('{"score": 0.25, "nms": "soft-linear", "classes": {"1": false}}')
    assert (change.score, change.nms, change.classes) == (0.25, NmsKind.SOFT_LINEAR, {1: False})


@pytest.mark.parametrize(
    "message",
    [
        "",
        "[]",
        '{"score": 2}',
        '{"score": "a"}',
        '{"score": NaN}',
        '{"other": 1}',
        '{"classes": {"-1": true}}',
        b"\xff",
        "[" * 100_000,
        " " * 300_000,
    ],
    ids=lambda message: str(message[:12]),
)
def test_an_invalid_change_is_refused(message):
    with pytest.raises(InputError, match="A change must"):
        change_of(message)


def test_a_class_that_the_model_lacks_is_refused():
    with running() as stream, pytest.raises(InputError, match="2 classes, got id 7"):
        stream.apply(LiveChange(classes={7: False}))


def test_a_viewer_is_greeted_with_the_classes_and_their_colours():
    hello = greeting(ThreeBoxes().spec, "me")
    assert hello["classes"][0] == {"name": "cat", "color": "#56b4e9"}  # Okabe and Ito's sky blue
    assert hello["nms"] == ["none", "hard", "soft-linear", "soft-gaussian"]
