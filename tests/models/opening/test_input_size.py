"""``MODEL@SIDE``: the same weights with another input size."""

import numpy as np
import pytest
from onnx_files import graph_model

from kpviewer.errors import WeightsError
from kpviewer.geometry import iou_matrix
from kpviewer.models.loading import open_model
from kpviewer.models.networks.ssd.face_ssd import build_face_ssd
from kpviewer.models.selection import select
from kpviewer.models.weights import save_weights
from kpviewer.runtime.executor import Executor
from kpviewer.sources.resizing import resized
from kpviewer.sources.synthetic.demo import DemoSource
from kpviewer.structures import FloatArray

SHRINK = 6


def far_face() -> tuple[np.ndarray, FloatArray]:
    """A grey 1280x960 image with the demo's first frame in it, shrunk; the box of its face."""
    source = DemoSource()
    source.open()
    taken = source.read(lambda height, width: np.empty((height, width, 3), np.uint8))
    source.close()
    assert taken is not None and taken.ground_truth is not None
    image = np.full((960, 1280, 3), 90, np.uint8)
    height, width = (side // SHRINK for side in taken.bgr.shape[:2])
    image[400 : 400 + height, 500 : 500 + width] = resized(taken.bgr, (height, width))
    return image, taken.ground_truth.xyxy[:1] / SHRINK + np.array([500, 400, 500, 400], np.float32)


def test_a_larger_input_finds_a_face_that_is_too_small_for_the_models_own():
    image, ground_truth = far_face()
    found = {}
    for name in ("face-ssd", "face-ssd@1280"):
        detector = open_model(name)
        candidates, _ = Executor(detector, "cpu", "fp32", "torch").infer(image)
        boxes = select(candidates, detector.spec.thresholds).xyxy
        found[name] = bool((iou_matrix(ground_truth, boxes) > 0.5).any())
    assert found == {"face-ssd": False, "face-ssd@1280": True}


def test_the_name_and_the_input_are_as_requested(tmp_path):
    assert open_model("face-ssd@640").spec.input_hw == (640, 640)
    assert open_model("face-ssd@640").spec.name == "face-ssd@640"
    path = tmp_path / "faces@640.safetensors"  # an @ in a file's own name is left alone
    save_weights(build_face_ssd(), path)
    assert open_model(path).spec.input_hw == (256, 448)
    assert open_model(f"{path}@128").spec.input_hw == (128, 128)


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("face-ssd@600", "got 600. Write face-ssd@608"),
        ("face-ssd@0", "Write face-ssd@32"),
        ("face-ssd@99999", "Write face-ssd@4096"),
    ],
)
def test_a_size_that_the_network_cannot_take_is_refused_with_one_that_it_can(name, cure):
    with pytest.raises(WeightsError, match=cure):
        open_model(name)


def test_outputs_that_are_no_numbers_are_noticed_at_any_size(tmp_path):
    pytest.importorskip("onnxruntime")
    path, outputs = tmp_path / "m.onnx", {"output0": np.full((1, 5, 84), np.nan, "f4")}
    entries = {"task": "detect", "names": "{0: 'dog'}", "imgsz": "[64, 64]"}
    graph_model(path, {"images": ("float32", [1, 3, "height", "width"])}, outputs, **entries)
    for name in (str(path), f"{path}@96"):
        executor = Executor(open_model(name), "cpu", backend="onnxruntime")
        executor.infer(np.zeros((64, 64, 3), np.uint8))
        assert "aren't numbers" in (executor.doubt or ""), name
