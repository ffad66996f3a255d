"""Outputs of face detectors: YuNet, SCRFD, RetinaFace and BlazeFace."""

from collections.abc import Mapping

import numpy as np

from kpviewer.errors import WeightsError
from kpviewer.models.onnx.cells import map_cells
from kpviewer.models.onnx.description import GUIDE, OnnxDescription
from kpviewer.models.onnx.readers.columns import (
    Outputs,
    cxcywh_to_xyxy,
    joined,
    picked,
    require,
    sigmoid,
    softmax,
    with_columns,
)
from kpviewer.models.ranking import Rows
from kpviewer.structures import FloatArray

SCRFD_STRIDES = (8, 16, 32, 64, 128)
"""Three with two anchors per cell, or five with one."""
RETINAFACE_ANCHORS: Mapping[int, tuple[int, ...]] = {8: (16, 32), 16: (64, 128), 32: (256, 512)}
SLIM_ANCHORS: Mapping[int, tuple[int, ...]] = {
    8: (10, 16, 24),
    16: (32, 48),
    32: (64, 96),
    64: (128, 192, 256),
}
"""Sides of square anchors by stride, px: Pytorch_Retinaface, and Face-Detector-1MB-with-landmark
(its slim and RFB networks). Source: data/config.py of both."""
BLAZEFACE_LAYERS = {
    (128, 896): ((8, 2), (16, 6)),
    (256, 896): ((16, 2), (32, 6)),
    (192, 2304): ((4, 1),),
}
"""Stride and anchors per cell by side of the input and rows: short range (front), back and full
range. All anchors have the side of the input."""
YUNET_STRIDES = (8, 16, 32)
POINTS = 5
VARIANCES = (0.1, 0.2)
"""Scales of the offsets of centres and sizes, as in all networks descended from SSD."""


def read_scrfd(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    """Read scores, distances to the sides and offsets of points, each for 3 or 5 strides.

    Outputs have 1, 4 or 10 columns and differ by rows; their order and names don't matter.
    Coordinates are in strides from the corner of a cell.

    Source: model_zoo/retinaface.py of insightface (RetinaFace.forward, distance2bbox).
    """
    groups = [
        sorted(with_columns(outputs, columns), key=len, reverse=True) for columns in (1, 4, 10)
    ]
    count = len(groups[0])
    has_points = bool(description.keypoints)
    wanted = [count, count, count if has_points else 0]
    if [len(group) for group in groups] != wanted or count not in (3, 5):
        raise WeightsError(
            "SCRFD must have 3 or 5 outputs of 1 column, as many of 4, and as many of 10 if it "
            f"has points; got {', '.join(map(str, _shapes(outputs)))}. See {GUIDE}."
        )
    parts = []
    for level, stride in enumerate(SCRFD_STRIDES[:count]):
        scores, distances = groups[0][level], groups[1][level] * stride
        cells = _cells(input_hw, stride, len(scores)) * stride
        xyxy = np.concatenate([cells - distances[:, :2], cells + distances[:, 2:]], 1)
        points = np.zeros((len(xyxy), 0, 2), np.float32)
        if has_points:
            points = cells[:, None] + groups[2][level].reshape(len(cells), POINTS, 2) * stride
        parts.append(Rows(xyxy, scores, points))
    return joined(parts)


def read_retinaface(
    outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]
) -> Rows:
    """Read offsets of boxes and points from anchors, and scores of background and face.

    Source: utils/box_utils.py (decode, decode_landm) and layers/functions/prior_box.py of
    Pytorch_Retinaface.
    """
    offsets, scores, points = (_single(outputs, columns) for columns in (4, 2, 10))
    tables = (RETINAFACE_ANCHORS, SLIM_ANCHORS)
    counts = [anchor_count(input_hw, each) for each in tables]
    if len(offsets) not in counts:
        raise WeightsError(
            f"RetinaFace must have {counts[0]} or {counts[1]} rows for an input of {input_hw[1]}x"
            f"{input_hw[0]} px, got {len(offsets)}. Its anchors aren't known: see {GUIDE}."
        )
    anchors = _anchors(tables[counts.index(len(offsets))], input_hw, rounded_up=True)
    if np.isclose(scores.sum(1), 1, atol=0.01).mean() < 0.5:  # some may be no numbers
        scores = softmax(scores)  # exported in training mode, which leaves it out
    boxes, points = _placed(anchors, offsets, points, np.array(VARIANCES[1:], np.float32))
    return Rows(boxes, scores[:, 1:], points)


