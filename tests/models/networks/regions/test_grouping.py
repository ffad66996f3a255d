"""Hierarchical grouping, worked out by hand on a few segments."""

import numpy as np

from kpviewer.models.networks.regions.grouping import Segments, grouped_xyxy


def segments(sizes, xyxy, histograms, pairs) -> Segments:
    return Segments(
        np.array(sizes, np.float32),
        np.array(xyxy, np.int64),
        np.array(histograms, np.float32),
        np.array(pairs, np.int64).reshape(-1, 2),
    )


ROW = [[0, 0, 4, 4], [4, 0, 8, 4], [8, 0, 12, 4]]
"""Three squares of 4 x 4 px side by side."""


def test_the_neighbours_of_the_most_similar_histograms_merge_first():
    # histograms share 0.2 left and 0.8 right; size and fill are equal on both sides
    found = grouped_xyxy(
        segments([16, 16, 16], ROW, [[1, 0], [0.2, 0.8], [0, 1]], [[0, 1], [1, 2]])
    )
    assert found.tolist() == [*ROW, [4, 0, 12, 4], [0, 0, 12, 4]]


def test_small_regions_merge_first_where_histograms_are_equal():
    boxes = [[0, 0, 8, 4], [8, 0, 10, 4], [10, 0, 12, 4]]  # 40 of 48 px left, 16 of 48 right
    found = grouped_xyxy(segments([32, 8, 8], boxes, [[1], [1], [1]], [[0, 1], [1, 2]]))
    assert found.tolist() == [*boxes, [8, 0, 12, 4], [0, 0, 12, 4]]


def test_regions_that_leave_no_gap_in_their_box_merge_first():
    # segment 0 stands above the left half of 1; together they leave a gap, 1 and 2 leave none
    boxes = [[0, 0, 4, 4], [0, 4, 8, 6], [0, 6, 8, 8]]
    found = grouped_xyxy(segments([16, 16, 16], boxes, [[1], [1], [1]], [[0, 1], [1, 2]]))
    assert found.tolist() == [*boxes, [0, 4, 8, 8], [0, 0, 8, 8]]


def test_a_merged_region_has_the_mean_histogram_by_size():
    # 0 (2 px wide) and 1 (6 px) become (0.45, 0.55), which shares 0.45 with 2 and 0.55 with 3;
    # the mean of the two rows, (0.5, 0.5), would share as much with both
    boxes = [[6, 0, 8, 4], [8, 0, 14, 4], [0, 0, 6, 4], [14, 0, 20, 4]]
    histograms = [[0.6, 0.4], [0.4, 0.6], [1, 0], [0, 1]]
    found = grouped_xyxy(segments([8, 24, 24, 24], boxes, histograms, [[0, 2], [0, 1], [1, 3]]))
    assert found.tolist() == [*boxes, [6, 0, 14, 4], [6, 0, 20, 4], [0, 0, 20, 4]]


def test_segments_that_do_not_touch_never_merge_directly():
    found = grouped_xyxy(segments([16, 16, 16], ROW, [[1, 0], [0, 1], [1, 0]], [[0, 1], [1, 2]]))
    assert [0, 0, 12, 4] not in found[:-1].tolist()
    assert len(found) == 5


def test_one_segment_is_its_own_only_region():
    assert grouped_xyxy(segments([16], ROW[:1], [[1]], [])).tolist() == ROW[:1]
