"""Exports of LibreYOLO, which have Ultralytics' entries and other outputs."""

import json
from pathlib import Path

import numpy as np
import pytest

from kpviewer.errors import WeightsError
from kpviewer.models.opening.onnx_file import open_onnx

pytest.importorskip("onnxruntime")

from onnx_files import graph_model
from onnx_layouts import CELLS, IMAGE, SIZE, float_rows, found

ENTRIES = {
    "libreyolo_version": "1.6.0",
    "task": "detect",
    "names": json.dumps({"0": "ant", "1": "bee"}),
    "imgsz": str(SIZE),
}
CORNERS = [8, 16, 40, 48]


def libreyolo(path: Path, family: str, outputs: dict[str, np.ndarray], **entries: str) -> Path:
    return graph_model(path, IMAGE, outputs, **{**ENTRIES, "model_family": family, **entries})


def rows(*columns: float) -> np.ndarray:
    return float_rows(list(columns), count=CELLS)


def queries() -> dict[str, np.ndarray]:
    logits, boxes = float_rows([2, 1], [-9, -9]), float_rows([0.375, 0.5, 0.5, 0.5], [0] * 4)
    return {"pred_logits": logits, "pred_boxes": boxes}


@pytest.mark.parametrize(
    ("family", "outputs", "expected"),
    [  # by hand from _parse_outputs in backends/base.py of libreyolo 1.6
        ("yolo9", {"output": rows(*CORNERS, 0.8, 0.6).mT}, ["ant", "bee"]),
        ("rtmdet", {"output": rows(*CORNERS, 0.8, 0.6)}, ["ant", "bee"]),
        ("yolox", {"output": rows(24, 32, 32, 32, 1, 0.8, 0.6)}, ["ant"]),
        (
            "ppyoloe",
            {"boxes": rows(*CORNERS), "scores": rows(0.8, 0.6)},
            ["ant", "bee"],
        ),
        (
            "yolonas",  # whose outputs have wrong names
            {"pred_logits": rows(*CORNERS), "pred_boxes": rows(0.8, 0.6)},
            ["ant"],
        ),
        ("dfine", queries(), ["ant", "bee"]),
        ("efficientdet", {"output": rows(*CORNERS, 0.8, 0)}, ["ant"]),
        (
            "yolo9",  # with NMS inside
            {"output": float_rows([*CORNERS, 0.8, 1]), "raw": rows(*CORNERS, 0.8, 0.6).mT},
            ["bee"],
        ),
    ],
)
def test_the_family_says_what_outputs_mean(tmp_path, family, outputs, expected):
    seen = found(libreyolo(tmp_path / "m.onnx", family, outputs))
    assert [each[0] for each in seen] == expected
    assert all(each[2] == CORNERS for each in seen)


def test_the_family_says_how_images_are_prepared(tmp_path):
    path = libreyolo(tmp_path / "a.onnx", "yolo9", {"output": rows(*CORNERS, 0.8, 0.6).mT})
    spec = open_onnx(path).spec
    assert (spec.placement, spec.sampling, spec.padding) == ("top-left", "linear", (114,) * 3)
    path = libreyolo(tmp_path / "b.onnx", "rtmdet", {"output": rows(*CORNERS, 0.8, 0.6)})
    assert open_onnx(path).network.channels == "bgr"


@pytest.mark.parametrize(("size", "mean"), [("atto", 0), ("s", 0.485)])
def test_the_size_of_a_deimv2_says_its_colours(tmp_path, size, mean):
    path = libreyolo(tmp_path / "m.onnx", "deimv2", queries(), size=size)
    assert open_onnx(path).spec.mean[0] == mean


@pytest.mark.parametrize(
    ("family", "task", "words"),
    [("retinanet", "detect", "how its images are prepared"), ("yolo9", "pose", "no detector")],
)
def test_what_is_not_read_is_refused(tmp_path, family, task, words):
    outputs = {"output": rows(*CORNERS, 0.8, 0.6).mT}
    path = libreyolo(tmp_path / "m.onnx", family, outputs, task=task)
    with pytest.raises(WeightsError, match=words):
        open_onnx(path)
