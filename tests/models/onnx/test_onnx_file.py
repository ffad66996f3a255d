"""ONNX files: a tiny graph of each kind of output, and real models if available."""

import copy
import dataclasses
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx_files import constant_model

from kpviewer.errors import WeightsError
from kpviewer.models.loading import open_model
from kpviewer.models.onnx.description import (
    SHIPPED_DIR,
    OnnxDescription,
    OutputKind,
    read_description,
)
from kpviewer.models.opening.onnx_file import OnnxDetector, open_onnx
from kpviewer.models.opening.torch_loading import as_torch
from kpviewer.runtime.executor import Executor
from kpviewer.sources.opencv import cv2

pytest.importorskip("onnxruntime")

HW = (64, 96)


def described(path: Path, text: str) -> Path:
    path.with_suffix(".toml").write_text(text)
    return path


def seen(detector: OnnxDetector):
    raw = detector.network(np.zeros((1, 3, *HW), np.float32))
    return detector.decode(raw, HW)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


def test_ssd_drops_the_background_and_scales_boxes(model):
    scores = np.array([[[0.1, 0.7, 0.2], [0.05, 0.05, 0.9]]])
    boxes = np.array([[[0.25, 0.5, 0.5, 1.0], [0.0, 0.0, 1.0, 1.5]]])
    constant_model(model, {"conf": scores, "loc": boxes})
    described(
        model,
        'classes = ["cat", "dog"]\n[output]\nkind = "ssd"\nscores = "conf"\nboxes = "loc"\n'
        "normalised = true\nbackground = 0\n",
    )
    decoded = seen(open_onnx(model))
    assert decoded.scores[0, :2] == pytest.approx(np.array([[0.05, 0.9], [0.7, 0.2]]))
    # by hand, on 96x64; boxes may reach out of the input until NMS is done
    assert decoded.xyxy[0].tolist() == [[0, 0, 96, 96], [24, 32, 48, 64]]


@pytest.mark.parametrize(
    ("activation", "expected"),
    [("softmax", [0.0900, 0.2447, 0.6652]), ("sigmoid", [0.5, 0.7311, 0.8808])],
)
def test_ssd_scores_may_be_logits(model, activation, expected):
    constant_model(
        model, {"scores": np.array([[[0.0, 1.0, 2.0]]]), "boxes": np.array([[[1, 2, 3, 4]]])}
    )
    described(
        model,
        f'classes = ["a", "b", "c"]\n[output]\nkind = "ssd"\nactivation = "{activation}"\n',
    )
    # softmax and sigmoid of 0, 1, 2, by hand
    assert seen(open_onnx(model)).scores[0, 0] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("outputs", "text"),
    [
        (
            {"scores": np.ones((1, 2, 1)), "boxes": np.ones((1, 3, 4))},
            'classes = ["a"]\n[output]\nkind = "ssd"\n',
        ),
        (
            {"poses": np.full((1, 1, 17, 3), 0.5)},
            'classes = ["a", "b"]\n[output]\nkind = "movenet"\n',
        ),
        (
            {"simcc_x": np.ones((1, 2, 96)), "simcc_y": np.ones((1, 3, 64))},
            'classes = ["a"]\nkeypoints = ["b", "c"]\n[output]\nkind = "simcc"\n',
        ),
    ],
)
def test_outputs_that_fit_neither_each_other_nor_the_description_are_refused(model, outputs, text):
    described(constant_model(model, outputs), text)
    with pytest.raises(WeightsError, match=r"must (give each|have as many)"):
        open_onnx(model)


def test_yolov5_multiplies_by_objectness_and_keeps_the_best_class(model):
    rows = np.array([[[50, 30, 20, 10, 0.5, 0.8, 0.1], [10, 10, 4, 4, 1.0, 0.0, 0.9]]])
    described(constant_model(model, {"out": rows}), 'classes=["a","b"]\n[output]\nkind="yolov5"\n')
    decoded = seen(open_onnx(model))
    assert decoded.scores[0, :2] == pytest.approx(np.array([[0.0, 0.9], [0.4, 0.0]]))
    assert decoded.xyxy[0, :2].tolist() == [[8, 8, 12, 12], [40, 25, 60, 35]]


POSE_ROW = [50, 30, 20, 10, 0.6, 45, 28, 0.9, 55, 32, 0.1]


def test_yolov8_pose_has_one_box_per_column(model):
    columns = np.array([POSE_ROW, [0] * 11, [0] * 11]).T[None]
    described(
        constant_model(model, {"output0": columns}),
        'classes=["hand"]\nkeypoints=["a","b"]\nskeleton=[[0,1]]\n[output]\nkind="yolov8"\n',
    )
    detector = open_onnx(model)
    decoded = seen(detector)
    assert decoded.xyxy[0, 0].tolist() == [40, 25, 60, 35]
    assert decoded.scores[0, 0].tolist() == pytest.approx([0.6])
    assert decoded.keypoints_xy[0, 0].tolist() == [[45, 28], [55, 32]]
    assert detector.spec.skeleton == ((0, 1),)


