"""``import kpviewer``: its names, a model on images, and a stream that closes itself."""

import ast
import threading
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from fakes import FAKE_SPEC, TIMEOUT_S, FakeEngine, FakeSource, raises, read_stamp
from interpreter import python
from threads import live_threads

import kpviewer as kp
from kpviewer.errors import SourceError, WeightsError
from kpviewer.pipeline.options import PipelineOptions
from kpviewer.pipeline.pipeline import Pipeline
from kpviewer.pipeline.streaming import ResultStream
from kpviewer.runtime.thresholds import ThresholdArguments, thresholds_with


@pytest.fixture(scope="module")
def image(model: kp.Model) -> np.ndarray:
    """Return the first frame of the demo: two portraits."""
    with kp.stream("demo", model) as results:
        return next(results).frame.bgr


def stream_of(source: FakeSource, engine: FakeEngine | None = None) -> ResultStream:
    options = PipelineOptions(pace=False, hold_at_end=False)
    return ResultStream(Pipeline(source, engine or FakeEngine(), options=options), "fake")


# -- names


def test_every_public_name_is_found_and_listed():
    assert all(getattr(kp, name) is not None for name in kp.__all__)
    assert set(kp.__all__) <= set(dir(kp))
    with pytest.raises(AttributeError, match="no attribute 'unload'"):
        kp.unload  # noqa: B018


def test_type_checkers_see_the_names_that_are_imported_when_used():
    tree = ast.parse(Path(kp.__file__).read_text("utf-8"))
    checked = next(node for node in tree.body if isinstance(node, ast.If))
    homes = {
        alias.name: node.module
        for node in checked.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(homes) == set(kp.__all__)
    assert {name: f"kpviewer.{module}" for name, module in kp._MODULES.items()} == homes  # noqa: SLF001


def test_names_come_without_torch_where_they_can():
    out = python(
        "import sys\nsys.modules['torch'] = None\nimport kpviewer as kp\n"
        "kp.Thresholds, kp.FrameResult, kp.GroundTruth, kp.FrameSource, kp.draw, kp.view\n"
        "print('ok')"
    )
    assert out == "ok\n"


# -- a model on images


def test_a_model_detects_in_any_image_of_the_right_kind(model, image):
    found = model(image)
    assert found.xyxy.shape == (len(found), 4)
    assert len(found) >= 1
    frozen = np.frombuffer(image.tobytes(), np.uint8).reshape(image.shape)
    assert np.array_equal(model(frozen).xyxy, found.xyxy)


def test_an_engine_gets_images_that_torch_can_read(model, image, monkeypatch):
    given: list[np.ndarray] = []
    infer = model.infer
    monkeypatch.setattr(model, "infer", lambda bgr: given.append(bgr) or infer(bgr))
    frozen = np.frombuffer(image.tobytes(), np.uint8).reshape(image.shape)
    for each in (image, frozen, image[:, ::-1], image[::2, ::2]):
        model(each)
    assert given[0] is image
    assert all(each.flags.carray for each in given)


def test_thresholds_are_arguments(model, image):
    many = model(image, score=0.05, max_detections=3)
    assert len(many) == 3
    assert len(model(image, score=np.float32(0.05), classes="face", max_detections=3)) == 3
    assert len(model(image, score=0.05, classes=[])) == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"conf": 0.2}, "no threshold 'conf'.*mean 'score'"),
        ({"scores": 0.2}, "mean 'score'"),
        ({"score": 2}, "score must be a number, at most 1"),
        ({"score": "0.5"}, "score must be a number, got '0.5'"),
        ({"score": None}, "score must be a number"),
        ({"score": True}, "score must be a number"),
        ({"iou": float("nan")}, "nan"),
        ({"sigma": 0}, "above 0"),
        ({"nms": "other"}, "one of none, hard, soft-linear, soft-gaussian"),
        ({"max_detections": 0}, "at least 1"),
        ({"max_detections": 1.5}, "a whole number"),
        ({"classes": ["tram"]}, "'tram' is no class of fake"),
        ({"classes": 1}, "1 is no class"),
        ({"classes": [-1]}, "-1 is no class"),
        ({"classes": 0.5}, "not iterable"),
        ({"class_scores": {"thing": 3}}, "at most 1"),
        ({"class_scores": {7: 0.5}}, "7 is no class"),
        ({"class_scores": 0.5}, "class_scores must be a table"),
    ],
)
def test_a_wrong_threshold_is_one_line(given, message):
    with pytest.raises(kp.InputError, match=message) as caught:
        thresholds_with(FAKE_SPEC, given)
    assert "\n" not in str(caught.value)


