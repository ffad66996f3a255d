"""What a loaded model changes for the ground truth that a source is compared with."""

import logging
import threading
from dataclasses import replace

import pytest
from annotations.samples import data_set, image
from fakes import FAKE_SPEC, TIMEOUT_S, FakeEngine
from pytestqt.qtbot import QtBot

from kpviewer.annotations.ground_truth import AnnotationGroundTruth
from kpviewer.errors import PipelineError, WeightsError
from kpviewer.gui.opening.loaders import EngineLoader, Loaders, load_or_fallback
from kpviewer.gui.opening.model_loading import ModelLoading, why_not_loaded
from kpviewer.gui.opening.source_ground_truth import SourceGroundTruth
from kpviewer.gui.options import ViewerOptions


def wait_for(qtbot: QtBot, loading: ModelLoading, engine: FakeEngine) -> None:
    """Start what is due, and wait until a load brings this engine; fail where one brings none."""
    loading.start_due(None, can_wait=False)
    qtbot.waitUntil(lambda: loading.engine is engine or loading.failure is not None)
    assert loading.failure is None


def loaders(load_engine: EngineLoader, load_first: EngineLoader | None = None) -> Loaders:
    """Loaders of models alone."""
    return Loaders(failing, load_engine, failing, lambda: {"cpu": "CPU"}, load_first)


def loaded(qtbot: QtBot, ground_truth: AnnotationGroundTruth, *class_names: str) -> None:
    """Load a model of these classes, and wait for it."""
    engine = FakeEngine(spec=replace(FAKE_SPEC, class_names=class_names))
    loading = ModelLoading(
        ViewerOptions(), loaders(lambda *_: engine), SourceGroundTruth(None, ground_truth)
    )
    try:
        loading.load("other")
        wait_for(qtbot, loading, engine)
    finally:
        loading.close()


def test_ground_truth_takes_the_ids_of_whatever_model_is_loaded(qtbot):
    ground_truth = AnnotationGroundTruth(
        data_set(image("a.jpg", (0, 1)), class_names=("sofa", "dog"))
    )
    loaded(qtbot, ground_truth, "dog", "couch")
    found = ground_truth.for_frame(0, "a.jpg")
    assert found is not None
    assert found.class_ids.tolist() == [1, 0]


def test_a_model_is_recognised_by_its_content(qtbot):
    class Hashed(FakeEngine):
        model_hash = "a1"

    class Foreign(FakeEngine):
        @property
        def model_hash(self) -> str:
            raise RuntimeError("a tensor without storage")

    for engine, content in ((Hashed(), "a1"), (FakeEngine(), None), (Foreign(), None)):
        loading = ModelLoading(ViewerOptions(), loaders(lambda *_, engine=engine: engine))
        try:
            loading.load("other")
            wait_for(qtbot, loading, engine)
            assert loading.current is not None and loading.current.content == content
        finally:
            loading.close()


def test_results_are_of_the_weights_that_found_them(qtbot):
    class Hashed(FakeEngine):
        model_hash = "a1"

    class Retrained(FakeEngine):
        model_hash = "b2"

    first, moved, other = Hashed(), Hashed(spec=replace(FAKE_SPEC)), Retrained()
    other.spec = replace(FAKE_SPEC)  # by the same recipe
    engines = iter((first, moved, other))
    loading = ModelLoading(ViewerOptions(), loaders(lambda *_: next(engines)))
    found: list[list[bool]] = []
    try:
        for engine in (first, moved, other):
            loading.load("best.pt")
            wait_for(qtbot, loading, engine)
            assert loading.current is not None
            found.append([loading.current.found(each.spec) for each in (first, moved, other)])
    finally:
        loading.close()
    assert found == [[True, False, False], [True, True, False], [False, False, True]]


