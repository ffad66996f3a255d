"""k-means with the IoU of sizes: clusters that were made, values by hand, the input's scale."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.models.networks.ssd.light_ssd import LIGHT_SPEC
from kpviewer.models.spec import Resize
from kpviewer.sources.opencv import cv2
from kpviewer.structures import GroundTruth
from kpviewer.training.data.box_clusters import cluster_boxes, input_sizes, size_iou

MADE = np.array([[10, 10], [12, 60], [80, 30], [200, 210]], np.float32)
"""Sizes by ascending area."""


def around(sizes: np.ndarray, count: int, spread: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    sides = np.repeat(sizes, count, axis=0)
    return (sides * rng.uniform(1 - spread, 1 + spread, sides.shape)).astype(np.float32)


@pytest.mark.parametrize("seed", range(5))
def test_made_clusters_are_found_from_any_start(seed):
    clusters = cluster_boxes(around(MADE, 40, 0.1), 4, seed)
    assert clusters.sizes_wh == pytest.approx(MADE, rel=0.05)
    assert clusters.mean_iou > 0.9


def test_as_many_clusters_as_sizes_fit_every_box():
    clusters = cluster_boxes(np.repeat(MADE, 3, axis=0)[::-1], 4, 0)
    assert clusters.sizes_wh.tolist() == MADE.tolist()
    assert clusters.mean_iou == pytest.approx(1)


def test_overlap_of_sizes_is_that_of_boxes_with_one_centre():
    got = size_iou(np.array([[10.0, 20.0]]), np.array([[20.0, 10.0], [10.0, 20.0], [5.0, 4.0]]))
    # 10 x 10 shared of 200 + 200 - 100; all; 20 of 200
    assert got.tolist() == [pytest.approx([1 / 3, 1.0, 0.1])]


def test_a_box_belongs_to_the_size_that_it_overlaps_most_not_to_the_nearest():
    sizes = np.repeat(np.array([[10, 10], [100, 100], [40, 40]], np.float32), (20, 20, 4), axis=0)
    # IoU 0.16 with 100 x 100 and 0.06 with 10 x 10, which is nearer
    assert cluster_boxes(sizes, 2, 0).sizes_wh.tolist() == [[10, 10], [90, 90]]


def test_a_size_that_is_rare_among_many_boxes_may_be_missed():
    sizes = np.concatenate([np.repeat(MADE[:3], 30_000, axis=0), MADE[3:]])
    with pytest.raises(DatasetError, match="at least 4 different sizes, got 3"):
        cluster_boxes(sizes, 4, 0)


def test_too_few_sizes_are_refused():
    with pytest.raises(DatasetError, match="at least 5 different sizes, got 4"):
        cluster_boxes(np.repeat(MADE, 9, axis=0), 5, 0)


@pytest.mark.parametrize("seed", range(5))
def test_sizes_that_differ_by_rounding_errors_are_clustered(seed):
    digits = np.random.default_rng(seed).integers(0, 3, (60, 2))
    sizes = np.float32(194.7) + digits.astype(np.float32) * np.spacing(np.float32(194.7))
    assert len(np.unique(sizes, axis=0)) == 9
    clusters = cluster_boxes(sizes, 9, seed)
    assert clusters.sizes_wh == pytest.approx(194.7)
    assert clusters.mean_iou == pytest.approx(1)


def image(path: Path, size_wh: tuple[int, int]) -> AnnotatedImage:
    boxes = np.array([[10, 20, 110, 70], [0, 0, 40, 40], [5, 5, 5, 9]], np.float32)
    targets = replace(
        GroundTruth.empty(),
        xyxy=boxes,
        class_ids=np.zeros(3, np.int64),
        keypoints_xy=np.zeros((3, 0, 2), np.float32),
        keypoints_visible=np.zeros((3, 0), np.bool_),
        difficult=np.array([False, True, False]),
    )
    return AnnotatedImage(path, size_wh, targets, "", np.zeros(3, bool), np.zeros((3, 0), bool), 1)


@pytest.mark.parametrize("known", [True, False], ids=["annotated size", "size of the file"])
def test_sizes_are_those_in_the_input(tmp_path, known):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((320, 640, 3), np.uint8))
    data = AnnotationSet((image(tmp_path / "a.png", (640, 320) if known else (0, 0)),), ("x",))
    spec = replace(LIGHT_SPEC, resize=Resize.LETTERBOX, input_hw=(320, 320))
    # half the size; neither the difficult object nor that without width
    assert input_sizes(data, spec).tolist() == [[50, 25]]
