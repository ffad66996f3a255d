"""What a newcomer sees first: the banner of the demo, the line of a model that finds nothing."""

import threading
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from fakes import FAKE_SPEC, TIMEOUT_S, FakeSource
from PyQt6.QtCore import Qt
from sample_results import detections, result

from kpviewer.errors import WeightsError
from kpviewer.gui.keys import Act
from kpviewer.gui.main_window import MainWindow, nothing_found
from kpviewer.gui.main_window.nothing_found import Search, best_score, lower_score, notice_of
from kpviewer.gui.opening.model_names import larger_input, usual_input
from kpviewer.gui.widgets.notice_line import Notice
from kpviewer.structures import Candidates, Thresholds

LEFT = Qt.MouseButton.LeftButton


def banner(window: MainWindow) -> str:
    notice = window.demo_banner.line.notice()
    return notice.text if notice is not None else ""


def is_open(window: MainWindow) -> bool:
    return window.session.info is not None


# -- the banner of the demo


def test_a_window_without_a_camera_says_that_it_plays_the_demo(qtbot, open_window):
    asked = []
    window = open_window(named=None)
    qtbot.waitUntil(lambda: banner(window) == "No camera found. This is the demo.")
    window.actions_of_keys.handle({Act.OPEN_FILE: lambda: asked.append("video")})
    window.actions_of_keys.handle({Act.OPEN_MODEL: lambda: asked.append("model")})
    for link in window.demo_banner.line.links():
        qtbot.mouseClick(link, LEFT)
    assert asked == ["video", "model"]
    assert banner(window), "only a source of the user ends it"
    top = window.demo_banner.line.mapTo(window, window.demo_banner.line.rect().bottomLeft()).y()
    assert top < window.view.mapTo(window, window.view.rect().topLeft()).y(), "it covers the image"


def test_the_banner_is_gone_with_the_first_own_source(qtbot, open_window):
    window = open_window(named=None)
    qtbot.waitUntil(lambda: banner(window) != "")
    window.opener.choose_source("clip.mp4")
    qtbot.waitUntil(lambda: banner(window) == "")
    window.session.open(None)
    qtbot.waitUntil(lambda: window.session.source_text is None and is_open(window))
    assert banner(window) == ""


def test_the_banner_can_be_closed(qtbot, open_window):
    window = open_window(named=None)
    qtbot.waitUntil(lambda: banner(window) != "")
    qtbot.mouseClick(window.demo_banner.line.close_button, LEFT)
    assert banner(window) == ""
    window.session.reopen()
    qtbot.waitUntil(lambda: is_open(window))
    assert banner(window) == ""


def test_full_screen_hides_the_banner(qtbot, open_window):
    window = open_window(named=None)
    qtbot.waitUntil(lambda: banner(window) != "")
    window.set_fullscreen(True)
    assert not window.demo_banner.line.isVisible()
    window.set_fullscreen(False)
    assert window.demo_banner.line.isVisible()


@pytest.mark.parametrize("named", ["demo", "camera"])
def test_a_camera_and_a_demo_that_was_asked_for_need_no_banner(qtbot, open_window, named):
    source = FakeSource(live=named == "camera")
    source.give()
    window = open_window(source, named="demo" if named == "demo" else None)
    qtbot.waitUntil(lambda: is_open(window))
    assert banner(window) == ""


# -- the time without a detection


@pytest.fixture
def now() -> SimpleNamespace:
    return SimpleNamespace(s=100.0)


@pytest.fixture
def search(now) -> Search:
    return Search(lambda: now.s)


NOTHING, SOMETHING = result(detections()), result(detections([(1, 1, 9, 9)]))


def play(search: Search, now: SimpleNamespace, frame, seconds: float) -> None:
    for _ in range(round(seconds * 4) + 1):
        search.add(frame)
        now.s += 0.25


def test_five_seconds_of_empty_frames_are_due(search, now):
    play(search, now, NOTHING, 4.75)
    assert not search.is_due
    play(search, now, NOTHING, 0.25)
    assert search.is_due


def test_a_detection_ends_the_search_for_good(search, now):
    play(search, now, NOTHING, 6)
    search.add(SOMETHING)
    assert not search.is_due
    play(search, now, NOTHING, 60)
    assert not search.is_due
    search.begin()
    play(search, now, NOTHING, 6)
    assert search.is_due


def test_pauses_do_not_count(search, now):
    for pause_s in (0.0, 90.0):
        now.s += pause_s
        play(search, now, NOTHING, 2.25)
        search.note_pause()
    assert not search.is_due


def scored(*scores: tuple[float, ...], shown: frozenset[int] | None = None):
    count = len(scores)
    candidates = Candidates(
        np.zeros((count, 4), np.float32),
        np.array(scores, np.float32).reshape(count, -1),
        np.zeros((count, 0, 2), np.float32),
    )
    frame = result(detections())
    return replace(frame, candidates=candidates, thresholds=Thresholds(classes=shown))


def test_the_best_candidate_is_one_of_a_shown_class():
    frame = scored((0.1, 0.4), (0.3, 0.2), shown=frozenset({0}))
    assert best_score(frame) == pytest.approx(0.3)
    assert best_score(scored((0.1, 0.4), (0.3, 0.2))) == pytest.approx(0.4)
    assert best_score(scored((0.1, 0.4), shown=frozenset())) is None


def test_the_best_candidate_is_one_that_the_slider_can_show():
    frame = scored((0.1, 0.4), (0.3, 0.2))
    frame = replace(frame, thresholds=Thresholds(class_scores={1: 0.6}))
    assert best_score(frame) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("best", "lower"), [(None, None), (0.04, None), (0.379, 0.37), (0.5, None), (0.05, 0.05)]
)
def test_confidence_is_lowered_to_the_best_candidate_that_is_worth_it(best, lower):
    assert lower_score(best, Thresholds(score=0.5)) == lower


