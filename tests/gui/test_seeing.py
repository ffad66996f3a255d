"""Overlay settings of the window, operated as a user does."""

from dataclasses import replace

import numpy as np
import pytest
from fakes import FAKE_SPEC, FakeSource, FakeTimings
from gui.conftest import pose_engine
from gui.pausing import pause
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QImage
from pytestqt.qtbot import QtBot
from sample_results import read_video

from kpviewer.config.files import read_settings, settings_path
from kpviewer.gui.controllers.recording_setup import header_of
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.views.panels.side_panel import Intent
from kpviewer.models.spec import Task
from kpviewer.overlay import array_of
from kpviewer.structures import Candidates, ImageArray

LEFT = Qt.MouseButton.LeftButton
Key = Qt.Key


class CheckedSource(FakeSource):
    """Images of black and white checks."""

    def __init__(self, frames: int = 300) -> None:
        super().__init__(frames)
        self.size_hw = (120, 160)

    def read(self, allocate):
        captured = super().read(allocate)
        if captured is not None:
            rows, columns = np.indices(self.size_hw) // 4
            captured.bgr[:] = ((rows + columns) % 2 * 255)[..., None]
        return captured


class FaceEngine:
    """Finds a face of two landmarks, always at the same place, and a faint one inside it."""

    device_name, backend, precision = "CPU", "torch", "fp32"
    spec = replace(
        FAKE_SPEC,
        task=Task.DETECT_KEYPOINTS,
        class_names=("face",),
        keypoint_names=("left eye", "right eye"),
    )

    def infer(self, _bgr: ImageArray) -> tuple[Candidates, FakeTimings]:
        boxes = np.array([[55, 35, 105, 85], [60, 40, 70, 50]], np.float32)
        points = np.array([[[70, 50], [90, 50]], [[62, 42], [68, 42]]], np.float32)
        scores = np.array([[0.9], [0.1]], np.float32)
        return Candidates(boxes, scores, points), FakeTimings()


def contrast(image: ImageArray) -> float:
    return float(image.astype(float).std())