def test_every_row_of_a_crowd_that_a_slider_may_show_is_kept(model):
    count = 3000
    scores = np.linspace(0.9, 0.0005, count)
    rows = np.stack([np.full(count, 9.0), *np.full((3, count), 5.0), scores], 1)
    described(
        constant_model(model, {"out": rows.T[None]}), 'classes=["a"]\n[output]\nkind="yolov8"\n'
    )
    decoded = seen(open_onnx(model))
    assert decoded.scores.shape == (1, int((scores >= 0.001).sum()), 1)
    assert decoded.scores[0, -1, 0] == pytest.approx(0.001, abs=4e-4)


def test_boxes_have_their_class_as_a_number(model):
    rows = np.array([[40, 25, 60, 35, 0.6, 1], [1, 2, 3, 4, 0.9, 0], [0, 0, 1, 1, 0.9, -1]])
    described(constant_model(model, {"out": rows}), 'classes=["a","b"]\n[output]\nkind="boxes"\n')
    decoded = seen(open_onnx(model))
    assert decoded.scores[0, :2] == pytest.approx(np.array([[0.9, 0], [0, 0.6]]))
    assert len(decoded.scores[0]) == 2  # class -1 is padding
    assert decoded.xyxy[0, 1].tolist() == [40, 25, 60, 35]


def test_ultralytics_files_need_no_toml(model):
    constant_model(
        model,
        {"output0": np.array([POSE_ROW, [0] * 11, [0] * 11]).T[None]},
        task="pose",
        names="{0: 'hand'}",
        kpt_shape="[2, 3]",
        imgsz="[64, 96]",
    )
    detector = open_onnx(model)
    assert detector.spec.class_names == ("hand",)
    assert seen(detector).keypoints_xy[0, 0].tolist() == [[45, 28], [55, 32]]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("", [0.2, 0.4, 0.8]),
        ('channels = "bgr"\nvalue_range = [0, 255]', [204, 102, 51]),
        ("value_range = [0, 255]\nmean = [1, 2, 3]\nstd = [10, 20, 50]", [5, 5, 4.02]),
        ('channels = "bgr"\nmean = [0.8, 0.4, 0.2]\nstd = [0.5, 0.5, 0.5]', [0, 0, 0]),
        ("value_range = [-1, 1]", [-0.6, -0.2, 0.6]),
    ],
)
def test_pixels_reach_the_model_as_described(model, lines, expected):
    rows = np.array([[[1, 2, 3, 4, 0.5, 0]]])
    described(
        constant_model(model, {"out": rows}),
        f'classes = ["a"]\n{lines}\n[output]\nkind = "boxes"\n',
    )
    detector = open_onnx(model)
    executor = Executor(detector, "cpu", "fp32", "onnxruntime")
    bgr = np.full((*HW, 3), (204, 102, 51), np.uint8)  # blue 0.8, green 0.4, red 0.2
    given = []
    decode = detector.decode
    detector.decode = lambda raw, hw: given.append(raw[0]["colours"]) or decode(raw, hw)
    executor.infer(bgr)
    assert given[0].flatten().tolist() == pytest.approx(expected, abs=1e-3)


def test_the_session_is_not_copied_and_no_network_of_torch(model):
    rows = np.array([[[1, 2, 3, 4, 0.5, 0]]])
    described(constant_model(model, {"out": rows}), 'classes=["a"]\n[output]\nkind="boxes"\n')
    detector = open_onnx(model)
    assert copy.deepcopy(detector.network) is detector.network
    with pytest.raises(WeightsError, match=r"run by another library than torch\. Do that\.$"):
        as_torch(detector, "Do that.")


BOXES = 'classes = ["a"]\n[output]\nkind = "boxes"\n'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, r"doesn't say what its outputs mean \(out 1x1x6, .*Write model\.toml"),
        ("classes = [", "model.toml can't be used"),
        ('[output]\nkind = "boxes"\n', "lacks 'classes'"),
        ('classes = ["a"]\n', r"\[output\] must be there"),
        ('classes = ["a"]\n[output]\nkind = "yolo"\n', "kind must be one of ssd, yolov5"),
        ('classes = "a"\n[output]\nkind = "boxes"\n', "classes must be a list, got 'a'"),
        ('classes = []\n[output]\nkind = "boxes"\n', "classes must have at least 1 value"),
        ("means = [1, 2, 3]\n" + BOXES, "has no 'means'; it has classes"),
        ("mean = [1, 2]\n" + BOXES, "mean must have 3 values, got 2"),
        ("std = [1, 0, 1]\n" + BOXES, r"std\[1\] must be a number, at least 1e-06, got 0"),
        ("value_range = [1, 0]\n" + BOXES, "value_range must rise"),
        ('resize = "area"\n' + BOXES, "requires a stride"),
        ("skeleton = [[0, 1]]\n" + BOXES, "skeleton must name keypoints"),
        (BOXES.replace("boxes", "yolov8"), "must have 5 numbers per box .*got shape"),
        ('keypoints = ["nose"]\n' + BOXES.replace("boxes", "ssd"), "ssd has no keypoints"),
        (BOXES.replace("boxes", "yunet"), "must have an output 'cls_8', got out"),
        (BOXES.replace("boxes", "ssd"), "must have an output 'scores'"),
        (BOXES + 'rows = "colours"\n', r"must have shape \(1, P, D\)"),
    ],
)
def test_a_wrong_description_is_reported(model, text, reason):
    constant_model(model, {"out": np.array([[[1, 2, 3, 4, 0.5, 0]]])})
    if text is not None:
        described(model, text)
    with pytest.raises(WeightsError, match=reason):
        open_onnx(model)