def test_a_model_of_other_classes_runs_without_ground_truth(qtbot, caplog):
    ground_truth = AnnotationGroundTruth(
        data_set(image("a.jpg", (0, 1)), class_names=("sofa", "dog"))
    )
    with caplog.at_level(logging.WARNING, "kpviewer"):
        loaded(qtbot, ground_truth, "car", "tram")
    assert ground_truth.for_frame(0, "a.jpg") is None
    assert "share a class" in caplog.text


def settled(qtbot: QtBot, made: Loaders) -> tuple[list[object], list[str | None], ModelLoading]:
    """Load the model "fake"; return each engine that came, and what was said to load after it."""
    loading = ModelLoading(ViewerOptions(), made)
    came: list[object] = []
    shown: list[str | None] = []
    loading.engine_loaded.connect(came.append)
    loading.engine_loaded.connect(lambda _engine: shown.append(loading.loading))
    try:
        loading.load("fake")
        loading.start_due(None, can_wait=False)
        qtbot.waitUntil(lambda: len(came) == 2 or loading.failure is not None)
    finally:
        loading.close()
    return came, shown, loading


def test_a_model_runs_before_the_fastest_backend_is_found(qtbot):
    soon, fast = FakeEngine(), FakeEngine()
    came, shown, loading = settled(qtbot, loaders(lambda *_: fast, load_first=lambda *_: soon))
    assert came == [soon, fast]
    assert shown == [None, None]  # nothing to wait for
    assert loading.engine is fast


def test_a_model_whose_fastest_backend_is_remembered_is_loaded_once(qtbot):
    soon = FakeEngine()
    soon.is_settled = True  # type: ignore[attr-defined] - as an executor has it
    loading = ModelLoading(ViewerOptions(), loaders(failing, load_first=lambda *_: soon))
    try:
        loading.load("fake")
        wait_for(qtbot, loading, soon)
        assert loading.loading is None
        assert not loading._loader.busy_with  # noqa: SLF001 - what settles isn't shown
    finally:
        loading.close()


def test_cancelling_a_load_that_has_not_begun_still_makes_the_present_model_faster(qtbot):
    soon, fast, may_settle = FakeEngine(), FakeEngine(), threading.Event()

    def settle(*_: object) -> FakeEngine:
        assert may_settle.wait(TIMEOUT_S)
        return fast

    loading = ModelLoading(ViewerOptions(), loaders(settle, load_first=lambda *_: soon))
    try:
        loading.load("fake")
        wait_for(qtbot, loading, soon)
        loading.load("other")
        assert loading.loading == "other"
        loading.cancel()
        assert loading.loading is None
        may_settle.set()
        wait_for(qtbot, loading, fast)
    finally:
        may_settle.set()
        loading.close()


@pytest.mark.parametrize("end", ["cancelled", "failed"])
def test_a_load_that_fails_or_is_cancelled_still_makes_the_present_model_faster(qtbot, end):
    soon, fast, may_go_on = FakeEngine(), FakeEngine(), threading.Event()
    other = FakeEngine(spec=replace(FAKE_SPEC, class_names=("dog", "couch")))
    begun, may_settle = threading.Event(), threading.Event()

    def first(name: str, *_: object) -> FakeEngine:
        if name == "fake":
            return soon
        begun.set()
        assert may_go_on.wait(TIMEOUT_S)
        return failing() if end == "failed" else other

    def settle(name: str, *_: object) -> FakeEngine:
        assert may_settle.wait(TIMEOUT_S)
        return fast if name == "fake" else failing()

    ground_truth = AnnotationGroundTruth(
        data_set(image("a.jpg", (0, 1)), class_names=("dog", "couch"))
    )
    loading = ModelLoading(
        ViewerOptions(), loaders(settle, load_first=first), SourceGroundTruth(None, ground_truth)
    )
    try:
        loading.load("fake")
        wait_for(qtbot, loading, soon)
        loading.load("other")
        loading.start_due(None, can_wait=False)  # takes the place of what settles
        may_settle.set()
        qtbot.waitUntil(begun.is_set)
        if end == "cancelled":
            loading.cancel()
        may_go_on.set()
        qtbot.waitUntil(lambda: loading.engine is fast)
        assert (loading.failure is not None) == (end == "failed")
        assert loading.loading is None
        assert loading.engine is fast
        # the ground truth is still numbered as by the present model, which has no such classes
        assert ground_truth.for_frame(0, "a.jpg") is None
    finally:
        may_go_on.set()
        may_settle.set()
        loading.close()


