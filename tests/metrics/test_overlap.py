"""Overlap of outlines, by hand and against OpenCV and COCOeval, and in scenes that are turned."""

from dataclasses import replace

import numpy as np
import pytest
from pycocotools import mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from rotated_scenes import turned
from sample_results import detections, objects

from kpviewer.geometry import bridged
from kpviewer.metrics.agreement import agreement
from kpviewer.metrics.average_precision import average_precision, average_precision_by_size
from kpviewer.metrics.detection import confusion_matrix
from kpviewer.metrics.matching import IGNORED, match
from kpviewer.metrics.overlap import outline_overlaps
from kpviewer.metrics.rotated import shared_area
from kpviewer.sources.opencv import cv2
from kpviewer.structures import (
    Detections,
    FloatArray,
    GroundTruth,
    padded,
    signed_areas,
)

SQUARE = [(0, 0), (10, 0), (10, 10), (0, 10)]
DIAMOND = [(5, 5 - 50**0.5), (5 + 50**0.5, 5), (5, 5 + 50**0.5), (5 - 50**0.5, 5)]


def corners(*boxes: list[tuple[float, float]]) -> FloatArray:
    return np.array(boxes, np.float32)


@pytest.mark.parametrize(
    ("one", "other", "area"),
    [
        (SQUARE, SQUARE, 100),
        (SQUARE, SQUARE[::-1], 100),
        (SQUARE, SQUARE[2:] + SQUARE[:2], 100),
        (SQUARE, DIAMOND, 200 * (2**0.5 - 1)),  # a regular octagon
        (SQUARE, [(2, 2), (4, 2), (4, 4), (2, 4)], 4),
        (SQUARE, [(10, 0), (20, 0), (20, 10), (10, 10)], 0),
        (SQUARE, [(5, -5), (15, -5), (15, 15), (5, 15)], 50),
        (SQUARE, [(0, 0), (10, 0), (4, 4), (0, 10)], 40),  # an arrow
        (SQUARE, [(5, 5), (5, 5), (5, 5), (5, 5)], 0),
        ([(5, 5), (5, 5), (5, 5), (5, 5)], SQUARE, 0),
    ],
)
def test_shared_area_by_hand(one, other, area):
    found, true = corners(one), corners(other)
    for move in (0, 3000):
        assert shared_area(found + move, true + move) == pytest.approx([area], abs=1e-3)


def test_overlap_is_that_of_opencv():
    random = np.random.default_rng(3)
    boxes = [
        cv2.boxPoints((tuple(random.uniform(0, 50, 2)), tuple(random.uniform(2, 60, 2)), angle))
        for angle in random.uniform(-360, 360, 400)
    ]
    found, true = np.array(boxes[:200], np.float32), np.array(boxes[200:], np.float32)
    areas = [cv2.intersectConvexConvex(*each)[0] for each in zip(found, true, strict=True)]
    assert np.count_nonzero(areas) > 100
    assert shared_area(found, true) == pytest.approx(areas, abs=1e-2)
    assert abs(signed_areas(found)) == pytest.approx(
        [cv2.contourArea(each) for each in found], rel=1e-4
    )


def test_overlap_is_the_share_of_the_detection_in_a_crowd():
    rows, is_crowd = np.zeros(2, np.int64), np.array([False, True])
    overlaps = outline_overlaps(corners(DIAMOND), corners(SQUARE), rows, rows, is_crowd)
    octagon = 200 * (2**0.5 - 1)
    assert overlaps == pytest.approx([octagon / (200 - octagon), octagon / 100], rel=1e-5)


def crossing(angle: float, **options):
    """Return a flat box turned by an angle: detection or object, whose upright box is the same."""
    return turned(detections([(-50, -5, 50, 5)], **options), angle)


def test_boxes_that_cross_are_no_match_although_the_boxes_around_them_are_the_same():
    found, same = crossing(45), objects([(-50, -5, 50, 5)], [0], [0])
    true = turned(same, -45)
    assert found.xyxy == pytest.approx(true.xyxy, abs=1e-4)
    assert match(found, true).false_positives == 1
    assert match(found, turned(same, 45)).iou == pytest.approx(1)
    # one side is upright: it is compared as before
    assert len(match(found, replace(true, outlines_xy=None)).pairs[0]) == 1
    assert len(match(replace(found, outlines_xy=None), true).pairs[0]) == 1
    # four corners beside masks are masks, too; masks beside rotated boxes are compared by boxes
    mask = replace(found, outlines_xy=padded(found.outlines_xy, 64))
    assert match(mask, turned(same, 45)).iou == pytest.approx(1)
    assert match(mask, true).false_positives == 1
    masks = replace(true, outlines_xy=padded(true.outlines_xy, 64))
    assert len(match(found, masks).pairs[0]) == 1