def test_the_arguments_are_the_fields_of_thresholds():
    assert set(ThresholdArguments.__annotations__) == {each.name for each in fields(kp.Thresholds)}
    given = {"classes": {"thing"}, "class_scores": {"thing": 0.7}, "nms": "soft-linear"}
    wanted = thresholds_with(FAKE_SPEC, given)
    assert wanted.classes == {0}
    assert wanted.class_scores == {0: 0.7}
    assert (wanted.score, wanted.iou) == (0.3, 0.4)  # the model's own


@pytest.mark.parametrize(
    "wrong",
    [
        "photo.jpg",
        None,
        [[[0, 0, 0]]],
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_an_invalid_image_is_one_line(model, wrong):
    with pytest.raises(kp.InputError, match="An image must be") as caught:
        model(wrong)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "options", "error"),
    [
        (None, {}, kp.InputError),
        (3, {}, kp.InputError),
        (" ", {}, kp.InputError),
        (np.zeros((30, 30)), {}, kp.InputError),
        (FakeEngine(), {}, kp.InputError),
        ("no-such-model", {}, WeightsError),
        ("face-ssd", {"device": "gpu"}, kp.KpviewerError),
        ("face-ssd", {"backend": "abacus"}, kp.InputError),
        ("face-ssd", {"precision": "int4"}, kp.InputError),
        ("face-ssd", {"precision": "fp8"}, kp.KpviewerError),
    ],
)
def test_a_failed_load_is_one_line(spec, options, error):
    with pytest.raises(error) as caught:
        kp.load(spec, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["face-ssd@320", "two-stage:face-ssd+face-points"])
def test_the_detector_of_a_model_is_a_model(name):
    detector = kp.load(name, device="cpu", backend="onnxruntime").detector
    assert kp.load(detector, device="cpu", backend="onnxruntime").detector is detector


def test_a_layout_of_a_detector_is_refused(model):
    with pytest.raises(kp.InputError, match="A layout is for the name of a file"):
        kp.load(model.detector, layout="yolox")


def test_a_users_own_detector_is_a_model(model, image):
    own = kp.load(model.detector, device="cpu", backend="torch", precision="fp32")
    assert own.spec == model.spec
    assert np.allclose(own(image).xyxy, model(image).xyxy)


# -- a stream


def test_every_frame_of_a_file_comes_and_stays(model):
    results = list(stream_of(FakeSource(40)))  # more than a pipeline has buffers
    assert [read_stamp(each.frame.bgr) for each in results] == list(range(40))
    assert [each.detections.xyxy[0, 0] for each in results] == list(range(40))
    assert live_threads() == []


@pytest.mark.parametrize("ending", ["break", "raise", "close", "with"])
def test_a_stream_that_is_left_closes_itself(ending):
    source = FakeSource(1000)
    if ending == "break":
        for _ in stream_of(source):
            break
    elif ending == "raise":
        with pytest.raises(ZeroDivisionError):
            for result in stream_of(source):
                result.frame.index / 0
    elif ending == "close":
        results = stream_of(source)
        next(results)
        results.close()
        assert list(results) == []
    else:
        with stream_of(source) as results:
            next(results)
    assert live_threads() == []
    assert source.closes >= 1


def test_the_newest_frame_of_a_live_source_comes():
    source, engine = FakeSource(live=True), FakeEngine()
    with stream_of(source, engine) as results:
        source.give(1)
        assert read_stamp(next(results).frame.bgr) == 0
        for count in range(2, 7):  # one after the other: the model sees them all
            source.give(1)
            engine.wait_for(count)
        source.give(1)  # the model has done with the one before
        engine.wait_for(7)
        assert read_stamp(next(results).frame.bgr) >= 5
        source.interrupt()


