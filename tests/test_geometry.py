"""Boxes and the letterbox."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpviewer.geometry import (
    Letterbox,
    bridged,
    iou_matrix,
    rings_of,
    xywh_to_xyxy,
    xyxy_to_xywh,
)
from kpviewer.structures import signed_areas

SIDES = st.integers(1, 4000)


@given(SIDES, SIDES, st.sampled_from([None, 32, 64]))
def test_letterbox_round_trip_is_exact_to_half_a_pixel(height, width, stride):
    box = Letterbox.fit((height, width), (320, 320), stride)
    corners = np.array([[0, 0], [width, height], [width / 3, height / 7]], np.float32)
    assert np.abs(box.to_source(box.to_input(corners)) - corners).max() <= 0.5


@given(SIDES, SIDES, st.sampled_from([None, 64]))
def test_the_image_is_inside_the_input(height, width, stride):
    box = Letterbox.fit((height, width), (320, 320), stride)
    assert box.left >= 0 and box.top >= 0
    assert box.top + box.resized_hw[0] <= box.input_hw[0] <= 320
    assert box.left + box.resized_hw[1] <= box.input_hw[1] <= 320
    far = box.to_input(np.array([width, height], np.float32))
    corner = [box.left + box.resized_hw[1], box.top + box.resized_hw[0]]
    np.testing.assert_allclose(far, corner, atol=1e-2)


@given(SIDES, SIDES)
def test_a_stretched_image_fills_the_input_and_is_invertible(height, width):
    box = Letterbox.stretch((height, width), (300, 200))
    assert box.resized_hw == box.input_hw == (300, 200)
    corners = np.array([[0, 0], [width, height], [width / 3, height / 7]], np.float32)
    expected = [[0, 0], [200, 300], [200 / 3, 300 / 7]]
    np.testing.assert_allclose(box.to_input(corners), expected, atol=1e-3)
    assert np.abs(box.to_source(box.to_input(corners)) - corners).max() <= 0.5
    boxes = corners[None, :2].reshape(1, 4)  # four numbers are two points
    np.testing.assert_allclose(box.to_source(box.to_input(boxes)), boxes, atol=0.5)


@pytest.mark.parametrize(
    ("source", "stride", "expected"),
    [
        ((480, 640), None, (320, 320)),
        ((480, 640), 64, (256, 320)),
        ((1080, 1920), 64, (192, 320)),
        ((1920, 1080), 64, (320, 192)),
    ],
)
def test_the_input_is_no_larger_than_the_image_needs(source, stride, expected):
    assert Letterbox.fit(source, (320, 320), stride).input_hw == expected


@pytest.mark.parametrize(
    ("source", "stride", "resized", "expected"),
    [
        # 224 rows leave room for 448 columns, a scale of 224 / 1080; 256 rows for 384, 384 / 1920
        ((1080, 1920), 32, (224, 398), (224, 416)),
        ((1920, 1080), 32, (398, 224), (416, 224)),
        ((1080, 1920), 64, (216, 384), (256, 384)),
        ((480, 640), 32, (264, 352), (288, 352)),
        ((90, 90), 32, (320, 320), (320, 320)),
        ((100, 2000), 32, (64, 1280), (64, 1280)),  # 96 rows leave room for 1056 columns
    ],
)
def test_an_input_of_the_images_proportions(source, stride, resized, expected):
    box = Letterbox.fit_area(source, (320, 320), stride)
    assert (box.resized_hw, box.input_hw) == (resized, expected)


@given(SIDES, SIDES)
def test_fitting_the_area_loses_neither_size_nor_time(height, width):
    box = Letterbox.fit_area((height, width), (320, 320), 32)
    assert box.input_hw[0] * box.input_hw[1] <= 320 * 320
    assert box.input_hw[0] % 32 == box.input_hw[1] % 32 == 0
    assert box.resized_hw >= Letterbox.fit((height, width), (320, 320), 32).resized_hw
    corners = np.array([[0, 0], [width, height], [width / 3, height / 7]], np.float32)
    assert np.abs(box.to_source(box.to_input(corners)) - corners).max() <= 0.5


def test_an_image_without_pixels_is_refused():
    with pytest.raises(ValueError, match="at least 1 px"):
        Letterbox.fit((0, 10), (320, 320))
    with pytest.raises(ValueError, match="at least 1 px"):
        Letterbox.stretch((10, 10), (0, 320))
    with pytest.raises(ValueError, match="at least 1 px"):
        Letterbox.fit_area((0, 10), (320, 320), 32)


def test_overlap_by_hand():
    a = np.array([[0, 0, 10, 10], [5, 5, 5, 5], [20.5, 20, 20.75, 21]], np.float32)
    b = np.array([[5, 0, 15, 10], [20, 20, 30, 30]], np.float32)
    # 50 shared of 150; nothing; a box without area; a box inside, of a quarter of a pixel
    np.testing.assert_allclose(iou_matrix(a, b), [[1 / 3, 0], [0, 0], [0, 0.0025]], atol=1e-7)


def test_formats_undo_each_other():
    xyxy = np.array([[1, 2, 11, 22]], np.float32)
    assert xyxy_to_xywh(xyxy).tolist() == [[1, 2, 10, 20]]
    assert xywh_to_xyxy(xyxy_to_xywh(xyxy)).tolist() == xyxy.tolist()


def test_an_image_at_the_top_left_is_rounded_down():
    box = Letterbox.fit((375, 500), (320, 320), is_centred=False)
    assert (box.left, box.top) == (0, 0)
    assert box.resized_hw == (240, 320)
    # 333 * 320 / 517 = 206.1, and 500 * 320 / 517 = 309.48
    assert Letterbox.fit((517, 333), (320, 320), is_centred=False).resized_hw == (320, 206)
    assert Letterbox.fit((334, 517), (320, 320), is_centred=False).resized_hw == (206, 320)
    assert Letterbox.fit((334, 517), (320, 320)).resized_hw == (207, 320)


def test_an_image_may_be_fitted_into_a_part_of_the_input():
    box = Letterbox.fit((480, 640), (640, 640), content_hw=(636, 636))
    assert box.resized_hw == (477, 636) and box.input_hw == (640, 640)
    assert (box.left, box.top) == (2, 81)  # (640 - 636) // 2, (640 - 477) // 2


SQUARE, HOLE, FAR = (
    np.array(corners, np.float64)
    for corners in (
        [(0, 0), (10, 0), (10, 10), (0, 10)],
        [(4, 4), (4, 6), (6, 6), (6, 4)],
        [(20, 2), (25, 2), (22, 9)],
    )
)


@pytest.mark.parametrize("rings", [[SQUARE], [SQUARE, HOLE], [SQUARE, FAR, HOLE], [FAR, SQUARE]])
def test_bridges_join_rings_and_are_found_again(rings):
    polygon = bridged(rings)
    area = sum(signed_areas(ring[None])[0] for ring in rings)
    assert signed_areas(polygon[None])[0] == pytest.approx(area)
    assert len(polygon) == sum(map(len, rings)) + 2 * (len(rings) - 1)
    found = rings_of([tuple(corner) for corner in polygon.tolist()])
    assert sorted(sorted(ring) for ring in found) == sorted(
        sorted(tuple(corner) for corner in ring.tolist()) for ring in rings
    )


def test_a_spike_of_a_polygon_is_no_bridge():
    spike = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (5.0, 20.0), (10.0, 10.0), (0.0, 10.0)]
    assert rings_of(spike) == [spike]