# -- the words


def words(names: tuple[str, ...], shown: frozenset[int] | None = None) -> str:
    spec = replace(FAKE_SPEC, class_names=names)
    return notice_of(spec, Thresholds(classes=shown), None, None).text


def test_the_line_says_what_the_model_finds():
    assert words(("face",)) == "No face for 5 s: this model finds nothing else."
    assert words(("ace", "king")) == "Nothing found for 5 s: this model finds ace, king."
    many = tuple("abcdef")
    assert words(many) == "Nothing found for 5 s: this model finds a, b, c, d and 2 more."
    assert words(many, frozenset({1})) == "Nothing found for 5 s. Shown classes: b."
    assert words(("face",), frozenset()) == "Nothing found for 5 s: all classes are hidden."


def test_the_line_offers_what_can_help():
    notice = notice_of(FAKE_SPEC, Thresholds(), 0.37, "fake@640")
    assert [key for key, _ in notice.links] == ["lower", "larger", "model"]
    assert notice.links[0][1] == "Lower confidence to 0.37"
    assert [key for key, _ in notice_of(FAKE_SPEC, Thresholds(), None, None).links] == ["model"]


def test_a_larger_input_has_about_twice_the_pixels():
    faces = replace(FAKE_SPEC, input_hw=(256, 448), stride=32)
    assert larger_input("face-ssd", faces) == "face-ssd@640"
    zoomed = replace(faces, input_hw=(512, 896), stride=64)
    assert larger_input("two-stage:face-ssd+face-points", zoomed) == (
        "two-stage:face-ssd@640+face-points"
    )
    assert larger_input("two-stage:mine.onnx+face-points", zoomed) is None
    assert larger_input("face-ssd@640", faces) is None
    assert larger_input("two-stage:face-ssd@640+face-points", faces) is None
    assert larger_input("fixed.onnx", replace(faces, stride=None)) is None
    assert larger_input("strip-grid", replace(faces, input_hw=(1920, 1920))) is None
    assert usual_input("face-ssd@640") == "face-ssd"
    assert usual_input("two-stage:face-ssd@640+face-points") == "two-stage:face-ssd+face-points"
    assert usual_input("face-ssd") is None


# -- the line in the window


def line(window: MainWindow) -> Notice | None:
    return window.nothing_found.line.notice()


@pytest.fixture
def soon(monkeypatch) -> None:
    monkeypatch.setattr(nothing_found, "AFTER_S", 0.1)


def test_a_model_that_finds_nothing_says_so_and_lowering_confidence_ends_it(
    qtbot, open_window, soon
):
    window = open_window(FakeSource(5000), score=0.95)
    qtbot.waitUntil(lambda: line(window) is not None)
    assert line(window).text == "No thing for 0 s: this model finds nothing else."
    link = window.nothing_found.line.links()[0]
    assert link.text() == "Lower confidence to 0.89"
    qtbot.mouseClick(link, LEFT)
    assert window.side_panel.thresholds.confidence.value() == pytest.approx(0.89)
    qtbot.waitUntil(lambda: line(window) is None)
    assert len(window.view.result().detections) == 1


def test_the_line_is_not_for_paused_videos(qtbot, open_window, soon):
    window = open_window(FakeSource(5000), score=0.95)
    qtbot.waitUntil(lambda: line(window) is not None)
    window.session.pipeline.pause()
    qtbot.waitUntil(lambda: line(window) is None)


def test_the_line_stays_closed_for_the_source(qtbot, open_window, soon):
    window = open_window(score=0.95, open_source=lambda *_: FakeSource(5000))
    qtbot.waitUntil(lambda: line(window) is not None)
    qtbot.mouseClick(window.nothing_found.line.close_button, LEFT)
    assert line(window) is None
    window.nothing_found.search.begin()
    qtbot.waitUntil(lambda: window.nothing_found.search.is_due)
    assert line(window) is None
    window.opener.choose_source("other.mp4")
    qtbot.waitUntil(lambda: line(window) is not None)


def test_the_line_stays_inside_a_narrow_window(qtbot, open_window, soon):
    window = open_window(FakeSource(5000), score=0.95)
    qtbot.waitUntil(lambda: line(window) is not None)
    window.resize(760, 520)
    area, box = window.view.rect(), window.nothing_found.line.geometry()
    assert area.contains(box)


def test_a_folder_of_images_has_no_line(qtbot, open_window, soon):
    window = open_window(FakeSource(5000), score=0.95)
    qtbot.waitUntil(lambda: window.view.result() is not None)
    frame = replace(window.view.result().frame, file="a.jpg", lease=None)
    search = window.nothing_found.search
    window.session.pipeline.pause()
    search.begin()
    window.view.show_result(replace(window.view.result(), frame=frame))
    qtbot.waitUntil(lambda: window.view.result().frame.file == "a.jpg")
    assert search.best_score is None


def test_a_hidden_image_says_why(qtbot, open_window):
    may_load = threading.Event()

    def load(_name, _device, _size):
        assert may_load.wait(TIMEOUT_S)
        raise WeightsError("No model.")

    window = open_window(load_engine=load)
    window.view.set_style(replace(window.view.overlay_style, anonymise=True))
    qtbot.waitUntil(lambda: line(window) is not None)
    assert line(window).text.startswith("The image is hidden until the model is ready")
    window.view.set_style(replace(window.view.overlay_style, anonymise=False))
    qtbot.waitUntil(lambda: line(window) is None)
    may_load.set()
