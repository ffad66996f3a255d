"""Exports of Ultralytics of older versions, or without metadata: right, or the user chooses."""

from pathlib import Path

import numpy as np
import pytest

from kpviewer.errors import WeightsError
from kpviewer.models.onnx.families.base import AmbiguousLayout
from kpviewer.models.opening.onnx_file import open_onnx
from kpviewer.models.spec import Resize
from kpviewer.structures import NmsKind

pytest.importorskip("onnxruntime")

from onnx_files import HW, graph_model

NAMES = {1: "{0: 'cat'}", 2: "{0: 'dog', 1: 'cat'}", 5: str(dict(enumerate("abcde")))}
IMAGE = {"images": ("float32", [1, 3, *HW])}
CELLS = 126
"""Predictions of a head for 64x96 px: 8x12, 4x6 and 2x3."""
KEYPOINTS = [45.0, 28.0, 0.7]


def found(path: Path, layout: str | None = None):
    """Return the first box, its score, and its keypoints."""
    detector = open_onnx(path, layout)
    decoded = detector.decode(detector.network(np.zeros((1, 3, *HW), np.float32)), HW)
    best = round(float(decoded.scores[0, 0].max()), 3)
    return detector.spec, decoded.xyxy[0, 0].round().tolist(), best, decoded.keypoints_xy[0, 0]


def written(folder: Path, output: np.ndarray, *others: np.ndarray, **metadata: str) -> Path:
    names = {f"output{index}": each for index, each in enumerate((output, *others))}
    outputs = {name: each.astype(np.float32) for name, each in names.items()}
    return graph_model(folder / "model.onnx", IMAGE, outputs, **metadata)


def rows(*values: float, count: int = 300) -> np.ndarray:
    table = np.zeros((1, count, len(values)))
    table[0, 0] = values
    return table


def columns(*values: float) -> np.ndarray:
    return rows(*values, count=CELLS).transpose(0, 2, 1)


@pytest.mark.parametrize("classes", [1, 2, 5])
def test_rows_of_yolov10_before_end2end_was_written_need_no_nms(tmp_path, classes):
    entries = {"task": "detect", "names": NAMES[classes], "version": "8.1.34"}
    entries["description"] = "Ultralytics YOLOv10n model trained on data.yaml"
    path = written(tmp_path, rows(40, 25, 60, 35, 0.8, classes - 1), **entries)
    spec, box, score, _ = found(path)
    assert (box, score, spec.nms) == ([40, 25, 60, 35], 0.8, NmsKind.NONE)
    assert (spec.resize, len(spec.class_names)) == (Resize.LETTERBOX, classes)


@pytest.mark.parametrize(
    ("task", "row", "box"),
    [
        ("pose", [40, 25, 60, 35, 0.8, 0, *KEYPOINTS], [40, 25, 60, 35]),
        ("segment", [40, 25, 60, 35, 0.8, 0, *[5.0] * 32], [40, 25, 60, 35]),
        ("obb", [50, 30, 20, 10, 0.8, 0, np.pi / 2], [45, 20, 55, 40]),
    ],
)
def test_rows_of_other_tasks_are_told_by_their_shape(tmp_path, task, row, box):
    entries = {"task": task, "names": NAMES[1], "kpt_shape": "[1, 3]"}
    spec, seen, score, _ = found(written(tmp_path, rows(*row), **entries))
    assert (seen, score, spec.nms) == (box, 0.8, NmsKind.NONE)


def test_an_old_rt_detr_of_another_name_is_told_by_its_shape(tmp_path):
    row = rows(0.5, 0.5, 0.5, 0.25, 0.1, 0.2, 0.9, 0.1, 0.1)
    entries = {"task": "detect", "names": NAMES[5], "description": "Ultralytics mine model"}
    spec, box, score, _ = found(written(tmp_path, row, **entries))
    assert (box, score, spec.resize) == ([24, 24, 72, 40], 0.9, Resize.STRETCH)


def test_two_classes_and_six_columns_without_a_maker_are_not_guessed(tmp_path):
    row = rows(0.5, 0.5, 0.5, 0.25, 0.9, 0)
    path = written(tmp_path, row, task="detect", names=NAMES[2])
    with pytest.raises(AmbiguousLayout) as caught:
        open_onnx(path)
    assert [each.layout for each in caught.value.candidates] == [
        "ultralytics-rows",
        "ultralytics-rtdetr-scores",
        "ultralytics-rtdetr",
    ]
    for layout in ("ultralytics-rtdetr", "ultralytics-rtdetr-scores"):
        assert found(path, layout)[1:3] == ([24, 24, 72, 40], 0.9)


@pytest.mark.parametrize(
    ("output", "layout", "box"),
    [
        (rows(40, 25, 60, 35, 0.8, 3), "ultralytics-rows", [40, 25, 60, 35]),
        (rows(0.5, 0.5, 0.5, 0.25, 0.8, 3), "ultralytics-rtdetr", [24, 24, 72, 40]),
        (rows(0.5, 0.5, 0.5, 0.25, 0.8, 0), "ultralytics-rtdetr-scores", [24, 24, 72, 40]),
        (rows(40, 25, 60, 35, 0.8, 0, *KEYPOINTS * 17), "ultralytics-rows", [40, 25, 60, 35]),
        (rows(50, 30, 20, 10, 0.8, 0, np.pi / 2), "ultralytics-rows", [45, 20, 55, 40]),
        (columns(50, 30, 20, 10, 0.8, 0, np.pi / 2), "yolov8-obb", [45, 20, 55, 40]),
        (columns(50, 30, 20, 10, 0.8, *KEYPOINTS * 17), "yolov8-pose", [40, 25, 60, 35]),
    ],
)
def test_a_file_without_metadata_lets_the_user_choose(tmp_path, output, layout, box):
    path = written(tmp_path, output)
    with pytest.raises(AmbiguousLayout, match=f"--layout {layout} "):
        open_onnx(path)
    spec, seen, score, points = found(path, layout)
    assert (seen, score) == (box, 0.8)
    if spec.keypoint_names:
        assert points[16].tolist() == KEYPOINTS[:2]


@pytest.mark.parametrize(
    ("output", "layout"),
    [
        (columns(50, 30, 20, 10, 0.8, *[5.0] * 32), "yolov8"),
        (rows(40, 25, 60, 35, 0.8, 0, *[5.0] * 32), "ultralytics-rows"),
    ],
)
def test_coefficients_of_masks_are_not_classes(tmp_path, output, layout):
    path = written(tmp_path, output, np.zeros((1, 32, 16, 24)))
    with pytest.raises(AmbiguousLayout) as caught:
        open_onnx(path)
    assert [each.layout for each in caught.value.candidates] == [layout]
    spec, box, score, _ = found(path, layout)
    assert (box, score) == ([40, 25, 60, 35], 0.8)
    assert spec.has_outlines


def test_rows_of_unknown_width_have_no_wrong_choice(tmp_path):
    with pytest.raises(WeightsError, match=r"doesn't say what its outputs mean .*1x300x10"):
        open_onnx(written(tmp_path, rows(*[1.0] * 10)))
