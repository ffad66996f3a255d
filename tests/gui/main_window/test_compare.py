"""Two models on the same frames in the window: overlay, side by side, numbers, thresholds."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from fakes import FAKE_SPEC, TIMEOUT_S, FakeSource, FakeTimings
from gui.pausing import pause
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QAction, QColor, QGuiApplication, QImage
from PyQt6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot
from sample_results import objects

from kpviewer.errors import PipelineError
from kpviewer.gui.controllers.view_state import ViewState
from kpviewer.gui.keys import Act
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.opening.model_request import ModelRequest
from kpviewer.gui.views.window_geometry import LEAST_WH
from kpviewer.models.spec import Task
from kpviewer.overlay.second import COLOR
from kpviewer.runtime.choosing.choices import BackendChoice
from kpviewer.structures import Candidates, GroundTruth

LEFT = Qt.MouseButton.LeftButton
Key = Qt.Key


class ShiftedEngine:
    """Finds a thing of 10 px, so far right of the corner, and a faint one beside it."""

    device_name, backend, precision = "CPU", "torch", "fp32"

    def __init__(self, spec, shift: float = 0.0) -> None:
        self.spec, self._shift = spec, shift
        self.calls = 0

    def infer(self, _bgr):
        self.calls += 1
        boxes = np.array([[0, 0, 10, 10], [16, 0, 26, 10]], np.float32)
        boxes[:, [0, 2]] += self._shift
        scores = np.array([[0.9], [0.4]], np.float32)
        return Candidates(boxes, scores, np.zeros((2, 0, 2), np.float32)), FakeTimings()


FIRST = replace(FAKE_SPEC, name="one", class_names=("thing",))
SECOND = replace(FAKE_SPEC, name="two", class_names=("thing",), score_threshold=0.2)


@pytest.fixture
def engines():
    return {"fake": ShiftedEngine(FIRST), "two": ShiftedEngine(SECOND, 1.0)}


@pytest.fixture
def window(qtbot, open_window, engines) -> MainWindow:
    def load(name, _device, _size):
        return engines[name]

    def load_variant(name, device, size, engine, precision):
        if precision == "fp16":
            raise PipelineError("fp16 can't be run here. Use bf16.")
        variant = ShiftedEngine(FIRST, 2.0)
        variant.backend, variant.precision = engine, precision
        return variant

    window = open_window(load_engine=load, load_variant=load_variant)
    qtbot.waitUntil(lambda: window.session.engine is not None)
    return window


def compare_menu(window: MainWindow) -> QMenu:
    menu = window.top_bar.model.menu()
    menu.aboutToShow.emit()
    inside = line(menu, "Compare with…").menu()
    assert inside is not None
    return inside


def line(menu: QMenu, text: str) -> QAction:
    return next(each for each in menu.actions() if each.text().partition("\t")[0] == text)


def texts(menu: QMenu) -> set[str]:
    return {each.text().partition("\t")[0] for each in menu.actions()}


def second_of(window: MainWindow):
    result = window.view.result()
    return result.second if result is not None else None


def compare(qtbot: QtBot, window: MainWindow, text: str = "two") -> None:
    window.opener.compare_with(text)
    qtbot.waitUntil(lambda: second_of(window) is not None)


def test_a_model_is_not_offered_for_a_comparison_with_itself(qtbot, window, engines):
    engines["face-ssd"] = engines["two"]
    assert {"Faces and landmarks", "Playing cards"} <= texts(compare_menu(window))
    window.opener.choose_model("face-ssd")
    qtbot.waitUntil(lambda: window.session.models.loaded.model == "face-ssd")
    assert "Faces and landmarks" not in texts(compare_menu(window))
    assert "Playing cards" in texts(compare_menu(window))


def test_difference_of_the_second_model_is_shown_in_numbers(qtbot, window):
    compare(qtbot, window)
    text = window.side_panel.compare.text
    qtbot.waitUntil(lambda: "Distance 1.00, mean 1.00 px" in text())
    assert "1 − IoU 0.182, mean 0.182" in text()  # 90 of 110 px² overlap
    assert window.side_panel.compare.isVisible()
    assert " ms, B " in text()


def test_overlay_names_both_models_and_stop_ends_it(qtbot, window, engines):
    assert not window.side_panel.compare.parentWidget().isVisibleTo(window.side_panel)
    compare(qtbot, window)
    assert window.view.overlay_style.names_of_two == ("one · torch fp32", "two · torch fp32")
    assert not window.pair.second.isVisible()
    qtbot.mouseClick(window.side_panel.compare.stop_button, LEFT)
    qtbot.waitUntil(lambda: second_of(window) is None)
    assert window.view.overlay_style.names_of_two is None
    assert not window.side_panel.compare.isVisible()


def test_overlay_names_a_shipped_model_as_the_menu_does(qtbot, window, engines):
    engines["two-stage:face-ssd+face-points"] = engines["two"]
    compare(qtbot, window, "two-stage:face-ssd+face-points")
    assert window.view.overlay_style.names_of_two == (
        "one · torch fp32",
        "Faces, precise landmarks (slower) · torch fp32",
    )


def test_side_by_side_shows_the_same_frame_twice_at_the_same_place(qtbot, window):
    compare(qtbot, window)
    qtbot.mouseClick(window.side_panel.compare.modes.buttons()[1], LEFT)
    second = window.pair.second
    qtbot.waitUntil(lambda: second.isVisible() and second.result() is not None)
    assert window.view.overlay_style.names_of_two is None
    pause(qtbot, window)
    assert second.result().frame is window.view.result().frame
    assert second.result().detections.xyxy[0, 0] == 1
    assert abs(second.width() - window.view.width()) <= 1
    window.view.zoom(3, QPointF(20, 30))
    assert second.transform.zoom == window.view.transform.zoom
    qtbot.mouseClick(window.side_panel.compare.modes.buttons()[0], LEFT)
    assert not second.isVisible()
    assert second.result() is None  # it holds no frame


def test_side_by_side_and_the_table_fit_into_the_smallest_window(qtbot, window, engines):
    engines["long" * 40] = engines["two"]
    compare(qtbot, window, "long" * 40)
    qtbot.mouseClick(window.side_panel.compare.modes.buttons()[1], LEFT)
    window.actions_of_keys.run(Act.TABLE)
    qtbot.waitUntil(lambda: window.pair.second.isVisible() and window.table.isVisible())
    window.resize(*LEAST_WH)
    second, panel = window.pair.second, window.side_panel
    qtbot.waitUntil(
        lambda: (
            second.mapTo(window, QPoint(second.width(), 0)).x() <= panel.mapTo(window, QPoint()).x()
        )
    )


def test_files_and_copies_of_side_by_side_have_both_models(qtbot, window, tmp_path):
    compare(qtbot, window)
    pause(qtbot, window)
    saved = []
    for mode in window.side_panel.compare.modes.buttons():  # overlay, side by side
        qtbot.mouseClick(mode, LEFT)
        window.actions_of_keys.run(Act.SNAPSHOT)
        qtbot.waitUntil(lambda: len(list(tmp_path.glob("*.json"))) == len(saved) + 1)
        (path,) = {*tmp_path.glob("*.png")} - {each for each, _image in saved}
        saved.append((path, QImage(str(path))))
    window.actions_of_keys.run(Act.COPY_IMAGE)
    qtbot.waitUntil(lambda: "Image copied." in window.status_bar.message())
    overlay, beside = (image for _path, image in saved)
    copied = QGuiApplication.clipboard().image()
    for image in (overlay, beside, copied):
        pixels = (image.pixelColor(x, y) for x in range(32) for y in range(24))
        assert any(pixel == QColor(*COLOR) for pixel in pixels)


def test_without_a_signal_both_images_are_dark_side_by_side(qtbot, window, monkeypatch):
    compare(qtbot, window)
    qtbot.mouseClick(window.side_panel.compare.modes.buttons()[1], LEFT)
    second = window.pair.second
    qtbot.waitUntil(lambda: second.current_result() is not None)
    lost = ViewState(chip="No signal", is_dimmed=True)
    monkeypatch.setattr("kpviewer.gui.main_window.bridge.describe", lambda *_, **__: lost)
    qtbot.waitUntil(lambda: second.current_result() is None)


def test_side_by_side_has_no_keypoints_under_the_names_of_the_other_model(
    qtbot, open_window, engines
):
    names = {"fake": ("left_eye", "nose"), "two": ("wrist", "elbow")}
    for name, engine in engines.items():
        engine.spec = replace(engine.spec, keypoint_names=names[name])
    ground_truth = GroundTruth(
        np.array([[0, 0, 10, 10]], np.float32),
        np.zeros(1, np.int64),
        np.full((1, 2, 2), 5, np.float32),
        np.ones((1, 2), np.bool_),
        np.zeros(1, np.bool_),
    )
    window = open_window(
        FakeSource(300, ground_truth=ground_truth),
        load_engine=lambda name, _device, _size: engines[name],
        compare="two",
    )
    qtbot.waitUntil(lambda: second_of(window) is not None)
    qtbot.mouseClick(window.side_panel.compare.modes.buttons()[1], LEFT)
    second = window.pair.second
    qtbot.waitUntil(lambda: second.result() is not None)
    assert second.overlay_style.keypoint_names == ("wrist", "elbow")
    assert len(second.result().frame.ground_truth) == 1
    assert second.result().frame.ground_truth.keypoints_xy.shape == (1, 0, 2)
    assert window.view.result().frame.ground_truth.keypoints_xy.shape == (1, 2, 2)


def test_same_model_uses_the_sliders_and_a_paused_image_follows(qtbot, window):
    compare(qtbot, window, "openvino")
    assert second_of(window).detections.xyxy[0, 0] == 2
    pause(qtbot, window)
    calls = window.session.second.engine.calls
    for _ in range(20):
        qtbot.keyClick(window.side_panel.thresholds.confidence.slider, Key.Key_Right)
    assert len(second_of(window).detections) == len(window.view.result().detections) == 1
    assert window.session.second.engine.calls == calls


def test_another_model_keeps_its_own_confidence_until_the_slider_moves(qtbot, window):
    compare(qtbot, window)
    assert window.session.second.thresholds.score == 0.2
    qtbot.keyClick(window.side_panel.thresholds.confidence.slider, Key.Key_Right)
    assert window.session.second.thresholds.score == window.session.thresholds.score


def test_model_that_is_loaded_while_paused_runs_on_the_image(qtbot, window):
    pause(qtbot, window)
    compare(qtbot, window)
    assert not window.bridge.playback.is_playing


def test_error_plot_shows_the_difference_without_ground_truth(qtbot, window):
    compare(qtbot, window)
    qtbot.keyClick(window, Key.Key_G)
    qtbot.waitUntil(lambda: len(window.plots.made) == 3)
    error = window.plots.made[2]
    qtbot.waitUntil(lambda: error.title() == "Difference A–B, px")
    qtbot.waitUntil(lambda: error.legend() == "mean distance 1.0")


def test_error_plot_prefers_the_ground_truth(qtbot, open_window, engines):
    ground_truth = objects([[0, 0, 10, 10]])
    load = lambda name, _device, _size: engines[name]  # noqa: E731
    window = open_window(
        FakeSource(300, ground_truth=ground_truth), load_engine=load, compare="two"
    )
    qtbot.waitUntil(lambda: second_of(window) is not None)
    qtbot.keyClick(window, Key.Key_G)
    qtbot.waitUntil(lambda: len(window.plots.made) == 3)
    error = window.plots.made[2]
    qtbot.waitUntil(lambda: error.legend() == "mean distance 0.0")
    assert error.title() == "Error, px"


def test_menu_offers_models_backends_precisions_and_stop(qtbot, window):
    menu = compare_menu(window)
    assert line(menu, "in torch")
    assert not [each for each in menu.actions() if each.text() == "Stop comparing"]
    line(menu, "in OpenVINO").trigger()
    qtbot.waitUntil(lambda: second_of(window) is not None)
    assert window.view.overlay_style.names_of_two[1].startswith("one · openvino")
    line(compare_menu(window), "Stop comparing").trigger()
    qtbot.waitUntil(lambda: second_of(window) is None)


def test_model_that_can_not_be_loaded_is_reported_and_the_video_plays(qtbot, window):
    window.opener.compare_with("fp16")
    text = window.side_panel.compare.text
    qtbot.waitUntil(lambda: "fp16 can't be run here. Use bf16." in text())
    index = window.view.result().frame.index
    qtbot.waitUntil(lambda: window.view.result().frame.index > index)
    qtbot.mouseClick(window.side_panel.compare.stop_button, LEFT)
    assert not window.side_panel.compare.isVisible()


def test_model_without_boxes_is_refused(qtbot, window, engines):
    engines["labels"] = ShiftedEngine(replace(SECOND, task=Task.CLASSIFY))
    window.opener.compare_with("labels")
    qtbot.waitUntil(lambda: "has no boxes" in window.side_panel.compare.text())


def test_second_model_stays_when_the_first_or_the_source_changes(qtbot, window, engines):
    compare(qtbot, window)
    engines["third"] = ShiftedEngine(replace(FIRST, name="third"), 3.0)
    window.opener.choose_model("third")
    qtbot.waitUntil(lambda: window.session.engine is engines["third"])
    names = window.view.overlay_style.names_of_two
    assert [name.partition(" ")[0] for name in names] == ["third", "two"]
    qtbot.waitUntil(
        lambda: (second := second_of(window)) is not None and second.difference.mean_px == 2
    )
    window.session.reopen()
    qtbot.waitUntil(lambda: window.view.result() is None)
    qtbot.waitUntil(lambda: second_of(window) is not None)


def test_window_closes_while_the_second_model_loads(qtbot, open_window, engines):
    has_begun, may_end, has_ended = threading.Event(), threading.Event(), threading.Event()

    def load(name, _device, _size):
        if name == "two":
            has_begun.set()
            assert may_end.wait(TIMEOUT_S)
            has_ended.set()
        return engines[name]

    window = open_window(load_engine=load, compare="two")
    try:
        qtbot.waitUntil(has_begun.is_set)
        window.close()
        assert not window.isVisible()
        assert not has_ended.is_set()
    finally:
        may_end.set()
    assert has_ended.wait(TIMEOUT_S)
    assert engines["two"].calls == 0


def test_command_line_names_a_model_or_a_backend_or_precision():
    asked = {
        text: ModelRequest.to_compare(text, "a", "cpu") for text in ("bf16", "torch", "b.onnx")
    }
    assert asked["bf16"].name == "a bf16"
    assert asked["torch"] == ModelRequest("a", "cpu", BackendChoice("torch", "auto"))
    assert asked["b.onnx"] == ModelRequest("b.onnx", "cpu")
