from pathlib import Path

import numpy as np
import pytest

from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.evaluation import timing
from kpviewer.evaluation.detections import score_detections
from kpviewer.structures import Candidates, GroundTruth, Thresholds

FACE = np.array([[4, 4], [8, 4], [6, 6], [4, 8], [8, 8]], np.float32)  # eyes 4 px apart
BOX = [2, 2, 10, 10]


def image(number, source, *, faces=1, pseudo=False):
    targets = GroundTruth(
        np.array([BOX] * faces, np.float32).reshape(-1, 4),
        np.zeros(faces, np.int64),
        np.tile(FACE, (faces, 1, 1)),
        np.ones((faces, 5), np.bool_),
        np.zeros(faces, np.bool_),
    )
    return AnnotatedImage(
        Path(f"{number}.png"),
        (20, 20),
        targets,
        source,
        np.full(faces, pseudo),
        np.ones((faces, 5), np.bool_),
        number,
    )


def data_set(*images):
    return AnnotationSet(images, ("face",), tuple("abcde"))


def read(path):
    """Return an image whose brightness is its number."""
    return np.full((20, 20, 3), int(path.stem), np.uint8)


@pytest.fixture(autouse=True)
def images_by_number(monkeypatch):
    monkeypatch.setattr(timing, "load_image", read)


def candidates(*scores, off_px=0.0):
    """Return boxes on the face with these scores and points that are too far right."""
    count = len(scores)
    return Candidates(
        np.array([BOX] * count, np.float32).reshape(-1, 4),
        np.array(scores, np.float32)[:, None],
        np.tile(FACE + np.array((off_px, 0), np.float32), (count, 1, 1)),
    )


def evaluate(infer, data, **options):
    """Score a function that takes one image."""
    return score_detections(lambda images: [infer(bgr) for bgr in images], data, **options)


def test_batches_are_read_and_scored_in_order():
    sizes, done = [], []

    def infer(images):
        sizes.append(len(images))
        return [candidates(int(bgr[0, 0, 0]) / 10) for bgr in images]

    data = data_set(*(image(number, "") for number in range(1, 8)))
    report = score_detections(infer, data, batch=3, progress=done.append)
    assert sizes == [1, 1, 1, 3, 3, 1], "three alone before the time is measured"
    scores = [found.scores[0] for found in report.seen]
    assert scores == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
    assert done == [1, 2, 3, 4, 5, 6, 7]


def test_a_perfect_model_scores_one():
    report = evaluate(
        lambda bgr: candidates(0.9) if bgr[0, 0, 0] < 3 else candidates(),
        data_set(image(1, ""), image(2, ""), image(3, "", faces=0)),
    )
    score = report.overall
    assert (score.images, score.objects) == (3, 2)
    assert (score.precision.ap50, score.working_point.recall) == (pytest.approx(1.0), 1.0)
    assert (score.negatives.images, score.negatives.clean) == (1, 1)
    assert score.keypoints.mean == 0.0


def test_points_of_pseudo_labels_are_not_scored():
    report = evaluate(
        lambda bgr: candidates(0.9, off_px=float(bgr[0, 0, 0])),
        data_set(image(1, ""), image(4, "", pseudo=True)),
    )
    assert report.overall.keypoints.mean == pytest.approx(0.25)
    assert report.overall.keypoints.objects == 1


def test_scores_below_the_threshold_of_the_viewer_count():
    images = data_set(image(1, ""))
    report = evaluate(lambda _: candidates(0.05), images, thresholds=Thresholds(score=0.9))
    assert report.overall.precision.ap50 == pytest.approx(1.0)


def test_each_source_is_scored():
    report = evaluate(
        lambda bgr: candidates(0.9) if bgr[0, 0, 0] == 1 else candidates(),
        data_set(image(1, "lfw"), image(2, "web")),
    )
    assert {name: score.precision.ap50 for name, score in report.groups.items()} == {
        "lfw": pytest.approx(1.0),
        "web": 0.0,
    }


def test_a_single_source_has_no_groups():
    report = evaluate(lambda _: candidates(0.9), data_set(image(1, "lfw")))
    assert report.groups == {}


def test_progress_is_reported_after_each_image():
    done = []
    images = [image(number, "") for number in range(3)]
    evaluate(lambda _: candidates(), data_set(*images), progress=done.append)
    assert done == [1, 2, 3]


def test_an_unreadable_image_is_named(monkeypatch):
    monkeypatch.setattr(timing, "load_image", lambda _: None)
    with pytest.raises(DatasetError, match=r"1\.png"):
        evaluate(lambda _: candidates(), data_set(image(1, "")))


def test_an_empty_set_is_refused():
    with pytest.raises(DatasetError, match="must have images"):
        evaluate(lambda _: candidates(), data_set())
