"""Table of detections: contents, sorting, selection in both directions, copying, saving."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from gui.conftest import pose_engine
from gui.pausing import pause
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QDockWidget
from sample_results import detections

from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.views.panels.table_model import DetectionsModel

LEFT = Qt.MouseButton.LeftButton
Key = Qt.Key
FOUND = detections(
    [(10, 20, 40, 60), (5, 2, 105, 12), (0, 0, 8, 8)],
    scores=[0.931, 0.5, 0.25],
    class_ids=[1, 0, 1],
    points=[[(1, 2), (30, 4)], [(5, 6), (7, 8)], [(3, 3), (9, 9)]],
)
NAMES, POINTS = ("dog", "cat"), ("left eye", "right eye")


def model_of(found=FOUND, names=NAMES, points=POINTS) -> DetectionsModel:
    model = DetectionsModel()
    model.show(found, names, points)
    return model


def row(model: DetectionsModel, number: int) -> list[str]:
    return [model.data(model.index(number, each)) for each in range(model.columnCount())]


def headings(model: DetectionsModel) -> list[str]:
    horizontal = Qt.Orientation.Horizontal
    return [model.headerData(each, horizontal) for each in range(model.columnCount())]


def test_rows_show_class_confidence_box_and_landmarks():
    model = model_of()
    assert headings(model) == [
        *("#", "Class", "Conf.", "Left", "Top", "Width", "Height", "left eye", "right eye")
    ]
    assert row(model, 0) == [
        *("0", "cat", "0.931", "10.0", "20.0", "30.0", "40.0", "1.0, 2.0", "30.0, 4.0")
    ]
    assert model.rowCount() == 3


def test_no_cell_is_minus_zero():
    model = model_of(detections([(-0.04, -0.04, 9, 9)], points=[[(-0.04, 3)]]))
    assert row(model, 0)[3:] == ["0.0", "0.0", "9.0", "9.0", "0.0, 3.0"]


def test_track_has_a_column_if_objects_are_tracked():
    model = model_of()
    model.show(replace(FOUND, track_ids=np.array([7, -1, 4])), NAMES, POINTS)
    assert headings(model)[7] == "Track"
    assert [row(model, each)[7] for each in range(3)] == ["7", "", "4"]
    model.show(detections([(0, 0, 1, 1)]), NAMES, ())
    assert headings(model)[-1] == "Height"


@pytest.mark.parametrize(
    ("column", "ascending"),
    [
        (0, [0, 1, 2]),
        (1, [0, 2, 1]),
        (2, [2, 1, 0]),
        (3, [2, 1, 0]),
        (5, [2, 0, 1]),
        (8, [1, 2, 0]),
    ],
)
def test_columns_sort_both_ways_and_stay_sorted(column, ascending):
    model = model_of()
    model.sort(column)
    assert [model.detection_of(each) for each in range(3)] == ascending
    assert [model.row_of(index) for index in ascending] == [0, 1, 2]
    model.sort(column, Qt.SortOrder.DescendingOrder)
    backwards = [model.detection_of(each) for each in range(3)]
    equal = {0, 2} if column == 1 else set()  # cats keep the order of their confidence
    assert backwards == ([1, 0, 2] if equal else ascending[::-1])
    model.show(FOUND, NAMES, POINTS)
    assert [model.detection_of(each) for each in range(3)] == backwards


def test_unknown_classes_and_points_have_numbers():
    model = model_of(names=(), points=())
    assert row(model, 0)[1] == "class 1"
    assert headings(model)[-2:] == ["point 0", "point 1"]


def test_classes_with_a_blank_name_have_numbers():
    assert row(model_of(names=("cat", " ")), 0)[1] == "class 1"


def test_copied_text_has_a_heading_and_a_line_per_row():
    lines = list(csv.reader(model_of().tsv([2, 0]).splitlines(), delimiter="\t"))
    assert lines[0] == headings(model_of())
    assert [line[0] for line in lines[1:]] == ["2", "0"]
    assert lines[2][7] == "1.0, 2.0"


# -- in the window ---------------------------------------------------------------------------


@pytest.fixture
def window(qtbot, open_window) -> MainWindow:
    window = open_window()
    qtbot.waitUntil(
        lambda: (result := window.view.result()) is not None and len(result.detections) == 2
    )
    qtbot.keyClick(window, Key.Key_T)
    qtbot.waitUntil(lambda: window.table.table.model().rowCount() == 2)
    return window


def pause_with_table(qtbot, window) -> None:
    pause(qtbot, window)
    qtbot.waitUntil(lambda: window.table.detections is window.view.result().detections)


def chosen_rows(window) -> list[int]:
    return [each.row() for each in window.table.table.selectionModel().selectedRows()]


def click_row(qtbot, window, number: int) -> None:
    table = window.table.table
    at = table.visualRect(table.model().index(number, 1)).center()
    qtbot.mouseClick(table.viewport(), LEFT, pos=at)


def test_key_brings_the_table_and_takes_it_away(qtbot, window):
    assert window.table.isVisible()
    assert window.table.mapTo(window, QPoint()).x() == 0
    qtbot.keyClick(window, Key.Key_T)
    assert not window.table.isVisible()


def test_at_first_there_is_no_table(open_window):
    assert not open_window().table.isVisible()


def test_row_chooses_in_the_image_and_image_in_the_table(qtbot, window):
    pause_with_table(qtbot, window)
    click_row(qtbot, window, 1)
    assert "Confidence 0.400" in window.view.cards.numbers.text()
    assert window.view.selected(window.view.result().detections) == 1
    box = window.view.result().detections.xyxy[0]
    at = window.view.transform.to_view(float(box[0]) + 1, float(box[1]) + 1)
    qtbot.mouseClick(window.view, LEFT, pos=QPoint(int(at[0]), int(at[1])))
    assert "Confidence 0.900" in window.view.cards.numbers.text()
    qtbot.waitUntil(lambda: chosen_rows(window) == [0])
    qtbot.mouseClick(window.view.cards.numbers.close_button, LEFT)
    qtbot.waitUntil(lambda: chosen_rows(window) == [])


def test_chosen_row_follows_its_detection_when_sorted_and_filtered(qtbot, window):
    pause_with_table(qtbot, window)
    click_row(qtbot, window, 0)
    window.table.table.sortByColumn(2, Qt.SortOrder.AscendingOrder)
    qtbot.waitUntil(lambda: chosen_rows(window) == [1])
    for _ in range(15):  # the weaker detection goes
        qtbot.keyClick(window.side_panel.thresholds.confidence.slider, Key.Key_Right)
    qtbot.waitUntil(lambda: window.table.table.model().rowCount() == 1)
    qtbot.waitUntil(lambda: chosen_rows(window) == [0])


def test_outdated_image_has_no_rows_of_detections_that_are_not_drawn(qtbot, window, monkeypatch):
    pause_with_table(qtbot, window)
    monkeypatch.setattr(window.view, "current_result", lambda: None)  # as while it is dimmed
    qtbot.waitUntil(lambda: window.table.table.model().rowCount() == 0)


def test_rows_are_those_of_the_image_at_once(qtbot, window):
    pause_with_table(qtbot, window)
    table = window.table.table.model()
    assert table.rowCount() == 2
    both = window.view.result()
    one = replace(both, detections=both.detections.take(np.array([0])))
    window.view.show_again(one)  # no event loop runs between
    assert table.rowCount() == 1
    assert window.table.detections is window.view.result().detections
    window.view.show_again(both)
    assert table.rowCount() == 2


def test_arrow_keys_walk_the_rows(qtbot, window):
    pause_with_table(qtbot, window)
    click_row(qtbot, window, 0)
    qtbot.keyClick(window.table.table, Key.Key_Down)
    assert "Confidence 0.400" in window.view.cards.numbers.text()


def test_copy_takes_all_rows_or_the_chosen_one(qtbot, window):
    pause_with_table(qtbot, window)
    window.table.table.setFocus()
    qtbot.keyClick(window.table.table, Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QGuiApplication.clipboard().text().splitlines()
    assert len(lines) == 3
    assert lines[1].split("\t")[1:3] == ["thing", "0.900"]
    click_row(qtbot, window, 1)
    qtbot.mouseClick(window.table.copy_button, LEFT)
    lines = QGuiApplication.clipboard().text().splitlines()
    assert [line.split("\t")[2] for line in lines] == ["Conf.", "0.400"]


def test_export_writes_the_rows_of_the_frame(qtbot, window, tmp_path):
    pause_with_table(qtbot, window)
    qtbot.mouseClick(window.table.export_button, LEFT)
    qtbot.waitUntil(lambda: "Saved" in window.status_bar.message())
    (path,) = tmp_path.glob("*.csv")
    index = window.view.result().frame.index
    assert path.name.endswith(f"_frame-{index}.csv")
    assert path.name in window.status_bar.message()
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [(each["index"], each["class"], each["score"]) for each in rows] == [
        (str(index), "thing", "0.9"),
        (str(index), "thing", "0.4"),
    ]


def test_export_has_the_confidence_of_landmarks(qtbot, open_window, tmp_path):
    scoring = pose_engine()
    window = open_window(load_engine=lambda *_: scoring)
    qtbot.waitUntil(lambda: bool(window.view.result() and len(window.view.result().detections)))
    qtbot.keyClick(window, Key.Key_T)
    pause_with_table(qtbot, window)
    assert headings(window.table.table.model())[-4:] == [
        *("nose", "nose conf.", "chin", "chin conf.")
    ]
    qtbot.mouseClick(window.table.export_button, LEFT)
    qtbot.waitUntil(lambda: "Saved" in window.status_bar.message())
    (path,) = tmp_path.glob("*.csv")
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [(each["nose_score"], each["chin_score"]) for each in rows] == [("0.9", "0.4")] * 2


def test_folder_that_can_not_be_written_is_reported(qtbot, window, tmp_path):
    file = tmp_path / "file"
    file.touch()
    window.saving.folder = file
    qtbot.mouseClick(window.table.export_button, LEFT)
    qtbot.waitUntil(lambda: "Choose another folder" in window.status_bar.message())


def test_open_table_is_remembered(qtbot, open_window, tmp_path):
    folder = tmp_path / "config"
    window = open_window(settings_folder=folder)
    qtbot.keyClick(window, Key.Key_T)
    window.close()
    again = open_window(settings_folder=folder)
    assert again.table.isVisible()
    assert any(
        dock.windowTitle() == "Table of detections" for dock in again.findChildren(QDockWidget)
    )


def test_landmarks_have_their_confidence_beside_them_if_the_model_predicts_it():
    scored = replace(FOUND, keypoint_scores=np.array([[0.5, 0.25], [0.9, 1], [0.1, 0]], np.float32))
    model = DetectionsModel()
    model.show(scored, NAMES, POINTS, has_point_scores=True)
    assert headings(model)[7:] == ["left eye", "left eye conf.", "right eye", "right eye conf."]
    assert row(model, 0)[7:] == ["1.0, 2.0", "0.500", "30.0, 4.0", "0.250"]
    assert model.tsv([0]).splitlines()[1].endswith("\t0.500\t30.0, 4.0\t0.250")
    model.sort(8, Qt.SortOrder.DescendingOrder)
    assert [row(model, each)[8] for each in range(3)] == ["0.900", "0.500", "0.100"]
    before = headings(model)
    model.show(scored.take(np.zeros(0, np.int64)), NAMES, POINTS, has_point_scores=True)
    assert headings(model) == before
