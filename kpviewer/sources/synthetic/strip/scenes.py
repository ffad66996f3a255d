"""Generated scenes of a steel strip, with exact ground truth, for training and tests."""

import numpy as np

from kpviewer.sources.synthetic.strip.exposure import expose, random_exposure
from kpviewer.sources.synthetic.strip.world import TARGET_PX, random_world
from kpviewer.structures import FloatArray, GroundTruth, ImageArray, IntArray

SIZE_HW = (320, 1920)
_TEST_KEY = 0x74657374


def random_scene(
    rng: np.random.Generator, size_hw: tuple[int, int] = SIZE_HW
) -> tuple[ImageArray, GroundTruth]:
    """Return a random scene.

    Args:
        rng: random generator; the same state gives the same scene.
        size_hw: size of the image, px, each side at least 96. The strip runs along the longer side;
            in a square image, along either.

    Returns:
        (H, W, 3) uint8 BGR, and its marks: none to two per class, with boxes of 30 px and the
        centre as the only keypoint.
    """
    height, width = size_hw
    is_upright = height > width or (height == width and bool(rng.random() < 0.5))
    lying_hw = (width, height) if is_upright else (height, width)
    world = random_world(rng, lying_hw)
    bgr, centres_xy = expose(world, random_exposure(rng), lying_hw)
    if is_upright:
        bgr, centres_xy = np.ascontiguousarray(bgr.transpose(1, 0, 2)), centres_xy[:, ::-1]
    return bgr, ground_truth_of(centres_xy, world.class_ids, size_hw)


def scene_for_test(
    index: int, size_hw: tuple[int, int] = SIZE_HW
) -> tuple[ImageArray, GroundTruth]:
    """Return a scene of the test set, whose seeds training never uses."""
    return random_scene(np.random.default_rng([_TEST_KEY, index]), size_hw)


def ground_truth_of(
    centres_xy: FloatArray, class_ids: IntArray, size_hw: tuple[int, int]
) -> GroundTruth:
    """Return the marks whose centre is in the image; those with a cut box are difficult."""
    limit = np.array(size_hw[::-1], np.float32)
    seen = ((centres_xy >= 0) & (centres_xy < limit)).all(1)
    centres_xy = np.ascontiguousarray(centres_xy[seen], np.float32)
    xyxy = np.concatenate([centres_xy - TARGET_PX / 2, centres_xy + TARGET_PX / 2], 1)
    cut = np.asarray(((xyxy[:, :2] < 0) | (xyxy[:, 2:] > limit)).any(1), np.bool_)
    xyxy = np.clip(xyxy, 0, np.concatenate([limit, limit])).astype(np.float32)
    visible = np.ones((len(xyxy), 1), np.bool_)
    return GroundTruth(xyxy, class_ids[seen], centres_xy[:, None], visible, cut)
