"""Predictions of YOLOv3, decoded by hand; the order of maps, anchors and cells."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from kpviewer.models.networks.yolov3.detector import YoloDetector
from kpviewer.models.networks.yolov3.heads import (
    COCO_ANCHORS,
    YoloHeads,
    YoloNetwork,
    as_predictions,
    by_map,
)
from kpviewer.models.networks.yolov3.light import LIGHT_YOLO_SPEC, build_yolov3_light
from kpviewer.models.weights import load_model, save_weights

HW = (64, 96)
ANCHORS = (((10.0, 12.0), (14.0, 8.0)), ((20.0, 40.0), (50.0, 30.0)))
QUIET = -20.0


def logit(share: float) -> float:
    return math.log(share / (1 - share))


def blank(batch: int = 1) -> list[Tensor]:
    """Return maps of strides 8 and 16 that predict nothing, two anchors and two classes each."""
    maps = [torch.zeros(batch, 2, 64 // s, 96 // s, 7) for s in (8, 16)]
    for each in maps:
        each[..., 4] = QUIET
    return maps


def detector() -> YoloDetector:
    spec = replace(LIGHT_YOLO_SPEC, class_names=("cat", "dog"))
    return YoloDetector(spec, YoloNetwork((8, 16), ANCHORS))


def prediction(*box: float, objectness: float, classes: tuple[float, float]) -> Tensor:
    return torch.tensor([*box, logit(objectness), *(logit(each) for each in classes)])


def test_a_box_is_the_sigmoid_in_its_cell_and_the_exponential_of_its_anchor():
    maps = blank()
    # stride 16, anchor 20x40, row 2, column 3
    maps[1][0, 0, 2, 3] = prediction(
        logit(0.6), logit(0.2), math.log(2), math.log(0.5), objectness=0.75, classes=(0.5, 0.8)
    )
    decoded = detector().decode(YoloHeads(maps), HW)
    # centre ((3 + 0.6) * 16, (2 + 0.2) * 16) = (57.6, 35.2); 40 x 20 px
    assert decoded.xyxy[0, 0].tolist() == pytest.approx([37.6, 25.2, 77.6, 45.2], abs=1e-4)
    assert decoded.scores[0, 0].tolist() == pytest.approx([0.375, 0.6], abs=1e-6)
    assert decoded.scores[0, 1:].max() < 1e-6


def test_each_map_and_anchor_has_its_own_stride_and_size():
    maps = blank()
    maps[0][0, 1, 7, 11] = prediction(0, 0, 0, 0, objectness=0.9, classes=(0.9, 0.1))
    maps[1][0, 1, 0, 0] = prediction(0, 0, 0, 0, objectness=0.8, classes=(0.1, 0.9))
    decoded = detector().decode(YoloHeads(maps), HW)
    # the last cell of stride 8: centre (92, 60), 14 x 8 px, clipped at nothing
    assert decoded.xyxy[0, 0].tolist() == pytest.approx([85, 56, 99 - 3, 64], abs=1e-4)
    # the first of stride 16: centre (8, 8), 50 x 30 px, clipped at the corner
    assert decoded.xyxy[0, 1].tolist() == pytest.approx([0, 0, 33, 23], abs=1e-4)


def test_boxes_of_wild_networks_are_inside_the_input():
    maps = [torch.full_like(each, 1e4) for each in blank()]
    decoded = detector().decode(YoloHeads(maps), HW)
    assert decoded.xyxy.isfinite().all()
    assert decoded.xyxy.amin() >= 0
    assert (decoded.xyxy <= torch.tensor([96.0, 64.0, 96.0, 64.0])).all()


def test_at_most_400_candidates_are_kept_the_best_of_each_image():
    maps = [torch.zeros(2, 2, 20, 30, 7), torch.zeros(2, 2, 10, 15, 7)]
    maps[1][1, 1, 9, 14] = prediction(0, 0, 0, 0, objectness=0.99, classes=(0.99, 0.1))
    decoded = detector().decode(YoloHeads(maps), (160, 240))
    assert decoded.scores.shape == (2, 400, 2)
    assert float(decoded.scores[1, 0, 0]) == pytest.approx(0.99**2, abs=1e-6)
    assert float(decoded.scores[0].max()) == pytest.approx(0.25, abs=1e-6)


def test_candidates_are_ranked_by_objectness_times_class():
    maps = blank()
    maps[0][0, 0, 0, 0] = prediction(0, 0, 0, 0, objectness=0.3, classes=(0.1, 0.98))
    maps[0][0, 0, 5, 5] = prediction(0, 0, 0, 0, objectness=0.9, classes=(0.5, 0.1))
    decoded = detector().decode(YoloHeads(maps), HW)
    assert decoded.scores[0, :2].amax(-1).tolist() == pytest.approx([0.45, 0.294], abs=1e-6)


def test_channels_are_anchor_by_anchor():
    features = torch.arange(2 * 7 * 2 * 3).reshape(1, 14, 2, 3)
    split = as_predictions(features, 7)
    assert split.shape == (1, 2, 2, 3, 7)
    assert int(split[0, 1, 1, 2, 4]) == int(features[0, 7 + 4, 1, 2])


def test_small_anchors_go_to_the_fine_map():
    assert by_map(COCO_ANCHORS[::-1], 3)[0] == ((10, 13), (16, 30), (33, 23))
    assert by_map(COCO_ANCHORS, 3)[2][2] == (373, 326)
    with pytest.raises(ValueError, match="8 anchors"):
        by_map(COCO_ANCHORS[1:], 3)


def test_weights_keep_their_anchors(tmp_path):
    detector = build_yolov3_light(replace(LIGHT_YOLO_SPEC, class_names=("a", "b", "c")))
    detector.network.anchors_wh.copy_(torch.arange(18.0).reshape(3, 3, 2) + 5)
    save_weights(detector, tmp_path / "y.safetensors")
    loaded = load_model(tmp_path / "y.safetensors")
    assert torch.equal(loaded.network.anchors_wh, detector.network.anchors_wh)
    assert loaded.spec == detector.spec