def test_another_thread_ends_a_loop_that_waits():
    source, ended = FakeSource(live=True), threading.Event()
    results = stream_of(source)

    def loop() -> None:
        if list(results) == []:
            ended.set()

    looping = threading.Thread(target=loop)
    looping.start()
    source.wait_for_reads(1)
    results.close()
    looping.join(TIMEOUT_S)
    assert ended.is_set()
    assert live_threads() == []


def test_a_loop_ends_while_another_thread_closes_it():
    closing, may_close = threading.Event(), threading.Event()

    class Slow(FakeSource):
        def close(self) -> None:
            closing.set()
            assert may_close.wait(TIMEOUT_S)
            super().close()

    results = stream_of(Slow(1000))
    next(results)
    closer = threading.Thread(target=results.close)
    closer.start()
    try:
        assert closing.wait(TIMEOUT_S)
        assert list(results) == []
    finally:
        may_close.set()
        closer.join(TIMEOUT_S)


def test_an_error_of_the_source_ends_the_loop():
    source, numbers = FakeSource(10, faults={3: raises(SourceError("the disk is gone"))}), []
    with pytest.raises(SourceError, match="the disk is gone"):
        for result in stream_of(source):
            numbers.append(result.frame.index)
    assert numbers == [0, 1, 2][: len(numbers)]
    assert live_threads() == []


@pytest.mark.filterwarnings("ignore:The model failed, and the frame is tried again")
def test_a_failing_model_is_an_error():
    engine = FakeEngine(fails_at={1: RuntimeError("no memory\nat all")})
    with pytest.raises(kp.KpviewerError, match=r"RuntimeError: no memory$"):
        list(stream_of(FakeSource(5), engine))


def test_missing_frames_of_a_source_are_a_warning():
    source = FakeSource(2)
    source.warning = "ended early: 2 of 9 frames could be read"
    with pytest.warns(UserWarning, match="fake: ended early") as message:
        list(stream_of(source))
    assert Path(message[0].filename) == Path(__file__)


def test_a_stream_names_its_model_and_thresholds():
    result = next(stream_of(FakeSource(1)))
    assert result.spec == FAKE_SPEC
    assert result.thresholds == FAKE_SPEC.thresholds


@pytest.mark.parametrize("name", ["", " ", Path(" ")])
def test_an_empty_name_is_no_source(model, name):
    with pytest.raises(kp.InputError, match="can't be empty"):
        kp.stream(name, model)


@pytest.mark.parametrize("source", [3.5, True, np.zeros((4, 4, 3), np.uint8), object()])
def test_an_invalid_source_is_one_line(model, source):
    with pytest.raises(kp.InputError, match="A source must be") as caught:
        kp.stream(source, model)
    assert "\n" not in str(caught.value)


def test_an_incomplete_source_of_the_user_is_reported(model):
    class Half:
        def open(self): ...
        def read(self, allocate): ...
        def close(self): ...

    with pytest.raises(
        kp.InputError, match="A Half isn't a FrameSource: add info, seek, next_index"
    ):
        kp.stream(Half(), model)


def test_two_streams_share_a_model(model):
    pairs = zip(kp.stream("demo", model), kp.stream("strip", model), strict=False)
    assert [one.frame.index for one, _ in (next(pairs), next(pairs))] == [0, 1]
    del pairs
    assert live_threads() == []


def test_a_model_that_finds_no_faces_is_not_compared_with_them(model):
    pairs = zip(kp.stream("demo", model), kp.stream("strip", model), strict=False)
    faces, marks = next(pairs)
    assert faces.error is not None and faces.frame.ground_truth is not None
    assert marks.error is None and marks.frame.ground_truth is None
    del pairs


def test_a_missing_source_is_reported_before_the_loop(model, tmp_path):
    with pytest.raises(SourceError):
        kp.stream(tmp_path / "gone.mp4", model)


