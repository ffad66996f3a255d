"""How scores are told."""

import numpy as np

from kpviewer.evaluation.detection_scores import confusion_text

NAMES = ("ace", "king", "queen")


def test_the_classes_most_often_taken_for_others_are_named() -> None:
    counts = np.diag([9, 9, 9, 0])
    counts[0, 1], counts[2, 0], counts[1, 0], counts[1, 2] = 2, 5, 1, 3
    counts[0, 3], counts[3, 1] = 50, 60  # missed and made up: no mistaken class
    told = confusion_text(counts, NAMES).strip()
    assert told == "taken for another class: queen for ace 5, king for queen 3, ace for king 2"


def test_nothing_is_told_where_no_class_is_mistaken() -> None:
    assert confusion_text(np.diag([3, 3, 3, 0]), NAMES) == ""
    assert confusion_text(np.array([[3, 1], [1, 0]]), ("face",)) == ""
    assert confusion_text(np.zeros((1, 1), np.int64), ()) == ""
