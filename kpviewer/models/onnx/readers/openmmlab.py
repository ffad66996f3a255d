"""Outputs of OpenMMLab's deployed models: boxes with scores, and labels or keypoints of each."""

import numpy as np

from kpviewer.errors import WeightsError
from kpviewer.models.onnx.description import GUIDE, OnnxDescription
from kpviewer.models.onnx.readers.columns import (
    Outputs,
    check_classes,
    floats,
    output_of,
    picked,
    require,
    whole,
)
from kpviewer.models.ranking import Rows, one_hot_scores
from kpviewer.structures import FloatArray

BOXES, LABELS, KEYPOINTS = "dets", "labels", "keypoints"
_LEAST_SCORE = 0.01
"""Rows below it are padding, whose labels mean nothing."""


def read_mmdet(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    """Read ``dets`` (1, P, 5) of corners and score, and ``labels`` (1, P); NMS was done.

    Models of OpenVINO's zoo and of Geti call them ``boxes``, and may lack the batch axis.

    Source: mmdeploy, configs/mmdet/_base_/base_static.py.
    """
    dets, labels = _dets(outputs), whole(output_of(outputs, LABELS).reshape(-1))
    if len(labels) != len(dets):
        raise WeightsError(
            f"Output {LABELS!r} must have {len(dets)} labels, one per box, got {len(labels)}. "
            f"See {GUIDE}."
        )
    classes = len(description.classes)
    check_classes(labels[dets[:, 4] >= _LEAST_SCORE], classes)
    scores = one_hot_scores(dets[:, 4], labels, classes)
    return Rows(dets[:, :4], scores, np.zeros((len(dets), 0, 2), np.float32))


def read_rtmo(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    """Read ``dets`` (1, P, 5) and ``keypoints`` (1, P, K, 3) of x, y and score; NMS was done.

    Source: mmdeploy, configs/mmpose/pose-detection_rtmo_onnxruntime_dynamic.py.
    """
    dets, points = _dets(outputs), floats(output_of(outputs, KEYPOINTS))
    wanted = (len(dets), len(description.keypoints), 3)
    if points.shape[-3:] != wanted:
        raise WeightsError(
            f"Output {KEYPOINTS!r} must have shape {(1, *wanted)}, got {points.shape}. See {GUIDE}."
        )
    points = points.reshape(wanted)
    return Rows(dets[:, :4], dets[:, 4:], points[..., :2], points[..., 2].clip(0, 1))


def _dets(outputs: Outputs) -> FloatArray:
    name = BOXES if BOXES in outputs else "boxes"
    dets = picked(outputs, name)
    require(name, dets, 5, "x1, y1, x2, y2 and score")
    return dets
