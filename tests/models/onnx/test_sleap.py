"""Models of SLEAP, as ``sleap-nn export`` writes them."""

import json
from pathlib import Path

import numpy as np
import pytest
from onnx_files import graph_model

from kpviewer.errors import WeightsError
from kpviewer.models.opening.onnx_file import open_onnx
from kpviewer.runtime.executor import Executor

pytest.importorskip("onnxruntime")

SETTINGS = "data_config:\n  preprocessing:\n    max_height: 240\n    max_width: 320\n"
NODES = ["head", "thorax", "tail"]
NAN = np.nan
ONE = {
    "peaks": np.array([[[40, 30], [NAN, NAN], [80, 50]]], "f4"),
    "peak_vals": np.array([[0.9, 0, 0.5]], "f4"),
}
SEVERAL = {
    "centroids": np.array([[[50, 50], [200, 90], [0, 0]]], "f4"),
    "centroid_vals": np.array([[0.8, 0.6, -1e9]], "f4"),
    "peaks": np.array([[[[40, 40], [50, 50], [60, 70]], [[200, 90]] * 3, [[0, 0]] * 3]], "f4"),
    "peak_vals": np.array([[[0.9, 0.8, 0.7], [0, 0.6, 0], [0, 0, 0]]], "f4"),
    "instance_valid": np.array([[True, True, False]]),
}


def sleap_file(path: Path, kind: str, outputs: dict[str, np.ndarray], settings=SETTINGS, **more):
    metadata = {
        "sleap_nn_version": "0.3.5",
        "model_type": kind,
        "model_name": "flies",
        "node_names": NODES,
        "edge_inds": [[0, 1], [1, 2]],
    }
    inputs = {"image": ("uint8", ["batch", 3, "height", "width"])}
    entries = {"sleap_nn_metadata": json.dumps(metadata | more), "training_config": settings}
    return graph_model(path / "model.onnx", inputs, outputs, **entries)


def found_in(path: Path, hw=(240, 320)):
    detector = open_onnx(path)
    executor = Executor(detector, "cpu", "fp32", "onnxruntime")
    return executor.infer(np.zeros((*hw, 3), np.uint8))[0]


def test_one_animal_has_the_box_of_the_keypoints_that_were_found(tmp_path):
    path = sleap_file(tmp_path, "single_instance", ONE)
    spec = open_onnx(path).spec
    assert (spec.name, spec.class_names, spec.keypoint_names) == (
        "flies",
        ("animal",),
        tuple(NODES),
    )
    assert spec.skeleton == ((0, 1), (1, 2)) and spec.input_hw == (240, 320)
    found = found_in(path)
    assert found.xyxy.tolist() == [[40, 30, 80, 50]]
    assert found.keypoint_scores[0] == pytest.approx([0.9, 0, 0.5])
    assert found.keypoints_xy[0, [0, 2]].tolist() == [[40, 30], [80, 50]]
    assert np.isfinite(found.keypoints_xy).all()
    assert found.scores[0].max() == pytest.approx(0.7)  # the mean of those that were found


def test_frames_of_another_size_are_fitted_into_that_of_the_training(tmp_path):
    found = found_in(sleap_file(tmp_path, "single_instance", ONE), (480, 640))
    assert found.xyxy.tolist() == [[80, 60, 160, 100]]


def test_an_image_without_an_animal_has_none(tmp_path):
    outputs = {"peaks": np.full((1, 3, 2), NAN, "f4"), "peak_vals": np.zeros((1, 3), "f4")}
    executor = Executor(open_onnx(sleap_file(tmp_path, "single_instance", outputs)), "cpu")
    found, _ = executor.infer(np.zeros((240, 320, 3), np.uint8))
    assert not found.scores.max(initial=0) and executor.doubt is None


def test_each_animal_has_its_keypoints(tmp_path):
    settings = json.dumps({"centroid": SETTINGS, "centered_instance": "max_height: 900"})
    path = sleap_file(tmp_path, "topdown", SEVERAL, settings, max_instances=3)
    assert open_onnx(path).spec.notes == ("The file finds at most 3 animals.",)
    found = found_in(path)
    kept = found.scores.max(1) > 0
    assert found.xyxy[kept].tolist() == [[40, 40, 60, 70], [200, 90, 201, 91]]
    assert found.scores[kept].max(1) == pytest.approx([0.8, 0.6])
    assert found.keypoint_scores[kept][1] == pytest.approx([0, 0.6, 0])


