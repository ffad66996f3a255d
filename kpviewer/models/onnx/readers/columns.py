"""Parts that readers of outputs share: an output by name, boxes as corners, keypoints."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kpviewer.errors import WeightsError
from kpviewer.models.onnx.description import GUIDE, BoxFormat, OutputFormat
from kpviewer.models.ranking import Masks, Rows
from kpviewer.structures import FloatArray, IntArray

Outputs: TypeAlias = Mapping[str, NDArray[Any]]
"""Outputs of one image by name, with a batch axis of 1."""
_MOST_LOGIT = 88.0
"""Absolute value above which the exponential of a float32 isn't finite."""


def output_of(outputs: Outputs, name: str) -> NDArray[Any]:
    """Return an output by name; raise WeightsError if there is none, or it holds no numbers."""
    if name in outputs and outputs[name].dtype.kind not in "biuf":
        raise WeightsError(f"Output {name!r} must be numbers, got text. See {GUIDE}.")
    if name not in outputs:
        raise WeightsError(
            f"The model must have an output {name!r}, got {', '.join(outputs)}. "
            f"Name the right one under [output]: see {GUIDE}."
        )
    return outputs[name]


def picked(outputs: Outputs, name: str) -> FloatArray:
    """Return an output by name, without its batch axis and other axes of 1: (P, D) float32."""
    value = floats(output_of(outputs, name))
    if value.ndim == 4 and 1 in value.shape[1:3] and value.shape[3] > 1:  # (1, P, 1, 4)
        value = value.squeeze(2 if value.shape[2] == 1 else 1)
    if value.ndim == 3 and len(value) == 1:
        value = value[0]
    if value.ndim != 2:
        raise WeightsError(
            f"Output {name!r} must have shape (1, P, D), got {outputs[name].shape}. "
            f"kpviewer can't read such an output: see {GUIDE}."
        )
    return value


def require(name: str, value: FloatArray, columns: int, meaning: str) -> None:
    """Raise WeightsError unless ``value`` has this number of columns."""
    if value.shape[1] != columns:
        raise WeightsError(
            f"Output {name!r} must have {columns} columns ({meaning}), got {value.shape[1]}. "
            f"Are the classes and the kind of output right? See {GUIDE}."
        )


def check_classes(numbers: IntArray, classes: int) -> None:
    """Raise WeightsError if detections are of more classes than have names."""
    if (highest := int(numbers.max(initial=-1))) >= classes:
        raise WeightsError(
            f"The model predicts class {highest}, but only {classes} are named. Write a TOML with "
            f"all class names beside the file: see {GUIDE}."
        )


def floats(value: NDArray[Any]) -> FloatArray:
    """Return an output as float32."""
    return value.astype(np.float32, copy=False)


def whole(value: FloatArray) -> IntArray:
    """Return the nearest integers; -1 for what isn't finite."""
    rounded = np.rint(np.nan_to_num(value, nan=-1, posinf=-1, neginf=-1))
    return rounded.clip(-1, 1e9).astype(np.int64)


def cxcywh_to_xyxy(centres: FloatArray, sizes: FloatArray) -> FloatArray:
    """Convert (P, 2) centres, and (P, 2) widths and heights, to (P, 4) corners."""
    half = sizes / 2
    return np.concatenate([centres - half, centres + half], 1)


def corners(boxes: FloatArray, form: OutputFormat, default: BoxFormat) -> FloatArray:
    """Convert (P, 4) boxes of the described format to corners."""
    box_format = form.box_format or default
    if box_format is BoxFormat.CXCYWH:
        return cxcywh_to_xyxy(boxes[:, :2], boxes[:, 2:])
    if box_format is BoxFormat.XYWH:
        return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)
    if box_format is BoxFormat.YXYX:
        return boxes[:, [1, 0, 3, 2]]
    return boxes


def keypoints(columns: FloatArray, count: int) -> tuple[FloatArray, FloatArray | None]:
    """Split (P, K*D) columns into positions (P, K, 2) and confidences (P, K); None if D is 2."""
    if not count:
        return np.zeros((len(columns), 0, 2), np.float32), None
    points = columns.reshape(len(columns), count, columns.shape[1] // count)
    return points[..., :2], points[..., 2] if points.shape[2] == 3 else None


def own_masks(
    outputs: Outputs, form: OutputFormat, count: int, input_hw: tuple[int, int]
) -> Masks | None:
    """Return the mask of each of ``count`` boxes, (1, P, h, w) or (P, 1, h, w); None without."""
    if form.masks is None:
        return None
    maps = floats(output_of(outputs, form.masks))
    if maps.ndim != 4 or sorted(maps.shape[:2]) != sorted((1, count)):
        raise WeightsError(
            f"Output {form.masks!r} must have a mask for each of {count} boxes, got shape "
            f"{maps.shape}. See {GUIDE}."
        )
    return Masks(maps.reshape(count, *maps.shape[2:]), input_hw, limit=form.mask_limit)


def best_class(scores: FloatArray) -> FloatArray:
    """Return (P, C) scores with all but the best class of each row at 0, as YOLO detectors do."""
    rows, best = np.arange(len(scores)), scores.argmax(-1)
    table = np.zeros_like(scores)
    table[rows, best] = scores[rows, best]
    return table


def sigmoid(logits: FloatArray) -> FloatArray:
    """Return the logistic function of logits of any shape."""
    shares: FloatArray = 1 / (1 + np.exp(-logits.clip(-_MOST_LOGIT, _MOST_LOGIT)))
    return shares


def softmax(logits: FloatArray) -> FloatArray:
    """Return the softmax over the last axis."""
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    shares: FloatArray = powers / powers.sum(-1, keepdims=True)
    return shares


def flat_rows(value: NDArray[Any]) -> FloatArray:
    """Return an output (P, D) or (1, P, D) as (P, D) float32."""
    return floats(value).reshape(-1, value.shape[-1])


def with_columns(outputs: Outputs, columns: int) -> list[FloatArray]:
    """Return the outputs that have so many columns, as (P, D), in the order of the graph."""
    tables = (each for each in outputs.values() if each.ndim in (2, 3))
    return [flat_rows(each) for each in tables if each.shape[-1] == columns]


def joined(parts: Sequence[Rows]) -> Rows:
    """Return the predictions of several levels as one; none of them scores its keypoints."""
    return Rows(
        np.concatenate([part.xyxy for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.keypoints_xy for part in parts]),
    )
