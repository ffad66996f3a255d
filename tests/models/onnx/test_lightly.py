"""LT-DETR of LightlyTrain, whose entries name its classes and colours."""

import json

import numpy as np
import pytest

from kpviewer.errors import WeightsError
from kpviewer.models.opening.onnx_file import open_onnx
from kpviewer.models.spec import Resize
from kpviewer.structures import NmsKind

pytest.importorskip("onnxruntime")

from onnx_files import graph_model
from onnx_layouts import IMAGE, float_rows, found

ENTRIES = {  # as version 0.18 writes them for {0: crow, 4: gull, 2: owl}
    "lightly_train_version": "0.18.0",
    "classes": json.dumps({0: "crow", 4: "gull", 2: "owl"}),
    "image_normalize": '{"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}',
}


def outputs(*logits: list[float]) -> dict[str, np.ndarray]:
    boxes = [[0.5, 0.5, 0.5, 0.25], [0.25, 0.5, 0.5, 0.5]][: len(logits)]
    return {"logits": float_rows(*logits), "boxes": float_rows(*boxes)}


def test_columns_have_the_classes_in_the_order_of_the_entry(tmp_path):
    path = graph_model(tmp_path / "m.onnx", IMAGE, outputs([-9, 2, -9], [-9, -9, 0.5]), **ENTRIES)
    # by hand: 1 / (1 + e^-2) = 0.881, 1 / (1 + e^-0.5) = 0.622
    assert found(path) == [("gull", 0.881, [16, 24, 48, 40]), ("owl", 0.622, [0, 16, 32, 48])]
    spec = open_onnx(path).spec
    assert (spec.resize, spec.nms) == (Resize.STRETCH, NmsKind.NONE)
    assert spec.mean == pytest.approx((0.485, 0.456, 0.406))
    assert spec.std == pytest.approx((0.229, 0.224, 0.225))
    assert not spec.notes


def test_other_classes_than_columns_are_refused(tmp_path):
    path = graph_model(tmp_path / "m.onnx", IMAGE, outputs([-9, 2]), **ENTRIES)
    with pytest.raises(WeightsError, match="'classes' names 3 classes, its logits have 2"):
        open_onnx(path)