def test_centroids_alone_are_points(tmp_path):
    outputs = {name: SEVERAL[name] for name in ("centroids", "centroid_vals", "instance_valid")}
    path = sleap_file(tmp_path, "centroid", outputs, anchor_part="thorax")
    assert open_onnx(path).spec.keypoint_names == ("thorax",)
    found = found_in(path)
    kept = found.scores.max(1) > 0
    assert found.keypoints_xy[kept].tolist() == [[[50, 50]], [[200, 90]]]


def test_classes_are_the_likeliest_of_each_animal(tmp_path):
    logits = {"class_logits": np.array([[[-1, 2], [0.4, 0.1], [0, 0]]], "f4")}
    kind = "multi_class_topdown_combined"
    path = sleap_file(tmp_path, kind, SEVERAL | logits, class_names=["female", "male"])
    assert any("likeliest class" in note for note in open_onnx(path).spec.notes)
    scores = found_in(path).scores
    assert scores[scores.max(1) > 0] == pytest.approx(np.array([[0, 0.8], [0.6, 0]]))


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_peaks_of_a_bottom_up_model_are_grouped_by_its_lines(tmp_path, scale):
    points = np.zeros((3, 2, 2), "f4")  # two peaks of head, thorax and tail
    points[:, 0] = [[10, 10], [60, 20], [30, 10]]
    points[:, 1] = [[50, 10], [20, 10], [90, 90]]
    lines = np.array([[[0.1, 0.9], [0.8, 0.3]], [[0.1, 0.2], [0.7, 0.6]]], "f4")
    outputs = {
        "peaks": points[None] * scale,
        "peak_vals": np.array([[[0.9, 0.8], [0.7, 0.6], [0.5, 0.4]]], "f4"),
        "peak_mask": np.ones((1, 3, 2), np.bool_),
        "line_scores": lines.reshape(1, 2, 4),
        "candidate_mask": np.ones((1, 2, 4), np.bool_),
    }
    found = found_in(sleap_file(tmp_path, "bottomup", outputs, input_scale=scale))
    kept = found.scores.max(1) > 0
    # head 1 and thorax 0, whose line to tail 1 has a score of 0.2; head 0, thorax 1, tail 0
    assert found.scores[kept].max(1) == pytest.approx([0.75, 2 / 3])
    assert found.xyxy[kept].tolist() == [[50, 10, 60, 20], [10, 10, 30, 11]]


@pytest.mark.parametrize("score", [-2.0, np.nan])
def test_an_image_without_a_line_has_no_animal(tmp_path, score):
    outputs = {
        "peaks": np.zeros((1, 3, 2, 2), "f4"),
        "peak_vals": np.full((1, 3, 2), -1e9, "f4"),
        "line_scores": np.full((1, 2, 4), score, "f4"),
        "candidate_mask": np.zeros((1, 2, 4), np.bool_),
    }
    assert not len(found_in(sleap_file(tmp_path, "bottomup", outputs)).xyxy)


def test_lines_that_do_not_fit_the_skeleton_are_refused(tmp_path):
    outputs = {
        "peaks": np.zeros((1, 3, 2, 2), "f4"),
        "peak_vals": np.zeros((1, 3, 2), "f4"),
        "line_scores": np.zeros((1, 5, 4), "f4"),
        "candidate_mask": np.zeros((1, 5, 4), np.bool_),
    }
    with pytest.raises(WeightsError, match="2 x 2 scores for each of 2 lines"):
        open_onnx(sleap_file(tmp_path, "bottomup", outputs))


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("multi_class_bottomup", "keypoints of classes without their animals. Export a top-down"),
        ("centered_instance", "it reads crops around centroids. Export a top-down model"),
        ("embedding", "a model of the kind embedding"),
    ],
)
def test_other_kinds_are_refused_with_what_to_export(tmp_path, kind, why):
    with pytest.raises(WeightsError, match=why):
        open_onnx(sleap_file(tmp_path, kind, ONE))


def test_settings_without_a_size_mean_the_usual_one(tmp_path):
    settings = "max_height: null\nmax_width: null\n"
    path = sleap_file(tmp_path, "single_instance", ONE, settings)
    assert open_onnx(path).spec.input_hw == (512, 512)


def test_a_description_without_names_is_said_to_be_wrong(tmp_path):
    with pytest.raises(WeightsError, match="describes itself wrongly"):
        open_onnx(sleap_file(tmp_path, "single_instance", ONE, node_names=None))