def failing(*_: object) -> FakeEngine:
    raise WeightsError("fake is damaged.")


def test_a_model_that_fails_on_its_first_backend_is_loaded_on_the_other(qtbot):
    fast = FakeEngine()
    loading = ModelLoading(ViewerOptions(), loaders(lambda *_: fast, load_first=failing))
    try:
        loading.load("fake")
        assert loading.loading == "fake"
        wait_for(qtbot, loading, fast)
        assert loading.loading is None
    finally:
        loading.close()


def test_a_model_that_can_not_be_made_faster_stays_as_it_is(qtbot, caplog):
    soon = FakeEngine()
    loading = ModelLoading(ViewerOptions(), loaders(failing, load_first=lambda *_: soon))

    try:
        with caplog.at_level(logging.INFO, "kpviewer"):
            loading.load("fake")
            loading.start_due(None, can_wait=False)
            qtbot.waitUntil(lambda: "stays as it is" in caplog.text)
    finally:
        loading.close()
    assert loading.engine is soon
    assert loading.failure is None


def test_a_model_that_fails_on_both_backends_reports_why(qtbot):
    came, _, loading = settled(qtbot, loaders(failing, load_first=failing))
    assert came == []
    assert loading.failure is not None
    assert "fake is damaged." in loading.failure


REMEMBERED = ViewerOptions(
    model="/gone/mine.onnx", device="cuda:1", fallback_model="face-ssd", fallback_device="auto"
)


@pytest.mark.parametrize(
    ("options", "asked", "came"),
    [
        (REMEMBERED, ("/gone/mine.onnx", "cpu"), ("face-ssd", "cpu")),
        (REMEMBERED, ("other", "cuda:1"), ("other", "auto")),
        (REMEMBERED, ("/gone/mine.onnx", "cuda:1"), ("face-ssd", "auto")),
        (ViewerOptions(model="/gone/mine.onnx"), ("/gone/mine.onnx", "cpu"), WeightsError),
        (REMEMBERED, ("/gone/other.onnx", "cpu"), WeightsError),
        (ViewerOptions(device="cuda:1"), ("face-ssd", "cuda:1"), PipelineError),
        (REMEMBERED, ("face-ssd", "cuda:2"), PipelineError),
    ],
)
def test_only_remembered_models_and_devices_have_a_fallback(options, asked, came):
    loads: list[tuple[str, str]] = []

    def load(model: str, device: str, _size: tuple[int, int]) -> FakeEngine:
        if "gone" in model:
            raise WeightsError(f"{model} isn't there.")
        if "cuda" in device:
            raise PipelineError(f"{device} isn't there.")
        loads.append((model, device))
        return FakeEngine()

    if isinstance(came, tuple):
        _, *used = load_or_fallback(load, options, *asked, (24, 32))
        assert loads == [came] == [tuple(used)]
    else:
        with pytest.raises(came):
            load_or_fallback(load, options, *asked, (24, 32))


@pytest.mark.parametrize(
    ("name", "reason", "said"),
    [
        ("/a/x.pt", "x.pt holds no weights.", "x.pt holds no weights."),
        ("x.onnx@640", "x.onnx is cut off.", "x.onnx is cut off."),
        ("face-ssd", "The disk is full.", "face-ssd can't be loaded. The disk is full."),
    ],
)
def test_a_failure_names_its_model_once(name, reason, said):
    assert why_not_loaded(name, reason) == said