def test_detection_in_a_difficult_object_is_ignored_if_it_lies_in_the_rotated_box():
    region = objects([(-50, -5, 50, 5)], [0], [1])
    inside = turned(detections([(20, -4, 28, 4)]), 45)
    assert match(inside, turned(region, 45)).ground_truth_index.tolist() == [IGNORED]
    beside = turned(detections([(20, 20, 28, 28)]), 45)  # in the box around the region
    assert match(beside, turned(region, 45)).false_positives == 1


def scene(random: np.random.Generator):
    """Return objects, a few of them difficult, and detections near some of them."""
    count = int(random.integers(1, 7))
    left_top = random.uniform(0, 60, (count, 2))
    boxes = np.concatenate([left_top, left_top + random.uniform(30, 60, (count, 2))], 1)
    ids = random.integers(0, 2, count)
    true = objects(boxes, ids, random.random(count) < 0.2)
    near = np.repeat(boxes, 2, axis=0) + random.normal(0, 4, (2 * count, 4))
    scores = np.sort(random.uniform(0.01, 1, 2 * count))[::-1]
    return detections(near, scores, random.permutation(np.repeat(ids, 2))), true


@pytest.mark.parametrize("labelled", [None, frozenset({0})])
def test_turning_a_scene_changes_no_score(labelled):
    random = np.random.default_rng(5)
    found, true = zip(*(scene(random) for _ in range(60)), strict=True)
    true = [replace(each, labelled_ids=labelled) for each in true]
    aslant = [[turned(each, 33) for each in side] for side in (found, true)]
    expected = average_precision(found, true, 2)
    assert 0.1 < (expected.ap or 0) < 0.9
    result = average_precision(*aslant, 2)
    assert result.ap50_by_class == pytest.approx(expected.ap50_by_class)
    assert result.ap == pytest.approx(expected.ap)
    upright = [[replace(each, outlines_xy=None) for each in side] for side in aslant]
    assert average_precision(*upright, 2).ap50_by_class != pytest.approx(expected.ap50_by_class)
    assert np.array_equal(confusion_matrix(*aslant, 2), confusion_matrix(found, true, 2))
    by_size = average_precision_by_size(*aslant, 2)
    assert by_size == pytest.approx(average_precision_by_size(found, true, 2))


def star(centre: FloatArray, radius: float, random: np.random.Generator) -> FloatArray:
    angles = np.arange(40) * 2 * np.pi / 40
    reach = radius * (1 + 0.4 * np.sin(5 * angles + random.uniform(0, 6)))
    rays = np.stack([np.cos(angles), np.sin(angles)], 1)
    return np.asarray(centre + reach[:, None] * rays, np.float32)


def masks_of(random: np.random.Generator) -> tuple[Detections, GroundTruth]:
    """Return stars, a few of them crowds, and detections of which some have another shape."""
    count = int(random.integers(1, 6))
    centres, sizes = random.uniform(60, 240, (count, 2)), random.uniform(15, 50, count)
    ids = random.integers(0, 2, count)
    phases = random.integers(0, 99, count)
    true = [
        star(centre, size, np.random.default_rng(phase))
        for centre, size, phase in zip(centres, sizes, phases, strict=True)
    ]
    found = [each + random.normal(0, 4, 2).astype(np.float32) for each in true]
    found += [star(*each, random) for each in zip(centres, sizes, strict=True)]
    scores = np.sort(random.uniform(0.01, 1, 2 * count))[::-1]
    seen, objects_ = (np.stack(each) for each in (found, true))
    order = random.permutation(2 * count)
    return (
        replace(
            detections(hulls(seen)[order], scores, np.tile(ids, 2)[order]), outlines_xy=seen[order]
        ),
        replace(objects(hulls(objects_), ids, random.random(count) < 0.2), outlines_xy=objects_),
    )


def hulls(outlines_xy: FloatArray) -> FloatArray:
    return np.concatenate([outlines_xy.min(1), outlines_xy.max(1)], 1)


