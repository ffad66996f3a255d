"""Class accuracy and mean IoU of single objects, by hand."""

import pytest
from sample_results import detections, objects

from kpviewer.metrics.single_object import ObjectScore, single_object_score
from kpviewer.structures import Detections, GroundTruth


def seen(*rows: tuple[int, float, tuple[float, float, float, float]]) -> Detections:
    """Return detections from rows (class, score, box), by descending score."""
    return detections([row[2] for row in rows], [row[1] for row in rows], [row[0] for row in rows])


def ground_truth(*class_ids: int) -> GroundTruth:
    """Return an object from (0, 0) to (10, 10) for each class."""
    return objects([[0, 0, 10, 10]] * len(class_ids), class_ids)


WHOLE, HALF, ASIDE = (0, 0, 10, 10), (0, 0, 5, 10), (20, 20, 30, 30)


def test_the_best_detection_of_each_image_counts():
    found = [
        seen((0, 0.6, WHOLE), (1, 0.4, WHOLE)),  # right: IoU 1
        seen((1, 0.3, HALF), (0, 0.2, HALF)),  # the wrong class, at half of the object
        seen((1, 0.9, ASIDE)),  # right, and elsewhere
        seen(),  # wrong, with no box
    ]
    score = single_object_score(
        found, [ground_truth(0), ground_truth(0), ground_truth(1), ground_truth(1)], 3
    )
    assert score.overall == ObjectScore(4, 0.5, pytest.approx(1.5 / 4))
    assert score.by_class == (
        ObjectScore(2, 0.5, pytest.approx(0.75)),
        ObjectScore(2, 0.5, pytest.approx(0.0)),
        ObjectScore(0, None, None),
    )


def test_without_images_there_is_no_score():
    score = single_object_score([], [], 1)
    assert score.overall == score.by_class[0] == ObjectScore(0, None, None)


@pytest.mark.parametrize("classes", [(), (0, 0)])
def test_images_hold_one_object(classes):
    with pytest.raises(ValueError, match="one object each"):
        single_object_score([seen()], [ground_truth(*classes)], 1)
