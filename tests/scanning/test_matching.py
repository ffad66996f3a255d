"""Matching of many frames at once, against each frame alone."""

import numpy as np

from kpviewer.geometry import iou_matrix, iou_of_sides
from kpviewer.scanning.matching import (
    Pairs,
    by_overlap,
    greedy,
    near_pairs,
    paired_sides,
    pairs_of,
    rank_in_group,
)


def test_pairs_are_those_of_equal_keys():
    pairs = pairs_of(np.array([3, 1, 3, 7]), np.array([3, 3, 1, 4]))
    assert list(zip(pairs.rows.tolist(), pairs.others.tolist(), strict=True)) == [
        (0, 0),
        (0, 1),
        (1, 2),
        (2, 0),
        (2, 1),
    ]


def test_iou_of_pairs_is_that_of_the_matrix():
    random = np.random.default_rng(3)
    xy = random.uniform(0, 30, (2, 9, 2))
    one, other = np.concatenate([xy, xy + random.uniform(0, 20, (2, 9, 2))], 2).astype(np.float32)
    sides = paired_sides(one, other, Pairs(np.arange(9), np.arange(9)))
    assert np.array_equal(iou_of_sides(*sides), np.diagonal(iou_matrix(one, other)))


def test_rank_counts_the_rows_of_a_group():
    assert rank_in_group(np.array([5, 2, 5, 5, 2])).tolist() == [0, 0, 1, 2, 1]
    assert rank_in_group(np.zeros(0, np.int64)).tolist() == []


def test_first_row_takes_what_it_overlaps_most_and_the_next_what_is_left():
    pairs = Pairs(np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 1, 2]))
    overlap = np.array([0.6, 0.7, 0.8, 0.9, 0.5], np.float32)
    order = by_overlap(pairs, overlap)
    best = pairs.take(order)
    taken = best.take(greedy(best, np.array([0, 0, 1]), 3))
    assert dict(zip(taken.rows.tolist(), taken.others.tolist(), strict=True)) == {0: 1, 1: 0, 2: 2}


def test_of_equal_overlaps_the_first_or_the_last_goes_first():
    pairs, overlap = Pairs(np.array([0, 0]), np.array([0, 1])), np.full(2, 0.5)
    assert by_overlap(pairs, overlap).tolist() == [0, 1]
    assert by_overlap(pairs, overlap, last_of_ties=True).tolist() == [1, 0]


def test_near_pairs_are_those_of_the_matrix_whatever_the_blocks(monkeypatch):
    random = np.random.default_rng(4)
    xy = random.uniform(0, 40, (70, 2))
    xyxy = np.concatenate([xy, xy + 20], 1).astype(np.float32)
    keys, other_keys = random.integers(0, 4, 40), random.integers(0, 4, 30)
    expected = (iou_matrix(xyxy[:40], xyxy[40:]) >= 0.2) & (keys[:, None] == other_keys)
    for block in (1, 7, 10_000):
        monkeypatch.setattr("kpviewer.scanning.matching.BLOCK", block)
        pairs, overlap = near_pairs(xyxy[:40], keys, xyxy[40:], other_keys, 0.2)
        assert sorted(zip(pairs.rows, pairs.others, strict=True)) == list(
            zip(*np.nonzero(expected), strict=True)
        )
        matrix = iou_matrix(xyxy[:40], xyxy[40:])
        assert np.array_equal(overlap, matrix[pairs.rows, pairs.others])
