"""Exports of Ultralytics: every task, with and without NMS, as the maker's own code reads them."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from kpviewer.errors import WeightsError
from kpviewer.models.onnx.readers.rotated import (
    corners_of,
    largest_overlaps,
    probabilistic_iou,
    upright,
)
from kpviewer.models.opening.onnx_file import OnnxDetector, open_onnx
from kpviewer.models.selection import select
from kpviewer.models.spec import Resize, Sampling
from kpviewer.runtime.executor import Executor
from kpviewer.runtime.naive import NaiveModel
from kpviewer.structures import NmsKind, Shape, Thresholds

pytest.importorskip("onnxruntime")

from onnx_files import HW, constant_model

NAMES = "{0: 'dog', 1: 'cat'}"
THRESHOLDS = Thresholds(score=0.25, iou=0.7)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


def opened(model: Path, output: np.ndarray, **metadata: str) -> OnnxDetector:
    entries = {"task": "detect", "names": NAMES, "imgsz": "[64, 96]", **metadata}
    return open_onnx(constant_model(model, {"output0": output}, **entries))


def seen(detector: OnnxDetector):
    return detector.decode(detector.network(np.zeros((1, 3, *HW), np.float32)), HW)


def columns(*rows: list[float]) -> np.ndarray:
    return np.array([*rows, *[[0.0] * len(rows[0])] * (50 - len(rows))]).T[None]


def test_images_are_prepared_as_the_maker_does(model):
    spec = opened(model, columns([50, 30, 20, 10, 0.9, 0.1])).spec
    assert (spec.resize, spec.sampling) == (Resize.LETTERBOX, Sampling.LINEAR)
    assert spec.padding == (114, 114, 114)
    assert (spec.score_threshold, spec.iou_threshold, spec.nms) == (0.25, 0.7, NmsKind.HARD)


@pytest.mark.parametrize("entries", [{"args": "{'nms': True}"}, {"end2end": "True"}])
def test_what_is_distinct_gets_no_second_nms(model, entries):
    assert opened(model, np.zeros((1, 300, 6)), **entries).spec.nms is NmsKind.NONE


def test_a_box_has_its_best_class_alone(model):
    decoded = seen(opened(model, columns([50, 30, 20, 10, 0.6, 0.7])))
    assert decoded.scores[0, 0].tolist() == pytest.approx([0.0, 0.7])


@pytest.mark.parametrize(
    ("entries", "output"),
    [
        ({}, columns([50, 30, 20, 10, 0.1, 0.8, *[5.0] * 32])),
        ({"args": "{'nms': True}"}, np.array([[[40, 25, 60, 35, 0.8, 1, *[5.0] * 32]]])),
    ],
)
def test_a_segmentation_without_prototypes_shows_its_boxes_and_says_so(model, entries, output):
    detector = opened(model, output, task="segment", **entries)
    decoded = seen(detector)
    assert decoded.xyxy[0, 0].tolist() == [40, 25, 60, 35]
    assert decoded.scores[0, 0].tolist() == pytest.approx([0.0, 0.8])
    assert "masks of this model are left out" in detector.spec.notes[0]


@pytest.mark.parametrize(
    ("entries", "output"),
    [
        ({}, columns([50, 30, 20, 10, 0.1, 0.8, math.pi / 2])),
        ({"end2end": "True"}, np.array([[[50, 30, 20, 10, 0.8, 1, math.pi / 2]]])),
    ],
)
def test_rotated_boxes_have_corners_and_the_upright_boxes_around_them(model, entries, output):
    detector = opened(model, output, task="obb", **entries)
    decoded = seen(detector)
    # a quarter turn swaps the sides
    assert decoded.xyxy[0, 0].tolist() == pytest.approx([45, 20, 55, 40])
    assert decoded.scores[0, 0].tolist() == pytest.approx([0.0, 0.8])
    corners = [[45, 40], [55, 40], [55, 20], [45, 20]]
    assert decoded.outlines_xy[0, 0] == pytest.approx(np.array(corners), abs=1e-4)
    assert detector.spec.nms is (NmsKind.NONE if entries else NmsKind.HARD)
    assert (detector.spec.notes, detector.spec.shape) == ((), Shape.ROTATED)


@pytest.mark.parametrize(
    ("entries", "output"),
    [
        ({}, columns([48, 32, 64, 40, 0.1, 0.8, 2.0, -1.0])),
        ({"end2end": "True"}, np.array([[[16, 12, 80, 52, 0.8, 1, 2.0, -1.0]]])),
    ],
)
@pytest.mark.parametrize("backend", ["onnxruntime", "auto"])
def test_a_segmentation_has_the_outline_of_its_mask(model, entries, output, backend):
    slope = np.arange(2, 96, 4) - 40.0  # 2 * slope - 20 is above 0 right of x = 50
    prototypes = np.broadcast_to([slope, np.full(24, 20.0)], (16, 2, 24)).swapaxes(0, 1)[None]
    outputs = {"output0": output, "output1": prototypes}
    facts = {"task": "segment", "names": NAMES, "imgsz": "[64, 96]", **entries}
    detector = open_onnx(constant_model(model, outputs, **facts))
    assert (detector.spec.notes, detector.spec.shape) == ((), Shape.MASKS)
    image = np.zeros((HW[0] * 2, HW[1] * 2, 3), np.uint8)
    for infer in (
        lambda: select(Executor(detector, backend=backend).infer(image)[0], THRESHOLDS),
        lambda: NaiveModel(detector, torch.device("cpu")).detect(image),
    ):
        found = infer()
        assert found.xyxy.tolist() == [[32, 24, 160, 104]]
        outline = found.outline(0)
        extent = [*outline.min(0), *outline.max(0)]
        assert extent == pytest.approx([100, 24, 160, 104], abs=2)
        assert len(outline) < 8, "no corner comes twice"


@pytest.mark.parametrize("damaged", ["output0", "output1", None])
def test_masks_that_are_no_numbers_are_noticed(model, damaged):
    outputs = {
        "output0": columns([48, 32, 64, 40, 0.1, 0.8, 1.0, 1.0]),
        "output1": np.ones((1, 2, 16, 24)),
    }
    if damaged:
        outputs[damaged][0, -1] = np.nan
    facts = {"task": "segment", "names": NAMES, "imgsz": "[64, 96]"}
    assert open_onnx(constant_model(model, outputs, **facts)).has_nan == bool(damaged)


def test_prototypes_of_another_number_are_refused(model):
    outputs = {
        "output0": columns([48, 32, 64, 40, 0.1, 0.8, *[1.0] * 32]),
        "output1": np.zeros((1, 16, 16, 24)),
    }
    with pytest.raises(WeightsError, match="contradicts its own metadata"):
        open_onnx(constant_model(model, outputs, task="segment", names=NAMES, imgsz="[64, 96]"))


def test_crossed_boxes_are_two_objects_though_their_frames_are_one(model):
    long = [50, 30, 40, 4, 0.1, 0.8]
    rows = columns([*long, math.pi / 4], [*long[:5], 0.7, -math.pi / 4], [*long[:5], 0.6, 0.78])
    detector = opened(model, rows, task="obb")
    # the first two cross at a right angle; the third lies on the first
    first, second = seen(detector).xyxy[0, :2].tolist()
    assert first == pytest.approx(second)
    for executor in (Executor(detector, backend=name) for name in ("onnxruntime", "auto")):
        candidates, _ = executor.infer(np.zeros((*HW, 3), np.uint8))
        for iou, kept in ((0.7, [0.8, 0.7]), (0.01, [0.8]), (1.0, [0.8, 0.7, 0.6])):
            found = select(candidates, replace(detector.spec.thresholds, iou=iou))
            assert found.scores.tolist() == pytest.approx(kept), "IoU as the user sets it"
    naive = NaiveModel(detector, torch.device("cpu")).detect(np.zeros((*HW, 3), np.uint8))
    assert naive.scores.tolist() == pytest.approx([0.8, 0.7])


def test_a_rotated_box_without_an_angle_hides_no_other(model):
    box = [50, 30, 20, 10, 0.1]
    detector = opened(model, columns([*box, 0.9, math.nan], [*box, 0.8, 0.0]), task="obb")
    assert seen(detector).overlaps.tolist() == [[0.0]]


def test_similarity_of_upright_boxes_is_that_of_two_independent_axes():
    boxes = np.array([[10.0, 10, 8, 4, 0.0], [12, 11, 6, 6, 0]], np.float32)
    affinity = 1.0
    for distance, a, b in ((2, 8, 6), (1, 4, 6)):  # Hellinger affinity of 1-D normal distributions
        s, t = a * a / 12, b * b / 12
        affinity *= math.sqrt(2 * math.sqrt(s * t) / (s + t)) * math.exp(
            -(distance**2) / 4 / (s + t)
        )
    found = probabilistic_iou(boxes, boxes)
    assert found[0, 1].item() == pytest.approx(1 - math.sqrt(1 - affinity), abs=1e-5)
    assert found.diagonal().tolist() == pytest.approx([1, 1], abs=1e-3)


def test_overlaps_are_those_of_every_better_box_of_the_class():
    random = np.random.default_rng(0)
    boxes = random.uniform([0, 0, 1, 1, -2], [200, 200, 80, 80, 2], (300, 5)).astype(np.float32)
    class_ids = random.integers(0, 2, 300)
    pairs = probabilistic_iou(boxes, boxes) * (class_ids[:, None] == class_ids)
    expected = [pairs[:place, place].max(initial=0) for place in range(300)]
    assert largest_overlaps(boxes, class_ids).tolist() == expected
    assert largest_overlaps(boxes[:0], class_ids[:0]).tolist() == []


def test_the_upright_box_holds_all_corners():
    box = np.array([[20.0, 30, 12, 5, 0.6]], np.float32)
    angle = np.array([[np.cos(0.6), -np.sin(0.6)], [np.sin(0.6), np.cos(0.6)]])
    corners = np.array([[6, 2.5], [6, -2.5], [-6, 2.5], [-6, -2.5]]) @ angle.T + (20, 30)
    expected = [*corners.min(0), *corners.max(0)]
    assert upright(box)[0].tolist() == pytest.approx(expected, abs=1e-4)
    assert corners_of(box)[0] == pytest.approx(corners[[0, 1, 3, 2]], abs=1e-4)


def test_a_path_of_training_data_names_no_network(model):
    description = "Ultralytics YOLO11n model trained on /data/rtdetr-comparison.yaml"
    detector = opened(model, columns([50, 30, 20, 10, 0.6, 0.7]), description=description)
    assert detector.spec.resize is Resize.LETTERBOX


POSE = {"task": "pose", "names": "{0: 'person'}"}


def test_seventeen_keypoints_are_those_of_coco(model):
    row = [50, 30, 20, 10, 0.9, *[45, 28, 0.7] * 17]
    detector = opened(model, columns(row), kpt_shape="[17, 3]", **POSE)
    assert detector.spec.keypoint_names[:3] == ("nose", "left_eye", "right_eye")
    assert len(detector.spec.skeleton) == 16
    assert detector.spec.mirrored_keypoints[:3] == (0, 2, 1)
    decoded = seen(detector)
    assert decoded.keypoints_xy[0, 0, 0].tolist() == [45, 28]
    assert decoded.keypoint_scores is not None
    assert decoded.keypoint_scores[0, 0].tolist() == pytest.approx([0.7] * 17)


@pytest.mark.parametrize(("name", "first"), [("Player", "nose"), ("horse", "point 0")])
def test_seventeen_keypoints_of_an_animal_are_not_a_persons(model, name, first):
    row = [50, 30, 20, 10, 0.9, *[45, 28, 0.7] * 17]  # AP-10K has as many, from the left eye on
    entries = {**POSE, "names": f"{{0: '{name}'}}"}
    spec = opened(model, columns(row), kpt_shape="[17, 3]", **entries).spec
    assert spec.keypoint_names[0] == first and bool(spec.skeleton) == (first == "nose")


def test_numbers_as_names_of_keypoints_are_none(model):
    """Ultralytics writes them if data.yaml has no kpt_names."""
    row = [50, 30, 20, 10, 0.9, *[45, 28, 0.7] * 17]
    entries = {"kpt_shape": "[17, 3]", "kpt_names": str({0: [str(each) for each in range(17)]})}
    person = opened(model, columns(row), **entries, **POSE).spec
    assert person.keypoint_names[:2] == ("nose", "left_eye") and len(person.skeleton) == 16
    horse = opened(model, columns(row), **entries, **POSE | {"names": "{0: 'horse'}"}).spec
    assert horse.keypoint_names[0] == "point 0"
    assert horse.mirrored_keypoints == (), "nobody knows which swap"


def test_names_of_keypoints_in_the_file_are_used(model):
    row = [50, 30, 20, 10, 0.9, 45, 28, 46, 29]
    names = "{0: ['beak', 'tail']}"
    detector = opened(model, columns(row), kpt_shape="[2, 2]", kpt_names=names, **POSE)
    assert detector.spec.keypoint_names == ("beak", "tail")
    assert seen(detector).keypoint_scores is None
    other = opened(model, columns(row), kpt_shape="[2, 2]", **POSE)
    assert other.spec.keypoint_names == ("point 0", "point 1")


@pytest.mark.parametrize(
    ("classes", "width", "row", "kept"),
    [
        (2, 6, [0.5, 0.5, 0.5, 0.25, 0.9, 1], [0.0, 0.9]),
        (3, 6, [0.5, 0.5, 0.5, 0.25, 0.9, 1], [0.0, 0.9, 0.0]),
    ],
)
def test_an_rt_detr_has_rows_whether_or_not_it_says_end_to_end(model, classes, width, row, kept):
    names = str(dict(enumerate(["dog", "cat", "cow"][:classes])))
    for end2end in ("True", "False"):
        entries = {"head": "RTDETRDecoder", "end2end": end2end, "names": names}
        detector = opened(model, np.array([[row]]), **entries)
        decoded = seen(detector)
        assert decoded.xyxy[0, 0].tolist() == [24, 24, 72, 40]  # by hand, of 96x64 px
        assert decoded.scores[0, 0].tolist() == pytest.approx(kept)
        assert (detector.spec.resize, detector.spec.nms) == (Resize.STRETCH, NmsKind.NONE)


def test_keypoints_have_a_threshold_where_the_file_predicts_their_scores(model):
    scored = [50, 30, 20, 10, 0.9, *[45, 28, 0.7] * 17]
    assert (
        opened(model, columns(scored), kpt_shape="[17, 3]", **POSE).spec.keypoint_threshold == 0.5
    )
    plain = [50, 30, 20, 10, 0.9, *[45, 28] * 17]
    assert (
        opened(model, columns(plain), kpt_shape="[17, 2]", **POSE).spec.keypoint_threshold is None
    )
    assert opened(model, columns([50, 30, 20, 10, 0.9, 0.1])).spec.keypoint_threshold is None
