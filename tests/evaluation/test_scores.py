"""Scores as text."""

from dataclasses import replace

import numpy as np

from kpviewer.evaluation.detection_scores import ClassScores, class_json, class_note, confusion_text
from kpviewer.evaluation.localisation import (
    MOST_CLASSES,
    LocalisationScores,
    confusion_rows,
    localisation_rows,
)
from kpviewer.evaluation.text import by_name, text_table
from kpviewer.metrics.curves import Calibration, PrecisionRecall
from kpviewer.metrics.localisation import LocalisationRow, LocalisationTable

NAMES = ("ace", "king", "queen")


def test_the_most_confused_classes_are_named():
    counts = np.diag([9, 9, 9, 0])
    counts[0, 1], counts[2, 0], counts[1, 0], counts[1, 2] = 2, 5, 1, 3
    counts[0, 3], counts[3, 1] = (
        50,
        60,
    )  # false negatives and false positives: no confusion of classes
    text = confusion_text(counts, NAMES).strip()
    assert text == "confused classes: queen as ace 5, king as queen 3, ace as king 2"


def test_no_classes_are_named_if_none_are_confused():
    assert confusion_text(np.diag([3, 3, 3, 0]), NAMES) == ""
    assert confusion_text(np.array([[3, 1], [1, 0]]), ("face",)) == ""
    assert confusion_text(np.zeros((1, 1), np.int64), ()) == ""


def test_a_missing_score_is_a_dash():
    row = LocalisationRow("fi", 1, 0, 1, 2.0, 2.0)
    table = LocalisationTable((row,), LocalisationRow("total", 0, 0, 0, None, None))
    assert localisation_rows(table)[1:] == [
        ("fi", "1.000", "0.500", "0.667", "2", "2.00", "2.00"),
        ("total", "-", "-", "-", "0", "-", "-"),
    ]


def test_the_confusion_matrix_of_a_few_classes_is_a_table():
    row = LocalisationRow("fi", 95, 3, 5, 2.0, 2.0)
    table = LocalisationTable((row, replace(row, name="hb")), row)
    counts = np.array([[95, 1, 4], [0, 55, 2], [3, 0, 0]])
    assert confusion_rows(LocalisationScores(table, counts)) == [
        ("ground truth", "fi", "hb", "missed"),
        ("fi", "95", "1", "4"),
        ("hb", "0", "55", "2"),
        ("nothing", "3", "0", "-"),
    ]
    many = LocalisationTable((row,) * (MOST_CLASSES + 1), row)
    assert confusion_rows(LocalisationScores(many, np.zeros((14, 14), np.int64))) == []


def test_columns_are_as_wide_as_their_cells_and_numbers_stay_as_written():
    rows = [("", "NME", "px"), ("a long name", "-0.030", "1"), ("b", "-", "12.50")]
    assert text_table(rows).splitlines() == [
        "                NME     px",
        "a long name  -0.030      1",
        "b                 -  12.50",
    ]
    assert text_table(rows[:1]).split() == ["NME", "px"]


def test_scores_of_classes_of_one_name_are_all_kept():
    assert by_name(("cat", "dog", "cat"), (1, 2, 3)) == {"cat": 1, "dog": 2, "cat (class 2)": 3}


def test_a_confusion_matrix_that_is_left_out_is_said_to_be():
    curve = PrecisionRecall(*(np.zeros(0, np.float32),) * 3, 0)
    none = Calibration(*(np.zeros(0),) * 2, np.zeros(0, np.int64))
    scores = ClassScores(("cat",), (curve,), (None,), 0.5, none, None)
    assert "no confusion matrix" in class_note(scores)
    assert class_json(scores)["confusion"] == {"names": ["cat"], "counts": None}