def test_a_file_of_hundreds_of_outputs_is_refused(model):
    constant_model(model, {f"output{number}": np.zeros((1, 6, 1)) for number in range(300)})
    described(model, 'classes = ["a", "b"]\n[output]\nkind = "yolov8"\n')
    with pytest.raises(WeightsError, match="has 301 outputs; at most 200"):
        open_onnx(model)


def test_a_damaged_file_is_reported(model):
    model.write_bytes(b"no model at all")
    with pytest.raises(WeightsError, match=r"model\.onnx can't be opened"):
        open_model(model)


def test_a_missing_file_is_reported(model):
    with pytest.raises(WeightsError, match="not found"):
        open_model(model)


def test_without_onnxruntime_the_message_says_how_to_install_it(model, monkeypatch):
    model.write_bytes(b"")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(WeightsError, match="pip install onnxruntime"):
        open_model(model)


@pytest.fixture(scope="module")
def face_images(shared_data: Path) -> list[np.ndarray]:
    folder = shared_data / "faces" / "val"
    images = json.loads((folder / "annotations.json").read_text("utf-8"))["images"]
    faces = [each for each in images if not each["source"].startswith("negative")]
    files = [folder / "images" / each["file_name"] for each in faces[:: len(faces) // 6]]
    return [cv2.resize(cv2.imread(str(file)), (320, 256)) for file in files]


def planes(bgr: np.ndarray) -> np.ndarray:
    return bgr[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32)


def test_yunet_sees_what_opencv_sees(shared_data, face_images):
    path = shared_data / "third_party_weights" / "face_detection_yunet_2026may.onnx"
    detector = open_onnx(path)
    assert detector.spec.keypoint_names[0] == "left_eye"
    rival = cv2.FaceDetectorYN.create(str(path), "", (320, 256), 0.6, 0.3, 5000)
    for bgr in face_images:
        _, faces = rival.detect(bgr)
        decoded = detector.decode(detector.network(planes(bgr)), (256, 320))
        best = faces[faces[:, 14].argmax()]
        corners = np.concatenate([best[:2], best[:2] + best[2:4]])
        # two engines, float32 both, boxes of some hundred pixels
        assert decoded.xyxy[0, 0] == pytest.approx(corners, abs=0.05)
        assert decoded.keypoints_xy[0, 0].flatten() == pytest.approx(best[4:14], abs=0.05)
        assert decoded.scores[0, 0, 0].item() == pytest.approx(best[14], abs=1e-3)
        eyes_x = decoded.keypoints_xy[0, 0, :2, 0]
        assert eyes_x[0] < eyes_x[1]  # left is the viewer's


def test_rfb_finds_the_faces_that_yunet_finds(shared_data, face_images):
    folder = shared_data / "third_party_weights"
    detector = open_onnx(folder / "version-RFB-320.onnx")
    assert detector.spec.input_hw == (240, 320)
    assert detector.spec.class_names == ("face",)
    rival = cv2.FaceDetectorYN.create(
        str(folder / "face_detection_yunet_2026may.onnx"), "", (320, 256), 0.6, 0.3, 5000
    )
    executor = Executor(detector, "cpu", "fp32", "onnxruntime")
    for bgr in face_images:
        _, faces = rival.detect(bgr)
        found, _ = executor.infer(bgr)
        centre = found.xyxy[0].reshape(2, 2).mean(0)
        centres = faces[:, :2] + faces[:, 2:4] / 2
        nearest = np.linalg.norm(centres - centre, axis=1).argmin()
        # two models of their own training agree within a fifth of the face
        assert np.abs(centres[nearest] - centre).max() < faces[nearest, 2:4].max() / 5
        assert found.scores[0, 0] > 0.9


def test_the_description_in_the_guide_is_complete_and_right(tmp_path):
    guide = Path(__file__).resolve().parents[3] / "docs" / "guide" / "other-models.md"
    (example,) = re.findall(r"```toml\n(.*?)```", guide.read_text("utf-8"), re.DOTALL)
    path = tmp_path / "birds.toml"
    path.write_text(example)
    description = read_description(path)
    assert description.classes == ("crow", "gull")
    assert description.output.kind is OutputKind.YOLOV8
    described = {line.split(" = ")[0] for line in example.splitlines() if " = " in line}
    fields = {each.name for each in dataclasses.fields(OnnxDescription)}
    assert fields - described == {"output", "match"}


def test_shipped_descriptions_can_be_read():
    names = {read_description(path).name for path in SHIPPED_DIR.glob("*.toml")}
    assert {"yunet", "ultra-light-face"} <= names
