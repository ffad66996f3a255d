"""What the makers of hand-built layouts do before and after their networks, in numpy."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.layouts.common import CONFIDENCE, IOU, MAX_DETECTIONS, Result, letterbox

Array = np.ndarray
MEAN_RGB = np.array([123.675, 116.28, 103.53], np.float32)
STD_RGB = np.array([58.395, 57.12, 57.375], np.float32)


@cache
def _session(path: Path) -> Any:
    import onnxruntime

    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def run(path: Path, inputs: Mapping[str, Array]) -> list[Array]:
    """Return the outputs of a file, in its order."""
    outputs: list[Array] = _session(path).run(None, dict(inputs))
    return outputs


def planes(image: Array, mean: Any = 0.0, std: Any = 1.0) -> Array:
    """Return (1, 3, H, W) float32 of (H, W, 3), its channels in the order given."""
    values = (image.astype(np.float32) - mean) / std
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None], np.float32)


def boxed(image: Array, size: int, padding: int, centred: bool) -> tuple[Array, Any]:
    """Letterbox an image, and return the way back for points or corners."""
    canvas, scale, corner = letterbox(image, size, padding, centred)

    def back(values: Array) -> Array:
        offsets = np.tile(np.array(corner, np.float32), values.shape[-1] // 2)
        return (values - offsets) / scale

    return canvas, back


def stretched(image: Array, size: int) -> Array:
    """Stretch an image to a square as Pillow does, for RT-DETR and D-FINE."""
    from PIL import Image

    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR))


def corners(boxes: Array) -> Array:
    """Turn centre, width and height to corners."""
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], 1)


def suppressed(image: Array, boxes: Array, scores: Array, keypoints: Array | None = None) -> Result:
    """Keep the best class of each row, suppress within classes, and clip boxes to the image.

    Args:
        image: (H, W, 3).
        boxes: (P, 4) corners in its pixels.
        scores: (P, C).
        keypoints: (P, K, 3).
    """
    import torch
    from torchvision.ops import batched_nms

    best = scores.max(1)
    rows = np.flatnonzero(best > CONFIDENCE)
    classes = scores.argmax(1)
    kept = batched_nms(*map(torch.from_numpy, (boxes[rows], best[rows], classes[rows])), IOU)
    return _result(image, rows[kept.numpy()], boxes, scores, keypoints)


def distinct(image: Array, boxes: Array, scores: Array, keypoints: Array | None = None) -> Result:
    """Keep every row above the confidence, the best first, as after NMS inside of a graph."""
    best = scores.max(1)
    rows = np.argsort(-best, kind="stable")
    return _result(image, rows[best[rows] > CONFIDENCE], boxes, scores, keypoints)


def _result(
    image: Array, rows: Array, boxes: Array, scores: Array, keypoints: Array | None
) -> Result:
    rows = rows[:MAX_DETECTIONS]
    limits = np.array(image.shape[1::-1] * 2, np.float32)
    points = [] if keypoints is None else keypoints[rows].tolist()
    clipped = np.clip(boxes[rows], 0, limits).tolist()
    return Result(clipped, scores[rows].max(1).tolist(), scores[rows].argmax(1).tolist(), points)


def cells(size: int, stride: int, anchors: int = 1) -> Array:
    """Return column and row of each cell of a square input, each ``anchors`` times."""
    side = -(-size // stride)
    rows, columns = np.mgrid[:side, :side]
    return np.repeat(np.stack([columns, rows], -1).reshape(-1, 2), anchors, 0).astype(np.float32)


def one_hot(scores: Array, classes: Array, count: int) -> Array:
    """Put the score of each row into the column of its class."""
    table = np.zeros((len(scores), count), np.float32)
    table[np.arange(len(scores)), classes.astype(int)] = scores
    return table


def without_confidence(points: Array) -> Array:
    """Add "not a number" as the confidence of (P, K, 2) keypoints that have none."""
    return np.concatenate([points, np.full_like(points[..., :1], np.nan)], -1)


def crop_affine(image: Array, box: Array, size: tuple[int, int]) -> tuple[Array, Array, Array]:
    """Cut 1.25 times a box at the proportions of an input: the crop, its centre and size.

    Source: projects/rtmpose/examples/onnxruntime/main.py of open-mmlab/mmpose.
    """
    width, height = size
    centre = (box[:2] + box[2:]) / 2
    wide, high = (box[2:] - box[:2]) * 1.25
    extent = np.array([max(wide, high * width / height), max(high, wide * height / width)])
    scale = width / extent[0]
    matrix = np.array(
        [
            [scale, 0, width / 2 - centre[0] * scale],
            [0, scale, height / 2 - centre[1] * scale],
        ]
    )
    return cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR), centre, extent
