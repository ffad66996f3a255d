"""Models that mmdeploy exported: detectors, RTMO, and RTMPose in crops."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx_files import boxes_file, constant_model, graph_model, pose_file

from kpviewer.errors import PipelineError, WeightsError
from kpviewer.models.libraries.inference import has_openvino
from kpviewer.models.loading import open_model
from kpviewer.models.onnx.recognition import AmbiguousLayout, describe
from kpviewer.models.onnx.saved import save_description
from kpviewer.models.onnx.session import OrtSession
from kpviewer.models.opening.onnx_file import open_onnx
from kpviewer.models.opening.torch_loading import as_torch, open_in_torch
from kpviewer.models.selection import select
from kpviewer.models.spec import Resize
from kpviewer.models.top_down import TopDownDetector
from kpviewer.runtime.backends import file_backends
from kpviewer.runtime.choosing.autotune import probe_image
from kpviewer.runtime.content import model_hash
from kpviewer.runtime.executor import Executor
from kpviewer.runtime.top_down import crop_region, cut
from kpviewer.sources.opencv import cv2
from kpviewer.structures import NmsKind

pytest.importorskip("onnxruntime")

IMAGE = ("float32", [1, 3, 64, 96])
HW = (64, 96)
DETS = np.array([[[8, 8, 40, 40, 0.9], [9, 8, 40, 40, 0.6], [0, 0, 0, 0, 0]]], "f4")
LABELS = np.array([[1, 1, -1]], "i8")


def detector_file(path: Path, labels: np.ndarray = LABELS, **metadata: str) -> Path:
    return graph_model(path, {"input": IMAGE}, {"dets": DETS, "labels": labels}, **metadata)


def seen(detector, hw=HW):
    return detector.decode(detector.network(np.zeros((1, 3, *hw), np.float32)), hw)


def found_in_black(detector, hw=HW):
    return Executor(detector, "cpu", "fp32", "onnxruntime").infer(np.zeros((*hw, 3), np.uint8))[0]


def test_rtmdet_has_boxes_with_scores_and_labels(tmp_path):
    detector = open_onnx(detector_file(tmp_path / "rtmdet_s.onnx", names="['cat', 'dog']"))
    decoded, spec = seen(detector), detector.spec
    assert decoded.xyxy[0, :2].tolist() == DETS[0, :2, :4].tolist()
    assert decoded.scores[0, :2] == pytest.approx(np.array([[0, 0.9], [0, 0.6]]))
    assert decoded.scores.shape[1] < 3 or decoded.scores[0, 2:].max() == 0
    assert spec.class_names == ("cat", "dog") and spec.nms is NmsKind.NONE
    assert spec.padding == (114, 114, 114) and spec.placement == "top-left"
    assert np.array(spec.mean) * 255 == pytest.approx([123.675, 116.28, 103.53])  # by RGB


def test_detectors_of_mmdetection_look_alike(tmp_path):
    path = detector_file(tmp_path / "end2end.onnx")
    with pytest.raises(AmbiguousLayout, match=r"--layout rtmdet .*--layout mmdet-yolox .*mmdet "):
        open_onnx(path)
    assert open_onnx(path, "mmdet-yolox").spec.mean == (0, 0, 0)
    assert open_onnx(path, "rtmdet").spec.padding == (114, 114, 114)


def test_a_class_without_a_name_is_no_silent_loss(tmp_path):
    labels = np.array([[1, 7, -1]], "i8")
    path = detector_file(tmp_path / "rtmdet.onnx", labels, names="['cat', 'dog']")
    with pytest.raises(WeightsError, match="predicts class 7, but only 2 are named"):
        open_onnx(path)


def test_rtmo_has_keypoints_with_scores(tmp_path):
    points = np.zeros((1, 3, 17, 3), "f4")
    points[0, 0, 2] = [30, 20, 0.7]
    path = graph_model(tmp_path / "m.onnx", {"input": IMAGE}, {"dets": DETS, "keypoints": points})
    detector = open_onnx(path)
    decoded = seen(detector)
    assert decoded.keypoints_xy[0, 0, 2].tolist() == [30, 20]
    assert float(decoded.keypoint_scores[0, 0, 2]) == pytest.approx(0.7)
    assert detector.spec.keypoint_names[2] == "right_eye" and detector.spec.skeleton
    assert detector.spec.mean == (0, 0, 0) and detector.spec.std == pytest.approx((1 / 255,) * 3)


@pytest.mark.skipif(not has_openvino(), reason="OpenVINO isn't installed")
@pytest.mark.parametrize("points", ["FOLDER/pose.onnx", "face-points"])
def test_each_backend_runs_the_files_of_two_stages(tmp_path, monkeypatch, points):
    monkeypatch.setattr(file_backends, "computes_bf16", lambda: True)
    pose_file(tmp_path / "pose.onnx")
    boxes = boxes_file(tmp_path / "yolo.onnx", "{0: 'kind 0', 1: 'kind 1'}")
    detector = open_model(f"two-stage:{boxes}+{points.replace('FOLDER', str(tmp_path))}")
    image = np.zeros((480, 640, 3), np.uint8)
    exact, _ = Executor(detector, "cpu", "fp32", "onnxruntime").infer(image)
    for precision in ("fp32", "bf16"):
        executor = Executor(detector, "cpu", precision, "openvino")
        assert (executor.backend, executor.precision) == ("openvino", precision)
        found, _ = executor.infer(image)
        is_rounded = points == "face-points" and precision == "bf16"  # the other is a constant
        atol = 2 if is_rounded else 0.01
        np.testing.assert_allclose(found.keypoints_xy, exact.keypoints_xy, atol=atol)
        np.testing.assert_allclose(found.xyxy, exact.xyxy, atol=0.01)
    reader = detector.network.reader
    reader.spec = replace(reader.spec, activation_ranges=())  # as a model that wasn't calibrated
    with pytest.raises(PipelineError, match="onnxruntime fp32, openvino bf16, openvino fp32"):
        Executor(detector, "cpu", "int8")


@pytest.mark.parametrize("shape", [None, ["batch", "?", "?"]])
def test_rtmpose_alone_takes_the_image_as_its_crop(tmp_path, shape):
    detector = open_onnx(pose_file(tmp_path / "pose.onnx", shape=shape))
    assert "two-stage:DETECTOR+pose.onnx" in detector.spec.notes[0]
    assert (detector.spec.resize, detector.spec.keypoint_threshold) == (Resize.NONE, 0.3)
    found = found_in_black(detector, (480, 640))
    # 640 * 1.25 = 800 px wide, so 1066.7 high, around (320, 240); a quarter of each side
    assert found.xyxy.tolist() == [[0, 0, 640, 480]] and found.scores.tolist() == [[1.0]]
    np.testing.assert_allclose(
        found.keypoints_xy[0], np.tile([[320 - 200, 240 - 800 / 3]], (17, 1)), atol=1e-3
    )
    assert found.keypoint_scores == pytest.approx(0.8)


def test_scores_of_rtmpose_stay_in_their_range(tmp_path):
    found = found_in_black(open_onnx(pose_file(tmp_path / "pose.onnx", peak=1.4)))
    assert found.keypoint_scores.max() == 1


def test_scores_of_keypoints_that_are_no_numbers_are_noticed(tmp_path):
    executor = Executor(open_onnx(pose_file(tmp_path / "m.onnx", peak=np.nan)), "cpu")
    executor.infer(np.zeros((64, 64, 3), np.uint8))
    assert "aren't numbers" in (executor.doubt or "")


def test_outputs_of_another_rank_are_no_rtmpose(tmp_path):
    outputs = {"simcc_x": np.zeros((17, 384), "f4"), "simcc_y": np.zeros((17, 512), "f4")}
    path = graph_model(tmp_path / "m.onnx", {"x": ("float32", [1, 3, 256, 192])}, outputs)
    with pytest.raises(WeightsError, match="doesn't say what its outputs mean"):
        open_onnx(path)


@pytest.mark.parametrize(
    ("count", "kind", "index", "name"),
    [
        (17, "person", 16, "right_ankle"),
        (26, "person", 17, "head"),
        (133, "person", 91, "left_hand_root"),
        (21, "hand", 5, "forefinger1"),
        (106, "face", 3, "point 3"),
        (5, "person", 4, "point 4"),
    ],
)
def test_keypoints_are_named_by_their_number(tmp_path, count, kind, index, name):
    spec = open_onnx(pose_file(tmp_path / "pose.onnx", count)).spec
    assert spec.class_names == (kind,) and len(set(spec.keypoint_names)) == count
    assert spec.keypoint_names[index] == name


def test_assumed_names_of_keypoints_are_noted_until_a_toml_names_others(tmp_path):
    path = pose_file(tmp_path / "end2end.onnx")
    spec = open_onnx(path).spec
    assert spec.skeleton and any("names no keypoints. It has 17" in each for each in spec.notes)

    parts = [f"part {index}" for index in range(17)]
    path.with_suffix(".toml").write_text(f"keypoints = {parts}\n")
    spec = open_onnx(path).spec
    assert spec.keypoint_names == tuple(parts)
    assert not spec.skeleton  # COCO's lines would join other parts
    assert not any("names no keypoints" in each for each in spec.notes)


def test_animals_have_other_keypoints_than_persons(tmp_path):
    spec = open_onnx(pose_file(tmp_path / "rtmpose-m_ap10k.onnx")).spec
    assert spec.class_names == ("animal",) and spec.keypoint_names[0] == "point 0"


def test_each_box_of_a_detector_gets_a_crop(tmp_path):
    boxes = boxes_file(tmp_path / "yolo.onnx", "{0: 'kind 0', 1: 'kind 1'}")
    pose = pose_file(tmp_path / "pose.onnx")
    detector = open_model(f"two-stage:{boxes}+{pose}")
    assert detector.spec.keypoint_threshold == 0.3
    assert detector.spec.class_names == ("kind 0", "kind 1")
    assert not any("two-stage" in note for note in detector.spec.notes)
    found = found_in_black(detector, (128, 192))
    kept = found.scores.max(1) > 0
    assert found.scores[kept].max(1).tolist() == pytest.approx([0.9, 0.8, 0.6])
    assert found.xyxy[0].tolist() == [16, 16, 80, 80]  # the image is twice the input
    # 64 px wide and high, so the crop is 80 high by 60 wide, widened: 80 x 106.7 around (48, 48)
    assert found.keypoints_xy[0, 0].tolist() == pytest.approx([48 - 20, 48 - 80 / 3], abs=1e-3)


def test_no_box_is_no_object(tmp_path):
    rows = np.zeros((1, 3, 6), "f4")
    meta = {"task": "detect", "names": "['a']", "end2end": "True", "imgsz": "[64, 96]"}
    boxes = graph_model(tmp_path / "yolo.onnx", {"images": IMAGE}, {"output0": rows}, **meta)
    detector = open_model(f"two-stage:{boxes}+{pose_file(tmp_path / 'pose.onnx')}")
    found = found_in_black(detector)
    assert found.xyxy.shape == (0, 4) and found.scores.shape == (0, 1)
    assert found.keypoints_xy.shape == (0, 17, 2) and found.keypoint_scores.shape == (0, 17)


def test_only_persons_get_the_keypoints_of_persons(tmp_path):
    boxes = boxes_file(tmp_path / "yolo.onnx", "{0: 'car', 1: 'person'}")
    detector = open_model(f"two-stage:{boxes}+{pose_file(tmp_path / 'pose.onnx')}")
    assert found_in_black(detector).scores.max(0).tolist() == pytest.approx([0, 0.8])
    assert "class person" in detector.spec.notes[-1]


def test_boxes_that_leave_the_image_are_kept_whole_and_read_inside(tmp_path):
    rows = np.array([[[-20, 8, 40, 40, 0.9, 0]]], "f4")
    meta = {"task": "detect", "names": "['a']", "end2end": "True", "imgsz": "[64, 96]"}
    boxes = graph_model(tmp_path / "yolo.onnx", {"images": IMAGE}, {"output0": rows}, **meta)
    detector = open_model(f"two-stage:{boxes}+{pose_file(tmp_path / 'pose.onnx')}")
    found = found_in_black(detector)
    assert found.xyxy[0].tolist() == [-20, 8, 40, 40]
    # inside 40 px wide, so 50 by 66.7 around (20, 24)
    assert found.keypoints_xy[0, 0].tolist() == pytest.approx([20 - 12.5, 24 - 50 / 3], abs=1e-3)


def test_both_files_and_the_kind_of_box_detector_count_in_the_hash(tmp_path):
    pose = pose_file(tmp_path / "pose.onnx")
    other = pose_file(tmp_path / "other.onnx", peak=0.7)
    boxes = boxes_file(tmp_path / "yolo.onnx", "{0: 'a', 1: 'b'}")
    names = (f"{pose}", f"two-stage:{boxes}+{pose}", f"two-stage:{boxes}+{other}")
    hashes = [model_hash(open_model(name)) for name in (*names, f"two-stage:face-ssd+{pose}")]
    assert len(set(hashes)) == 4 and None not in hashes
    assert model_hash(open_model(names[1])) == hashes[1]
    boxes.unlink()
    boxes_file(tmp_path / "yolo.onnx", "{0: 'a', 1: 'person'}")
    assert model_hash(open_model(names[1])) != hashes[1]


def test_two_stages_say_that_they_leave_out_rotated_boxes(tmp_path):
    rows = np.array([[[48, 32, 40, 20, 0.9, 0, 0.5]]], "f4")
    meta = {"task": "obb", "names": "{0: 'ship'}", "end2end": "True", "imgsz": "[64, 96]"}
    boxes = constant_model(tmp_path / "obb.onnx", {"output0": rows}, **meta)
    detector = open_model(f"two-stage:{boxes}+{pose_file(tmp_path / 'pose.onnx')}")
    assert not detector.spec.has_outlines, "files would have a column without content"
    assert [note for note in detector.spec.notes if "boxes" in note] == [
        "Masks and rotated boxes are left out: each object has an upright box."
    ]


def test_two_stages_keep_boxes_that_cross(tmp_path):
    crossed = [[48, 32, 40, 4, 0.9, np.pi / 4], [48, 32, 40, 4, 0.8, -np.pi / 4]]
    rows = np.array([*crossed, *[[0.0] * 6] * 40], "f4").T[None]
    meta = {"task": "obb", "names": "{0: 'ship'}", "imgsz": "[64, 96]"}
    boxes = constant_model(tmp_path / "obb.onnx", {"output0": rows}, **meta)
    detector = open_model(f"two-stage:{boxes}+{pose_file(tmp_path / 'pose.onnx')}")
    candidates, _ = Executor(detector).infer(probe_image())
    assert len(select(candidates, detector.spec.thresholds)) == 2


def test_two_stages_compare_the_boxes_of_masks(tmp_path):
    rows = np.zeros((1, 4 + 1 + 32, 42), "f4")
    rows[0, :5, 0], rows[0, :5, 1] = [48, 32, 40, 20, 0.9], [48, 34, 40, 20, 0.8]
    outputs = {"output0": rows, "output1": np.ones((1, 32, 16, 24), "f4")}
    meta = {"task": "segment", "names": "{0: 'cat'}", "imgsz": "[64, 96]"}
    boxes = constant_model(tmp_path / "seg.onnx", outputs, **meta)
    detector = open_model(f"two-stage:{boxes}+{pose_file(tmp_path / 'pose.onnx')}")
    assert detector.spec.nms is NmsKind.HARD
    assert not detector.spec.has_outlines


def test_a_detector_of_torch_finds_boxes_for_a_file(tmp_path):
    pose = pose_file(tmp_path / "pose.onnx")
    image = probe_image()
    shipped, in_torch = open_model("face-ssd"), open_in_torch("face-ssd")
    runs = [(shipped, "onnxruntime"), (in_torch, "onnxruntime")]
    runs += [(in_torch, "openvino")] * has_openvino()
    found = []
    for boxes, backend in runs:
        model = TopDownDetector(open_onnx(pose).network.reader, boxes)
        found.append(Executor(model, "cpu", "fp32", backend).infer(image)[0])
    assert len(found[0].xyxy) > 0
    for other in found[1:]:
        np.testing.assert_allclose(found[0].xyxy, other.xyxy, atol=0.1)
        np.testing.assert_allclose(found[0].keypoints_xy, other.keypoints_xy, atol=0.1)


def test_a_model_of_crops_is_no_network_of_torch(tmp_path):
    with pytest.raises(WeightsError, match="run by another library than torch"):
        as_torch(open_onnx(pose_file(tmp_path / "pose.onnx")))


@pytest.mark.parametrize("box", [[8.3, 20.7, 60.2, 81.9], [-5.5, -2, 30, 120]])
def test_crops_are_those_of_the_makers_program(box):
    image = np.random.default_rng(1).integers(0, 256, (90, 120, 3), np.uint8)
    low, scale = crop_region(np.array(box, np.float32), (256, 192), 1.25)
    ours = cut(image, low, scale, (256, 192)).astype(float)
    # of its own: px of the crop in one of the image, from the middle of either
    times = 1 / (1.25 * max((box[2] - box[0]) / 192, (box[3] - box[1]) / 256))
    x, y = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    matrix = np.array([[times, 0, 96 - x * times], [0, times, 128 - y * times]])
    theirs = cv2.warpAffine(image, matrix, (192, 256), flags=cv2.INTER_LINEAR).astype(float)
    assert np.abs(ours - theirs).mean() < 0.2  # OpenCV 4 rounds positions to 1/32 px


def test_a_layout_that_was_chosen_is_kept_beside_the_file(tmp_path):
    path = detector_file(tmp_path / "end2end.onnx")
    chosen = open_onnx(path, "rtmdet")
    facts = OrtSession(path).facts
    save_description(path, describe(path, facts, "rtmdet").description)
    assert open_onnx(path).spec == chosen.spec
