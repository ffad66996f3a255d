"""Readers of outputs by kind. A new kind is a module, a value of ``OutputKind`` and a line here."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

from kpviewer.errors import WeightsError
from kpviewer.models.onnx.description import GUIDE, OnnxDescription, OutputKind
from kpviewer.models.onnx.readers.columns import Outputs
from kpviewer.models.onnx.readers.crops import read_simcc
from kpviewer.models.onnx.readers.detections import read_flat, read_lists
from kpviewer.models.onnx.readers.exported import read_candidates, read_classes
from kpviewer.models.onnx.readers.faces import (
    read_blazeface,
    read_retinaface,
    read_scrfd,
    read_yunet,
    read_yunet_2021,
)
from kpviewer.models.onnx.readers.heatmaps import read_heatmaps, read_heatmaps_udp
from kpviewer.models.onnx.readers.movenet import read_movenet, read_movenet_multi
from kpviewer.models.onnx.readers.openmmlab import read_mmdet, read_rtmo
from kpviewer.models.onnx.readers.rotated import read_rotated
from kpviewer.models.onnx.readers.sleap import read_sleap
from kpviewer.models.onnx.readers.ssd import read_detr, read_ssd
from kpviewer.models.onnx.readers.yolo import read_boxes, read_yolov5, read_yolov8, read_yolox
from kpviewer.models.ranking import Rows

Reader: TypeAlias = Callable[[Outputs, OnnxDescription, tuple[int, int]], Rows]
"""Returns the predictions of one image for an input of (height, width) px. Coordinates are input
pixels, or in [0, 1] where the description says ``normalised``. Raises WeightsError if an output is
missing or has another shape than the description says."""

READERS: Mapping[OutputKind, Reader] = {
    OutputKind.SSD: read_ssd,
    OutputKind.YOLOV5: read_yolov5,
    OutputKind.YOLOV8: read_yolov8,
    OutputKind.BOXES: read_boxes,
    OutputKind.ROTATED: read_rotated,
    OutputKind.YOLOX: read_yolox,
    OutputKind.FLAT: read_flat,
    OutputKind.LISTS: read_lists,
    OutputKind.DETR: read_detr,
    OutputKind.CANDIDATES: read_candidates,
    OutputKind.CLASSES: read_classes,
    OutputKind.YUNET: read_yunet,
    OutputKind.YUNET_2021: read_yunet_2021,
    OutputKind.SCRFD: read_scrfd,
    OutputKind.RETINAFACE: read_retinaface,
    OutputKind.BLAZEFACE: read_blazeface,
    OutputKind.MMDET: read_mmdet,
    OutputKind.RTMO: read_rtmo,
    OutputKind.SIMCC: read_simcc,
    OutputKind.HEATMAPS: read_heatmaps,
    OutputKind.HEATMAPS_UDP: read_heatmaps_udp,
    OutputKind.SLEAP: read_sleap,
    OutputKind.MOVENET: read_movenet,
    OutputKind.MOVENET_MULTI: read_movenet_multi,
}


def read_outputs(outputs: Outputs, description: OnnxDescription, input_hw: tuple[int, int]) -> Rows:
    """Return the predictions of one image in input pixels.

    Raises:
        WeightsError: if an output is missing or its shape contradicts the description.
    """
    with np.errstate(all="ignore"):  # rows without numbers are left out later
        rows = READERS[description.output.kind](outputs, description, input_hw)
    _check(rows, description)
    if not description.output.normalised:
        return rows
    height, width = input_hw
    scale = np.array([width, height], np.float32)
    outlines = rows.outlines_xy
    return rows._replace(
        xyxy=rows.xyxy * np.tile(scale, 2),
        keypoints_xy=rows.keypoints_xy * scale,
        outlines_xy=None if outlines is None else outlines * scale,
    )


def _check(rows: Rows, description: OnnxDescription) -> None:
    """Raise WeightsError unless each box has scores and keypoints as they are described."""
    described = (
        (len(rows.xyxy), len(description.classes)),
        (len(rows.xyxy), len(description.keypoints)),
    )
    given = rows.scores.shape, rows.keypoints_xy.shape[:2]
    if given != described:
        raise WeightsError(
            f"The outputs, read as kind {str(description.output.kind)!r}, must give each of "
            f"{len(rows.xyxy)} boxes scores of {described[0][1]} classes and {described[1][1]} "
            f"keypoints, got scores of shape {given[0]} and keypoints of shape {given[1]}. Are the "
            f"classes, the keypoints and the outputs right? See {GUIDE}."
        )
