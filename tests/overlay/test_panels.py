"""Panels of predictions for a whole image, below it."""

import numpy as np

from kpviewer.overlay.palette import class_color
from kpviewer.overlay.panels import (
    MAX_BARS,
    SIDE_PX,
    LabelRow,
    bars_under,
    caption_under,
    choose_label_bars,
    label_tile,
)


def row(scores: list[float], present: list[int], known: list[int] | None = None) -> LabelRow:
    return LabelRow(
        np.array(scores, np.float32),
        np.array(present, np.bool_),
        np.array(known if known is not None else [1] * len(scores), np.bool_),
    )


def test_bars_name_what_is_right_missed_and_a_false_alarm():
    scored = row([0.9, 0.3, 0.6, 0.1, 0.99], [1, 1, 0, 0, 0], [1, 1, 1, 1, 0])
    bars = choose_label_bars(scored, list("abcde"), 0.5)
    assert [(bar.name, bar.verdict) for bar in bars] == [
        ("a", "right"),
        ("b", "missed"),
        ("c", "false alarm"),
        ("d", ""),
    ]  # fmt: skip - e has no ground truth


def test_with_many_classes_the_wrong_ones_are_shown_first_and_the_best_of_the_rest():
    scores = [0.4 - 0.01 * number for number in range(20)]
    scores[19], scores[18] = 0.9, 0.05
    bars = choose_label_bars(row(scores, [0] * 18 + [1, 0]), [str(i) for i in range(20)], 0.5)
    # 18 is missed, 19 a false alarm; the others by score
    assert [bar.class_id for bar in bars] == [*range(MAX_BARS - 2), 18, 19]


def count(bgr: np.ndarray, rgb: tuple[int, int, int]) -> int:
    return int((bgr[..., ::-1] == rgb).all(-1).sum())


def test_a_bar_is_as_long_as_its_score_and_grey_under_the_threshold():
    image = np.full((60, 100, 3), 128, np.uint8)
    lengths = []
    for score in (0.25, 0.5, 1.0):
        bars = choose_label_bars(row([score], [1]), ["ace"], 0.5)
        lengths.append(count(bars_under(image, bars), class_color(0)))
    assert lengths[0] == 0
    assert 1.8 < lengths[2] / lengths[1] < 2.2


def test_the_image_stays_whole_over_its_panel():
    image = np.random.default_rng(0).integers(0, 255, (SIDE_PX, 200, 3), np.uint8)
    left = (SIDE_PX - 200) // 2
    for tile in (
        label_tile(image, row([0.9, 0.2], [1, 0]), ["ace", "$king$"], 0.5),
        caption_under(image, "ace", is_right=True),
    ):
        assert tile.shape[0] > SIDE_PX and tile.shape[1] == SIDE_PX
        assert (tile[:SIDE_PX, left : left + 200] == image).all()


def test_right_and_wrong_captions_differ():
    image = np.zeros((10, 10, 3), np.uint8)
    right, wrong = (caption_under(image, "ace", is_right=flag) for flag in (True, False))
    assert (right[SIDE_PX:] != wrong[SIDE_PX:]).any()