def coco_records(side, *, scored: bool) -> list[dict[str, object]]:
    records: list[dict[str, object]] = []
    for image, each in enumerate(side):
        for row, outline in enumerate(each.outlines_xy.astype(float)):
            runs = mask.merge(mask.frPyObjects([outline.ravel().tolist()], 400, 400))
            record = {"image_id": image, "category_id": int(each.class_ids[row]) + 1,
                      "segmentation": runs, "area": float(mask.area(runs)),
                      "id": len(records) + 1, "iscrowd": 0}  # fmt: skip
            if scored:
                record["score"] = float(each.scores[row])
            else:
                record["iscrowd"] = int(each.difficult[row])
            records.append(record)
    return records


def test_average_precision_of_masks_is_that_of_cocoeval():
    random = np.random.default_rng(2)
    found, true = zip(*(masks_of(random) for _ in range(40)), strict=True)
    ground_truth = COCO()
    ground_truth.dataset = {
        "images": [{"id": image, "height": 400, "width": 400} for image in range(40)],
        "categories": [{"id": 1}, {"id": 2}],
        "annotations": coco_records(true, scored=False),
        "info": {},
    }
    ground_truth.createIndex()
    evaluation = COCOeval(ground_truth, ground_truth.loadRes(coco_records(found, scored=True)),
                          "segm")  # fmt: skip
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    result = average_precision(found, true, 2)
    assert (result.ap, result.ap50) == pytest.approx(tuple(evaluation.stats[:2]), abs=1e-9)
    assert 0.2 < result.ap < result.ap50 < 0.9
    boxes = [replace(each, outlines_xy=None) for each in found]
    assert average_precision(boxes, true, 2).ap50 > result.ap50 + 0.1
    # what one threshold counts is what COCOeval counts at IoU 0.5
    wrong = sum(match(*each).false_positives for each in zip(found, true, strict=True))
    boxed = sum(match(*each).false_positives for each in zip(boxes, true, strict=True))
    assert wrong > boxed


@pytest.mark.parametrize("labelled", [frozenset({0}), frozenset()])
def test_masks_of_classes_that_are_not_labelled_count_only_as_matches(labelled):
    random = np.random.default_rng(2)
    found, true = zip(*(masks_of(random) for _ in range(9)), strict=True)
    some = [replace(each, labelled_ids=labelled) for each in true]
    result, whole = (average_precision(found, each, 2) for each in (some, true))
    assert result.ap50_by_class[1] > whole.ap50_by_class[1]


def square(left: float, side: float = 40, top: float = 10) -> FloatArray:
    corners = [(left, top), (left + side, top), (left + side, top + side), (left, top + side)]
    return np.array(corners, np.float64)


def of_one_pair(found: FloatArray, true: FloatArray) -> float:
    sides = (np.float32(padded(each[None], 64)) for each in (found, true))
    first = np.zeros(1, np.int64)
    return float(outline_overlaps(*sides, first, first, np.zeros(1, np.bool_))[0])


def test_parts_of_a_mask_may_turn_either_way():
    """As in labels of other tools, whose areas would cancel each other."""
    found = bridged([square(10), square(60)])
    assert of_one_pair(found, bridged([square(10), square(60)[::-1]])) == 1


@pytest.mark.parametrize(
    ("one", "overlap"), [(square(-900, top=-900), 0), (square(-20), 1), (square(10, 9e5), 1)]
)
def test_masks_may_lie_anywhere_and_be_of_any_size(one, overlap):
    assert of_one_pair(one, one) == overlap


def test_masks_that_do_not_meet_have_no_overlap():
    outlines = np.stack([star(np.full(2, at), 10.0, np.random.default_rng(0)) for at in (20, 99)])
    rows, others = np.array([0, 0, 1]), np.array([0, 1, 1])
    overlaps = outline_overlaps(outlines, outlines, rows, others, np.zeros(3, np.bool_))
    assert overlaps.tolist() == [1, 0, 1]


def test_an_object_without_a_mask_is_compared_by_its_box():
    """As in labels with boxes among polygons: the mask of a ring covers half of its box."""
    ring = bridged([square(10), square(15, 30, top=15)[::-1]])
    assert of_one_pair(ring, square(10)) == 1
    assert of_one_pair(ring, square(10, 80)) == 0.25


def test_two_runs_agree_on_rotated_boxes_that_lie_alike():
    assert agreement([crossing(45)], [crossing(45)]).unmatched == 0
    assert agreement([crossing(45)], [crossing(-45)]).unmatched == 2
