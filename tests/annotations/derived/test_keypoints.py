"""Keypoints of a data set in the order of a model's."""

import json

import pytest

from kpviewer.annotations.derived.keypoints import align_keypoints
from kpviewer.annotations.formats.coco.reader import read_coco


def read(folder, names, points):
    about = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 90, "height": 80}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 60, 50],
                         "keypoints": [value for x in points for value in (x, x, 2)]}],
        "categories": [{"id": 1, "name": "face", "keypoints": names}],
    }  # fmt: skip
    (folder / "a.json").write_text(json.dumps(about))
    return read_coco(folder / "a.json")


@pytest.mark.parametrize(
    ("of_data", "of_model", "expected"),
    [
        (["right eye", "Left_Eye"], ("left eye", "right eye"), [20, 10]),
        (["nose", "left", "right"], ("left", "right"), [20, 30]),
        (["left"], ("right", "left"), [None, 10]),
        (["a", "b"], ("left", "right"), [10, 20]),
        (["nose", "lefteye"], ("nose", "eye"), [10, 20]),
        (["2", "1"], ("1", "2"), [10, 20]),
    ],
)
def test_points_have_the_order_of_the_model(tmp_path, of_data, of_model, expected):
    data = read(tmp_path, of_data, [10, 20, 30][: len(of_data)])
    targets = align_keypoints(data, of_model).images[0].targets
    seen = targets.keypoints_visible[0]
    places = targets.keypoints_xy[0].tolist()
    found = [x if is_seen else None for (x, _), is_seen in zip(places, seen, strict=True)]
    assert found == expected


def test_points_that_one_alone_has_are_named(tmp_path):
    data = read(tmp_path, ["nose", "left"], [10, 20])
    assert align_keypoints(data, ("left", "right", "chin")).notes == (
        "keypoints of the data left out: the model doesn't have nose",
        "keypoints of the model left out: the data don't have right, chin",
    )
    (note,) = align_keypoints(data, ("1", "2", "3")).notes
    assert note == "keypoints can't be compared: the model has 3, the data 2"