def read_yunet(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    """Read one box and five points per cell of each stride, as offsets from its corner in strides.

    Source: the decoding of cv2.FaceDetectorYN, which a test compares with.
    """
    parts = []
    for stride in YUNET_STRIDES:
        height, width = (side // stride for side in input_hw)
        names = [f"{name}_{stride}" for name in ("cls", "obj", "bbox", "kps")]
        classes, objects, boxes, points = (picked(outputs, name) for name in names)
        require(names[2], boxes, 4, "four per box")
        if len(boxes) != height * width:
            raise WeightsError(
                f"Output {names[2]!r} must have {height * width} rows for an input of "
                f"{width}x{height} cells, got {len(boxes)}. See {GUIDE}."
            )
        cells = map_cells(height, width)
        centres = (boxes[:, :2] + cells) * stride
        sizes = np.exp(boxes[:, 2:]) * stride
        scores = np.sqrt(classes.clip(0, 1) * objects.clip(0, 1))
        points = (points.reshape(len(cells), -1, 2) + cells[:, None]) * stride
        parts.append(Rows(cxcywh_to_xyxy(centres, sizes), scores, points))
    rows = joined(parts)
    return rows._replace(keypoints_xy=rows.keypoints_xy[:, : len(description.keypoints)])


def read_yunet_2021(
    outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]
) -> Rows:
    """Read offsets of box and points, scores of background and face, and the predicted IoU.

    Width and height have different scales, and feature maps are rounded down, as in OpenCV.

    Source: modules/objdetect/src/face_detect.cpp of OpenCV 4.5.4 to 4.6.
    """
    offsets, scores, overlaps = (_single(outputs, columns) for columns in (14, 2, 1))
    anchors = _anchors(SLIM_ANCHORS, input_hw, rounded_up=False)
    if len(anchors) != len(offsets):
        raise WeightsError(
            f"YuNet must have {len(anchors)} rows for an input of {input_hw[1]}x{input_hw[0]} px, "
            f"got {len(offsets)}. See {GUIDE}."
        )
    boxes, points = _placed(anchors, offsets, offsets[:, 4:], np.array(VARIANCES, np.float32))
    certain = np.sqrt(scores[:, 1:].clip(0, 1) * overlaps.clip(0, 1))
    return Rows(boxes, certain, points)


def read_blazeface(
    outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]
) -> Rows:
    """Read (P, 16) centre, size and six points in px from a cell's centre, and (P, 1) logits.

    Source: face_detection_short_range_common.pbtxt and tflite_tensors_to_detections_calculator of
    MediaPipe.
    """
    values, logits = (_single(outputs, columns) for columns in (16, 1))
    layers = BLAZEFACE_LAYERS.get((input_hw[1], len(values)))
    if layers is None or input_hw[0] != input_hw[1]:
        raise WeightsError(
            f"BlazeFace must have 896 rows for an input of 128 or 256 px, or 2304 for 192 px, got "
            f"{len(values)} for {input_hw[1]}x{input_hw[0]} px. See {GUIDE}."
        )
    centres = np.concatenate(
        [
            (_cells(input_hw, stride, _area(input_hw, stride) * anchors) + 0.5) * stride
            for stride, anchors in layers
        ]
    )
    boxes = cxcywh_to_xyxy(centres + values[:, :2], values[:, 2:4])
    points = centres[:, None] + values[:, 4:].reshape(len(values), 6, 2)
    return Rows(boxes, sigmoid(logits), points)


def anchor_count(input_hw: tuple[int, int], anchors: Mapping[int, tuple[int, ...]]) -> int:
    """Return how many anchors an input of ``input_hw`` px has."""
    return sum(_area(input_hw, stride) * len(sides) for stride, sides in anchors.items())


def _anchors(
    sides_by_stride: Mapping[int, tuple[int, ...]], input_hw: tuple[int, int], *, rounded_up: bool
) -> FloatArray:
    """Return the (P, 4) centre and size of anchors, px; ``rounded_up`` says how maps are."""
    levels = []
    for stride, sides in sides_by_stride.items():
        height, width = ((side + rounded_up * (stride - 1)) // stride for side in input_hw)
        centres = (map_cells(height, width).repeat(len(sides), 0) + 0.5) * stride
        size = np.tile(np.array(sides, np.float32), height * width)[:, None]
        levels.append(np.concatenate([centres, size, size], 1))
    return np.concatenate(levels)


def _placed(
    anchors: FloatArray, offsets: FloatArray, points: FloatArray, size_scales: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the (P, 4) corners and (P, 5, 2) points at offsets from anchors, px."""
    centres = anchors[:, :2] + offsets[:, :2] * VARIANCES[0] * anchors[:, 2:]
    sizes = anchors[:, 2:] * np.exp(offsets[:, 2:4] * size_scales)
    shifts = points.reshape(len(points), POINTS, 2) * VARIANCES[0] * anchors[:, None, 2:]
    return cxcywh_to_xyxy(centres, sizes), anchors[:, None, :2] + shifts


def _cells(input_hw: tuple[int, int], stride: int, rows: int) -> FloatArray:
    """Return column and row of the cell of each of ``rows`` predictions: (P, 2) float."""
    height, width = (-(-side // stride) for side in input_hw)
    anchors, rest = divmod(rows, height * width)
    if rest or not anchors:
        raise WeightsError(
            f"Stride {stride} of an input of {input_hw[1]}x{input_hw[0]} px must have a multiple "
            f"of {height * width} rows, got {rows}. See {GUIDE}."
        )
    return map_cells(height, width).repeat(anchors, 0)


def _area(input_hw: tuple[int, int], stride: int) -> int:
    return -(-input_hw[0] // stride) * -(-input_hw[1] // stride)


def _single(outputs: Outputs, columns: int) -> FloatArray:
    found = with_columns(outputs, columns)
    if len(found) != 1:
        raise WeightsError(
            f"The model must have one output of {columns} columns, got "
            f"{', '.join(map(str, _shapes(outputs)))}. See {GUIDE}."
        )
    return found[0]


def _shapes(outputs: Outputs) -> list[tuple[int, ...]]:
    return [each.shape for each in outputs.values()]