def wait_for_boxes(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(
        lambda: (result := window.view.result()) is not None and len(result.detections) == 1
    )


def shown_face(window: MainWindow) -> ImageArray:
    """The face as it is on the screen, without its outline."""
    image = array_of(window.view.grab().toImage())
    (left, top), (right, bottom) = (
        window.view.transform.to_view(*at) for at in ((80, 55), (100, 80))
    )
    return image[int(top) : int(bottom), int(left) : int(right)]


@pytest.fixture
def window(qtbot, open_window) -> MainWindow:
    window = open_window(CheckedSource(), load_engine=lambda _name, _device, _size: FaceEngine())
    wait_for_boxes(qtbot, window)
    return window


def tick(qtbot: QtBot, window: MainWindow, field: str) -> None:
    box = window.side_panel.display.switches[field]
    was_ticked = box.isChecked()
    window.side_panel.open(Intent.LOOK)
    box.setFocus()
    qtbot.keyClick(box, Key.Key_Return)
    assert box.isChecked() is not was_ticked


def test_blur_hides_faces_in_the_view_paused_too(qtbot, window):
    pause(qtbot, window)
    assert contrast(shown_face(window)) > 100
    tick(qtbot, window, "anonymise")
    assert contrast(shown_face(window)) < 10
    tick(qtbot, window, "anonymise")
    assert contrast(shown_face(window)) > 100


def test_blur_hides_faces_in_snapshots_and_recordings(qtbot, window, tmp_path):
    tick(qtbot, window, "anonymise")
    qtbot.keyClick(window, Key.Key_S)
    qtbot.waitUntil(lambda: "Saved" in window.status_bar.message())
    (snapshot,) = tmp_path.glob("*.png")
    assert contrast(array_of(QImage(str(snapshot)))[60:80, 75:95]) < 10
    qtbot.keyClick(window, Key.Key_R)
    qtbot.waitUntil(lambda: (window.saving.recorded_s or 0) > 0.3)
    qtbot.keyClick(window, Key.Key_R)
    qtbot.waitUntil(lambda: ".mp4" in window.status_bar.message())
    (recording,) = tmp_path.glob("*.mp4")
    frames = read_video(recording).pixels
    assert len(frames) > 3
    for frame in frames:
        assert contrast(frame[60:80, 75:95]) < 20
        assert contrast(frame[:16]) > 90


def track_ids(window: MainWindow) -> list[int]:
    ids = window.view.result().detections.track_ids
    return [] if ids is None else ids.tolist()


def test_tracking_that_a_paused_image_cannot_show_is_announced_once(qtbot, window):
    pause(qtbot, window)
    tick(qtbot, window, "tracks")
    assert "in the next frames" in window.status_bar.message()
    window.status_bar.show_message("")
    tick(qtbot, window, "boxes")
    assert window.status_bar.message() == ""


def test_followed_objects_keep_their_ids_when_a_slider_moves_on_a_paused_image(qtbot, window):
    assert track_ids(window) == []
    qtbot.keyClick(window, Qt.Key.Key_L)  # the image doesn't wait for the tracker's import
    tick(qtbot, window, "tracks")
    tick(qtbot, window, "smooth_landmarks")
    qtbot.waitUntil(lambda: track_ids(window) == [1])  # the package is imported
    index = pause(qtbot, window)  # by a jump, after which tracks begin anew
    while not track_ids(window):
        index += 1
        qtbot.keyClick(window, Key.Key_Period)
        qtbot.waitUntil(lambda index=index: window.view.result().frame.index == index)
    (number,) = track_ids(window)
    slider = window.side_panel.thresholds.confidence.slider
    for _ in range(30):
        qtbot.keyClick(slider, Key.Key_Left)
    assert track_ids(window) == [number, -1]
    assert window.view.result().detections.smoothed_xy.shape == (2, 2, 2)
    for _ in range(30):
        qtbot.keyClick(slider, Key.Key_Right)
    assert track_ids(window) == [number]


def test_sizes_and_labels_reach_the_image(qtbot, window):
    tick(qtbot, window, "numbers")
    assert window.view.overlay_style.text(0, 0.9, 3) == "3 face 0.90"
    qtbot.mouseClick(window.side_panel.display.sizes["lines"].buttons()[2], LEFT)
    qtbot.mouseClick(window.side_panel.display.sizes["dots"].buttons()[0], LEFT)
    style = window.view.overlay_style
    assert style.lines > 1 > style.dots
    assert style.letters == 1


# -- confidence of keypoints -------------------------------------------------------------------


def test_slider_of_keypoints_is_there_for_models_that_score_them_alone(qtbot, open_window):
    window = open_window()
    qtbot.waitUntil(lambda: window.session.engine is not None)
    assert not window.side_panel.thresholds.keypoint.isVisible()
    engine = pose_engine()
    window = open_window(load_engine=lambda *_: engine)
    qtbot.waitUntil(window.side_panel.thresholds.keypoint.isVisible)


def test_slider_of_keypoints_works_while_paused_is_remembered_and_resets(
    qtbot, open_window, tmp_path
):
    engine = pose_engine()
    window = open_window(load_engine=lambda *_: engine, settings_folder=tmp_path / "settings")
    qtbot.waitUntil(window.side_panel.thresholds.keypoint.isVisible)
    qtbot.waitUntil(lambda: bool(window.view.result() and len(window.view.result().detections)))
    pause(qtbot, window)
    calls, slider = len(engine.seen), window.side_panel.thresholds.keypoint
    predicted = window.view.result().detections.keypoints_predicted
    assert predicted.tolist()[0] == [True, False]
    slider.box.setValue(0.35)
    assert window.view.result().detections.keypoints_predicted.all()
    assert len(engine.seen) == calls
    assert window.session.thresholds.keypoint == pytest.approx(0.35)
    assert header_of(window.session).has_keypoint_scores
    window.close()
    kept = read_settings(settings_path(tmp_path / "settings")).settings
    assert kept.for_model(engine.spec.name).keypoint == pytest.approx(0.35)

    again = open_window(load_engine=lambda *_: engine, settings_folder=tmp_path / "settings")
    slider = again.side_panel.thresholds.keypoint
    qtbot.waitUntil(slider.isVisible)
    assert slider.value() == pytest.approx(0.35)
    qtbot.mouseDClick(slider.slider, LEFT)
    assert again.session.thresholds.keypoint == 0.6
    again.close()
    kept = read_settings(settings_path(tmp_path / "settings")).settings
    assert kept.for_model(engine.spec.name).keypoint is None


def test_command_line_sets_the_threshold_of_keypoints(qtbot, open_window):
    engine = pose_engine()
    window = open_window(load_engine=lambda *_: engine, keypoint=0.2)
    qtbot.waitUntil(lambda: window.session.engine is not None)
    assert window.session.thresholds.keypoint == 0.2
    assert window.side_panel.thresholds.keypoint.value() == pytest.approx(0.2)
