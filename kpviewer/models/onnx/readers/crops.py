"""Outputs of models that read the keypoints of one object in a crop."""

import numpy as np

from kpviewer.errors import WeightsError
from kpviewer.models.onnx.description import GUIDE, OnnxDescription
from kpviewer.models.onnx.readers.columns import Outputs, floats, output_of
from kpviewer.models.ranking import Rows, one_hot_scores
from kpviewer.structures import FloatArray

SIMCC_X, SIMCC_Y = "simcc_x", "simcc_y"


def read_simcc(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    """Read keypoints in a crop from a distribution over columns and one over rows.

    ``simcc_x`` is (1, K, columns) and ``simcc_y`` (1, K, rows), finer than pixels. The score of a
    keypoint is the smaller maximum. The crop is the only box, with score 1.

    Source: mmpose, codecs/utils/post_processing.py (get_simcc_maximum).
    """
    height, width = input_hw
    maxima = []
    for name, side in ((SIMCC_X, width), (SIMCC_Y, height)):
        value = floats(output_of(outputs, name))
        if value.ndim != 3 or not value.size:
            raise WeightsError(
                f"Output {name!r} must have shape (1, K, bins), got {value.shape}. See {GUIDE}."
            )
        places = value.argmax(-1).astype(np.float32) * np.float32(side / value.shape[-1])
        maxima.append((places, value.max(-1)))
    (x, score_x), (y, score_y) = maxima
    if x.shape != y.shape:
        raise WeightsError(
            f"{SIMCC_X!r} and {SIMCC_Y!r} must have as many keypoints, got {x.shape} and {y.shape}."
        )
    points, scores = np.stack([x, y], -1), np.minimum(score_x, score_y)
    return of_crop(points, scores, description, input_hw)


def of_crop(
    points: FloatArray, scores: FloatArray, description: OnnxDescription, input_hw: tuple[int, int]
) -> Rows:
    """Return the crop as the only box, with score 1, and K keypoints with their scores."""
    height, width = input_hw
    certain = one_hot_scores(
        np.ones(1, np.float32), np.zeros(1, np.int64), len(description.classes)
    )
    crop = np.array([[0, 0, width, height]], np.float32)
    xy = np.asarray(points, np.float32).reshape(1, -1, 2)
    return Rows(crop, certain, xy, scores.reshape(1, -1).clip(0, 1))
