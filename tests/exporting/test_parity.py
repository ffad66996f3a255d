"""Comparison of an exported file with torch: what isn't a number differs."""

import numpy as np
import pytest

from kpviewer.errors import KpviewerError
from kpviewer.exporting.parity import Limits, compared
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.structures import Candidates, ImageArray

LIMITS = Limits(shift_px=0.5, shift_share=0.0, score=0.01, unmatched=0.0)
CLASSES = ModelSpec("labels", "fake", Task.CLASSIFY, ("cat", "dog"), (64, 64))
POINTS = ModelSpec(
    "points", "fake", Task.DETECT_KEYPOINTS, ("cat",), (64, 64), keypoint_names=("nose", "tail")
)


class StillEngine:
    """Engine that has one object with the same scores and keypoints in each image."""

    def __init__(self, spec: ModelSpec, scores: list[float], points: list[list[float]]) -> None:
        self.spec = spec
        box = np.array([[0, 0, 64, 64]], np.float32)
        xy = np.array(points, np.float32).reshape(1, -1, 2)
        self.found = Candidates(box, np.array([scores], np.float32), xy)

    def infer(self, _bgr: ImageArray) -> tuple[Candidates, None]:
        return self.found, None


@pytest.mark.parametrize(
    ("spec", "scores", "points", "bad_scores", "bad_points"),
    [
        (CLASSES, [0.9, 0.1], [], [np.nan, 0.1], []),
        (POINTS, [0.9], [[1, 2], [3, 4]], [0.9], [[1, 2], [np.nan, 4]]),
    ],
)
def test_what_is_not_a_number_differs(spec, scores, points, bad_scores, bad_points):
    images = [np.zeros((64, 64, 3), np.uint8)]
    good = StillEngine(spec, scores, points)
    compared(good, good, images, LIMITS).check(LIMITS)
    bad = StillEngine(spec, bad_scores, bad_points)
    with pytest.raises(KpviewerError, match="doesn't detect the same"):
        compared(good, bad, images, LIMITS).check(LIMITS)