def test_a_model_is_used_in_the_loop_over_its_own_stream(model):
    for result in kp.stream("demo", model, track=True, score=0.5):
        assert np.allclose(model(result.frame.bgr, score=0.5).xyxy, result.detections.xyxy)
        assert result.detections.track_ids is not None
        if result.frame.index == 2:
            break
    assert live_threads() == []


def test_a_program_that_forgets_its_stream_ends():
    tests = Path(__file__).resolve().parents[1]
    python(
        f"import sys\nsys.path[:0] = [{str(tests)!r}]\n"
        "from api.test_front_door import FakeSource, stream_of\n"
        "results = stream_of(FakeSource(1000))\nnext(results)\n"
        "live = FakeSource(live=True)\nlive.give(1)\nsilent = stream_of(live)\nnext(silent)\n"
    )


# -- drawing, notebooks, other packages


def test_draw_shows_the_names_of_the_model(qapp):
    result = next(stream_of(FakeSource(1)))
    result = replace(result, frame=replace(result.frame, bgr=np.zeros((120, 160, 3), np.uint8)))
    drawn, bare = kp.draw(result), kp.draw(replace(result, spec=None))
    assert drawn.shape == (120, 160, 3)
    assert drawn.any()
    assert not result.frame.bgr.any()
    assert not np.array_equal(drawn, bare)  # "thing", not "class 0"


def test_draw_anonymises_on_request(model, image):
    result = next(kp.stream("demo", model))
    style = kp.OverlayStyle(
        boxes=False, labels=False, scores=False, landmarks=False, anonymise=True
    )
    x1, y1, x2, y2 = result.detections.xyxy[0].astype(int)
    hidden = kp.draw(result, replace(style, ground_truth=False, verdicts=False))
    assert not np.array_equal(hidden[y1:y2, x1:x2], image[y1:y2, x1:x2])


def test_a_result_shows_itself_in_a_notebook(qapp):
    result = next(stream_of(FakeSource(1)))
    assert len(repr(result)) < 60
    png = result._repr_png_()
    assert png.startswith(b"\x89PNG")


def test_draw_takes_results_and_styles_alone(qapp):
    with pytest.raises(kp.InputError, match="needs a FrameResult"):
        kp.draw(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(kp.InputError, match=r"must be a kpviewer.OverlayStyle, got 3\."):
        kp.draw(next(stream_of(FakeSource(1))), style=3)


def test_detections_become_those_of_supervision(model, image):
    found = model(image)
    other = found.to_supervision(model.spec.class_names)
    assert np.array_equal(other.xyxy, found.xyxy)
    assert np.array_equal(other.confidence, found.scores)
    assert other.class_id.dtype.kind == "i"
    assert list(other["class_name"]) == ["face"] * len(found)
    assert other["keypoints_xy"].shape == (len(found), 5, 2)
    assert "keypoint_scores" not in other.data
    scores = np.full((len(found), 5), 0.25, np.float32)
    scored = replace(found, keypoint_scores=scores).to_supervision()
    assert scored["keypoint_scores"].tolist() == scores.tolist()
    corners = np.zeros((len(found), 4, 2), np.float32)
    rotated = replace(found, outlines_xy=corners).to_supervision()
    assert rotated["xyxyxyxy"].shape == corners.shape, "as its OrientedBoxAnnotator reads them"
    assert len(kp.Detections.empty(5).to_supervision(("face",))) == 0


def test_a_missing_supervision_is_reported(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "supervision", None)
    with pytest.raises(kp.KpviewerError, match="pip install supervision"):
        kp.Detections.empty().to_supervision()


def test_nothing_draws_first_in_another_thread():
    out = python(
        "import threading, kpviewer as kp\nfrom kpviewer.structures import *\n"
        "import numpy as np\n"
        "result = kp.FrameResult(kp.Frame(0, 0, None, np.zeros((8, 8, 3), np.uint8)),\n"
        "    kp.Candidates.empty(), kp.Detections.empty(), StageTimings())\n"
        "def work():\n"
        "    try: kp.draw(result)\n"
        "    except kp.KpviewerError as error: print(error)\n"
        "thread = threading.Thread(target=work); thread.start(); thread.join()\n"
    )
    assert "must be on the main thread" in out
