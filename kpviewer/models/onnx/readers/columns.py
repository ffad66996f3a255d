"""Parts that readers of outputs share: an output by name, boxes as corners, keypoints."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from kpviewer.errors import WeightsError
from kpviewer.models.boxes import cxcywh_to_xyxy
from kpviewer.models.onnx.description import GUIDE, BoxFormat, OutputFormat
from kpviewer.models.onnx.readers.base import Outputs
from kpviewer.models.ranking import Rows


def picked(outputs: Outputs, name: str) -> Tensor:
    """Return an output by name, without its batch axis: (P, D) float."""
    if name not in outputs:
        raise WeightsError(
            f"The model must have an output {name!r}, got {', '.join(outputs)}. "
            f"Name the right one under [output]: see {GUIDE}."
        )
    value = outputs[name].float()
    if value.ndim == 3 and len(value) == 1:
        value = value[0]
    if value.ndim != 2:
        raise WeightsError(
            f"Output {name!r} must have shape (1, P, D), got {tuple(outputs[name].shape)}. "
            f"kpviewer can't read such an output: see {GUIDE}."
        )
    return value


def require(name: str, value: Tensor, columns: int, meaning: str) -> None:
    """Raise WeightsError unless ``value`` has this number of columns."""
    if value.shape[1] != columns:
        raise WeightsError(
            f"Output {name!r} must have {columns} columns ({meaning}), got {value.shape[1]}. "
            f"Are the classes and the kind of output right? See {GUIDE}."
        )


def corners(boxes: Tensor, form: OutputFormat, default: BoxFormat) -> Tensor:
    """Convert (P, 4) boxes of the described format to corners."""
    box_format = form.box_format or default
    if box_format is BoxFormat.CXCYWH:
        return cxcywh_to_xyxy(boxes)
    if box_format is BoxFormat.XYWH:
        return torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)
    return boxes


def keypoints(columns: Tensor, count: int) -> tuple[Tensor, Tensor | None]:
    """Split (P, K*D) columns into positions (P, K, 2) and confidences (P, K); None if D is 2."""
    if not count:
        return columns.new_zeros(len(columns), 0, 2), None
    points = columns.reshape(len(columns), count, columns.shape[1] // count)
    return points[..., :2], points[..., 2] if points.shape[2] == 3 else None


def best_class(scores: Tensor) -> Tensor:
    """Return (P, C) scores with all but the best class of each row at 0, as YOLO detectors do."""
    best = scores.argmax(-1, keepdim=True)
    return torch.zeros_like(scores).scatter(1, best, scores.gather(1, best))


def flat_rows(value: Tensor) -> Tensor:
    """Return an output (P, D) or (1, P, D) as (P, D) float."""
    return value.float().reshape(-1, value.shape[-1])


def with_columns(outputs: Outputs, columns: int) -> list[Tensor]:
    """Return the outputs that have so many columns, as (P, D) float, in the order of the graph."""
    tables = (each for each in outputs.values() if each.ndim in (2, 3))
    return [flat_rows(each) for each in tables if each.shape[-1] == columns]


def joined(parts: Sequence[Rows]) -> Rows:
    """Return the predictions of several levels as one; none of them scores its keypoints."""
    return Rows(
        torch.cat([part.xyxy for part in parts]),
        torch.cat([part.scores for part in parts]),
        torch.cat([part.keypoints_xy for part in parts]),
    )
