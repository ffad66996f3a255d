"""``kpviewer.evaluate``: the scores of ``kpviewer eval``, from a program."""

import numpy as np
import pytest

import kpviewer as kp
from kpviewer.annotations.spec import read_usable
from kpviewer.errors import DatasetError


def test_a_model_is_perfect_on_its_own_labels(model, labels, tmp_path):
    done: list[int] = []
    report = kp.evaluate(model, f"coco:{labels}", progress=done.append)
    scores = report.to_json()
    assert scores["overall"]["ap50"] == pytest.approx(1)
    assert (scores["data"], scores["engine"]) == (f"coco:{labels}", "torch")
    assert len(done) == 3
    assert "face" in report.to_text()
    assert report.save(str(tmp_path / "report")).name == "report.html"


def test_data_are_a_path_or_a_set_that_was_read(model, labels):
    of_path = kp.evaluate(model, labels, limit=2).to_json()
    of_set = kp.evaluate(model, read_usable(str(labels)), limit=np.int64(2)).to_json()
    assert of_path["overall"] == of_set["overall"]


def test_points_of_crops_are_scored_in_the_true_boxes(labels):
    points = kp.load("face-points", device="cpu", backend="torch", precision="fp32")
    report = kp.evaluate(points, labels)
    assert report.to_json()["overall"]["nme"]["mean"] < 0.1


@pytest.mark.parametrize(
    ("data", "options", "error"),
    [
        (None, {}, kp.InputError),
        (3, {}, kp.InputError),
        ("labels.json", {"limit": 0}, kp.InputError),
        ("labels.json", {"limit": 1.5}, kp.InputError),
        ("labels.json", {"iou": 5.0}, kp.InputError),
        ("labels.json", {"keypoint": "high"}, kp.InputError),
        ("labels.json", {"within_px": -1.0}, kp.InputError),
        ("labels.json", {"within_px": float("nan")}, kp.InputError),
        ("coco:no-such-file.json", {}, DatasetError),
    ],
)
def test_invalid_data_are_an_error_of_two_lines(model, data, options, error):
    with pytest.raises(error) as caught:
        kp.evaluate(model, data, **options)
    assert str(caught.value).count("\n") <= 1
