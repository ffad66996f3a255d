"""How a second model's detections are painted, and the legend of both."""

from dataclasses import replace

import numpy as np
import pytest
from sample_results import detections, result

from kpviewer.metrics.frame_error import frame_error
from kpviewer.overlay import OverlayStyle, ensure_gui_application, render
from kpviewer.overlay.marks import OPAQUE_HALO
from kpviewer.overlay.second import COLOR
from kpviewer.structures import Candidates, GroundTruth, ImageArray, SecondResult

BOX = (100.0, 100.0, 300.0, 300.0)
NAMES = ("one · torch fp32", "two · openvino bf16")
PLAIN = OverlayStyle(labels=False, scores=False)


@pytest.fixture(autouse=True)
def application(qapp) -> None:
    ensure_gui_application()


def painted(style: OverlayStyle, box=BOX, first=(), outline=None) -> ImageArray:
    found = detections([box], points=[[(200, 200)]])
    if outline is not None:
        found = replace(found, outlines_xy=np.array([outline], np.float32))
    seen = SecondResult(
        Candidates.empty(), found, 1.0, frame_error(found, GroundTruth.empty(num_keypoints=1))
    )
    return render(replace(result(detections(first), size_hw=(480, 640)), second=seen), style)


def is_of_second(image: ImageArray, x: int, y: int) -> bool:
    near = image[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3)[:, ::-1].astype(int)
    return bool((np.abs(near - COLOR).max(axis=1) < 12).any())


def test_corners_are_painted_and_sides_are_not():
    image = painted(replace(PLAIN, names_of_two=NAMES))
    for x, y in ((100, 100), (300, 100), (300, 300), (100, 300)):
        assert is_of_second(image, x, y)
    for x, y in ((200, 100), (100, 200), (300, 200), (200, 300)):
        assert not is_of_second(image, x, y)


def test_a_rotated_box_is_dashed_as_it_lies():
    diamond = (200, 100), (300, 200), (200, 300), (100, 200)
    image = painted(replace(PLAIN, names_of_two=NAMES), outline=diamond)
    side = [is_of_second(image, x, x - 100) for x in range(205, 295)]
    assert sum(side) > 30, "dashes"
    assert not is_of_second(image, 100, 100), "no corner of the upright box"


def test_corners_are_on_whole_pixels_and_no_longer_than_their_arms():
    image = painted(replace(PLAIN, names_of_two=NAMES))[..., ::-1].astype(int)
    grey, halo = (128, 128, 128), OPAQUE_HALO
    for line in (image[110, 97:104], image[97:104, 110], image[110, 297:304], image[297:304, 290]):
        assert [*map(tuple, line)] == [grey, halo, COLOR, COLOR, COLOR, halo, grey]
    assert tuple(image[128, 100]) == COLOR  # an arm has 28 px
    assert tuple(image[140, 100]) == grey


def test_landmarks_are_diamonds_with_a_free_middle():
    image = painted(replace(PLAIN, names_of_two=NAMES))
    assert is_of_second(image, 200, 196)
    assert tuple(image[200, 200]) == (128, 128, 128)


def test_without_names_it_is_not_painted():
    assert (painted(PLAIN) == 128).all()


def test_switches_of_boxes_and_landmarks_hold_for_both():
    image = painted(replace(PLAIN, names_of_two=NAMES, boxes=False, landmarks=False))
    assert not is_of_second(image, 100, 100)
    assert not is_of_second(image, 200, 196)


def test_legend_stands_in_the_upper_right_corner():
    image = painted(replace(PLAIN, names_of_two=NAMES))
    changed = np.argwhere((image[:60] != 128).any(axis=2))
    assert len(changed) > 500
    assert changed[:, 1].min() > 400
    small = painted(replace(PLAIN, names_of_two=("x" * 300, "y")))
    assert (small[:60, :10] == 128).all()


def test_landmarks_below_half_the_threshold_are_not_painted():
    found = detections([BOX], points=[[(200, 200), (250, 250)]], point_scores=[[0.9, 0.2]])
    seen = SecondResult(
        Candidates.empty(), found, 1.0, frame_error(found, GroundTruth.empty(num_keypoints=2))
    )
    shown = replace(result(detections(), size_hw=(480, 640)), second=seen)
    image = render(shown, replace(PLAIN, names_of_two=NAMES))
    assert is_of_second(image, 200, 196)
    assert (image[240:261, 240:261] == 128).all()


def test_labels_of_the_first_model_are_over_the_corners_of_the_second():
    style = replace(OverlayStyle(("thing",)), names_of_two=NAMES)
    (left, top, *_) = BOX
    image = painted(style, box=(left, top - 10, 300, 300), first=[BOX])
    assert is_of_second(image, 298, int(top) - 10)  # right of the label
    assert not is_of_second(image, int(left) + 10, int(top) - 10)
