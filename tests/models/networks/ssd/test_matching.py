"""Matching against a slow loop that removes rows and columns literally."""

import torch

from kpviewer.models.networks.ssd.matching import UNMATCHED, match_boxes, match_more


def slow_match(iou: torch.Tensor, threshold: float) -> list[int]:
    """One image, (T, P): the rule as the paper states it."""
    ground_truths, anchors = iou.shape
    matched = [UNMATCHED] * anchors
    for anchor in range(anchors):
        overlap, ground_truth = iou[:, anchor].max(0)
        if overlap >= threshold:
            matched[anchor] = int(ground_truth)
    left = iou.clone()
    for _ in range(ground_truths):
        ground_truth, anchor = divmod(int(left.argmax()), anchors)
        matched[anchor] = ground_truth
        left[ground_truth], left[:, anchor] = -1, -1
    return matched


def test_matching_equals_the_literal_rule():
    generator = torch.Generator().manual_seed(7)
    for ground_truths in (1, 3, 8):
        iou = torch.rand(4, ground_truths, 60, generator=generator) ** 3
        matched = match_boxes(iou, 0.6)
        for row in range(4):
            assert matched[row].tolist() == slow_match(iou[row], 0.6)


def test_two_objects_with_the_same_best_anchor_both_get_one():
    iou = torch.tensor([[[0.9, 0.3, 0.0], [0.8, 0.1, 0.2]]])
    assert match_boxes(iou, 0.95)[0].tolist() == [0, UNMATCHED, 1]


def test_padding_matches_nothing():
    iou = torch.tensor([[[0.2, 0.7], [-1.0, -1.0]], [[-1.0, -1.0], [-1.0, -1.0]]])
    assert match_boxes(iou, 0.5).tolist() == [[UNMATCHED, 0], [UNMATCHED, UNMATCHED]]


def test_a_batch_without_any_object_matches_nothing():
    assert (match_boxes(torch.zeros(2, 0, 5), 0.5) == UNMATCHED).all()


def test_an_object_with_one_anchor_gets_its_next_best_free_ones():
    iou = torch.tensor(
        [
            [
                [0.40, 0.30, 0.10, 0.39, 0.00, 0.00],  # one anchor by its rank alone
                [0.00, 0.35, 0.00, 0.60, 0.80, 0.30],  # has anchors 3 and 4
                [-1.0, -1.0, -1.0, -1.0, -1.0, -1.0],
            ]
        ]
    )
    first = match_boxes(iou, 0.5)
    assert first[0].tolist() == [0, UNMATCHED, UNMATCHED, 1, 1, UNMATCHED]
    # both want anchor 1, which overlaps the second more; anchor 3 is taken, 0.1 is too little
    assert match_more(iou, first, 3)[0].tolist() == [0, 1, UNMATCHED, 1, 1, UNMATCHED]
    assert match_more(iou, first, 2)[0].tolist() == first[0].tolist()


def test_no_object_no_further_anchors():
    matched = torch.full((2, 5), UNMATCHED)
    assert match_more(torch.zeros(2, 0, 5), matched, 3).equal(matched)
