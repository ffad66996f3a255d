"""Bars of class scores: their choice, length and colour, over images of any size."""

from dataclasses import replace

import numpy as np
import pytest
from sample_results import GREY, detections, result

from kpviewer.overlay import OverlayStyle, render
from kpviewer.overlay.class_bars import choose_bars
from kpviewer.overlay.palette import class_color
from kpviewer.structures import Candidates, FrameResult, ImageArray, Thresholds

pytestmark = pytest.mark.usefixtures("qapp")

NAMES = ("ace", "king", "queen")


def labelled(scores: list[float], size_hw: tuple[int, int] = (480, 640)) -> FrameResult:
    """Return a grey image for which a multi-label model predicts ``scores``."""
    height, width = size_hw
    whole = (0.0, 0.0, float(width), float(height))
    seen = Candidates(
        np.array([whole], np.float32),
        np.array([scores], np.float32),
        np.zeros((1, 0, 2), np.float32),
    )
    return replace(result(detections([whole]), size_hw=size_hw), candidates=seen)


def columns_of(image: ImageArray, class_id: int) -> int:
    """Return the width of the parts in the colour of a class, px."""
    bgr = np.array(class_color(class_id)[::-1])
    return int((np.abs(image.astype(int) - bgr).max(-1) <= 2).any(0).sum())


def test_bars_over_the_threshold_have_their_colour_and_a_length_like_their_score():
    style = OverlayStyle(NAMES, bars=Thresholds(score=0.3))
    image = render(labelled([0.8, 0.2, 0.4]), style)
    whole = columns_of(image, 0) / 0.8
    assert whole > 40
    # the mark, 2 px wide, hides some of each; edges fall between pixels
    assert columns_of(image, 2) == pytest.approx(0.4 * whole, abs=4)
    assert columns_of(image, 1) == 0
    lower = render(labelled([0.8, 0.2, 0.4]), replace(style, bars=Thresholds(score=0.1)))
    assert columns_of(lower, 1) == pytest.approx(0.2 * whole, abs=4)


def test_bars_take_the_place_of_the_box_around_everything():
    bars = OverlayStyle(NAMES, bars=Thresholds())
    image = render(labelled([0.1, 0.1, 0.1]), bars)
    assert (image[:, 400:] == GREY).all()
    assert (image[300:] == GREY).all()
    assert (image[:200, :200] != GREY).any()
    boxes = render(labelled([0.1, 0.1, 0.1]), replace(bars, bars=None))
    assert (boxes[300:] != GREY).any()


def test_the_plate_of_the_bars_has_no_outline():
    image = render(labelled([0.1, 0.1, 0.1]), OverlayStyle(NAMES, bars=Thresholds())).astype(int)
    left = int((image != GREY).any((0, 2)).argmax())
    row = image[int((image[:, left] != GREY).any(1).argmax()) + 4]
    plate = row[left + 3]
    assert (plate < GREY).all()
    assert (row[left : left + 3] >= plate).all()  # the edge falls between pixels; a pen is black


def test_without_a_model_there_is_no_bar():
    style = OverlayStyle(NAMES, bars=Thresholds())
    assert (render(result(detections([])), style) == GREY).all()


def test_hidden_classes_have_no_bar_and_single_thresholds_count():
    thresholds = Thresholds(score=0.5, classes=frozenset({0, 2}), class_scores={2: 0.1})
    bars = choose_bars(np.array([0.4, 0.9, 0.2], np.float32), NAMES, thresholds, 9)
    assert [(bar.name, bar.threshold, bar.is_over) for bar in bars] == [
        ("ace", 0.5, False),
        ("queen", 0.1, True),
    ]


def test_with_little_room_the_best_are_shown_in_the_order_of_the_classes():
    scores = np.array([0.3, 0.1, 0.2, 0.9], np.float32)
    bars = choose_bars(scores, NAMES, Thresholds(), 2)
    assert [bar.name for bar in bars] == ["ace", "class 3"]
    assert choose_bars(scores, NAMES, Thresholds(), 0) == []


def test_scores_that_are_no_numbers_count_as_nothing():
    (bar,) = choose_bars(np.array([np.nan], np.float32), NAMES, Thresholds(), 1)
    assert bar.score == 0


@pytest.mark.parametrize("size_hw", [(8, 8), (40, 600), (600, 40), (2160, 3840)])
def test_images_of_any_size_can_be_painted(size_hw):
    style = OverlayStyle(("a class with a very long name",) * 30, bars=Thresholds())
    image = render(labelled([0.5] * 30, size_hw), style)
    assert image.shape == (*size_hw, 3)


@pytest.mark.parametrize("score", [0.05, 0.35, 0.7, 0.9])
def test_a_score_at_the_threshold_is_over_it(score):
    (bar,) = choose_bars(
        np.array([score], np.float32), ("text",), Thresholds(score=score), 1, np.array([True])
    )
    assert (bar.is_over, bar.verdict) == (True, "right")
