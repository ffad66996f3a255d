from dataclasses import replace

import numpy as np
import pytest
from sample_results import detections, objects

from kpviewer.metrics.detection import negative_score, recall_at_false_positives

BOX = [0, 0, 10, 10]
FAR = [50, 50, 60, 60]
REGION = [100, 100, 200, 200]


def seen(*rows):
    """Return detections of one class from rows (box, score) by descending score."""
    return detections([box for box, _ in rows], [score for _, score in rows])


def true(*boxes, difficult=()):
    everything = [*boxes, *difficult]
    return objects(everything, difficult=np.arange(len(everything)) >= len(boxes))


def ten_images(*firsts):
    """Return the images, padded to ten with empty ones: 0.1 per image is one false positive."""
    return [*firsts, *[type(firsts[0]).empty() for _ in range(10 - len(firsts))]]


@pytest.mark.parametrize(
    ("first", "second", "recall", "score"),
    [
        pytest.param((0.9, 0.8), (0.6, 0.7), 1.0, 0.7, id="one in ten images is allowed"),
        pytest.param((0.9, 0.8), (0.7, 0.6), 0.5, 0.8, id="matches below a second do not count"),
        pytest.param((0.5, 0.9), (0.5, 0.5), 0.5, 0.9, id="equal scores pass together"),
    ],
)
def test_recall_is_that_before_the_second_false_positive(first, second, recall, score):
    """Each image has a false positive and a match, of these scores."""
    images = (
        seen(*sorted(zip((FAR, BOX), each, strict=True), key=lambda row: -row[1]))
        for each in (first, second)
    )
    point = recall_at_false_positives(ten_images(*images), ten_images(true(BOX), true(BOX)))
    assert (point.recall, point.score) == (recall, pytest.approx(score))


def test_detections_in_ignore_regions_are_no_false_positives():
    inside = [110, 110, 120, 120]
    found = ten_images(seen((inside, 0.9), (inside, 0.8), (BOX, 0.7)))
    point = recall_at_false_positives(found, ten_images(true(BOX, difficult=[REGION])))
    assert point.recall == 1.0


def test_detector_that_begins_with_false_positives_has_no_threshold():
    found = ten_images(seen((FAR, 0.9), (FAR, 0.9)))
    point = recall_at_false_positives(found, ten_images(true(BOX)))
    assert (point.recall, point.score) == (0.0, None)


def test_recall_is_unknown_where_there_is_nothing_to_find():
    assert recall_at_false_positives([seen()], [true()]).recall is None


def test_negatives_are_the_images_without_any_object():
    ground_truths = [true(), true(), true(), true(BOX), true(difficult=[REGION])]
    found = [seen((FAR, 0.6)), seen((FAR, 0.5)), seen(), seen((FAR, 0.9)), seen((FAR, 0.9))]
    score = negative_score(found, ground_truths)
    assert (score.images, score.clean, score.clean_share) == (3, 2, 2 / 3)


def test_negatives_are_those_of_the_classes_that_an_image_is_labelled_for():
    found = [seen((FAR, 0.9))] * 3  # of class 0
    ids = (frozenset({0}), frozenset({1}), frozenset())
    score = negative_score(found, [replace(true(), labelled_ids=each) for each in ids])
    assert (score.images, score.clean) == (2, 1)


def test_share_of_no_negatives_is_unknown():
    assert negative_score([seen()], [true(BOX)]).clean_share is None
