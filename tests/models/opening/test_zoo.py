"""torchvision's detectors: its own detections, in a fixed number of rows."""

import re
import urllib.error
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchvision.models import get_model, get_model_weights
from torchvision.models.detection import ssdlite320_mobilenet_v3_large
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor
from torchvision.models.detection.fcos import FCOSClassificationHead
from torchvision.models.detection.retinanet import RetinaNetClassificationHead
from torchvision.models.detection.ssd import SSDClassificationHead

from kpviewer.errors import WeightsError
from kpviewer.models.loading import open_model
from kpviewer.models.opening.weight_files import torch_cache
from kpviewer.models.opening.zoo import (
    ZooDetector,
    ZooNetwork,
    build_zoo_detector,
    count_labels,
    heatmap_scores,
    label_names,
    open_torchvision,
)
from kpviewer.models.spec import Task
from kpviewer.runtime.executor import Executor
from kpviewer.runtime.torch.runner import eager_network
from kpviewer.sources.redact import redact_text

SSDLITE = "ssdlite320_mobilenet_v3_large"


def image(*hw: int) -> Tensor:
    """Smooth random colours, so that random weights detect something."""
    coarse = torch.rand(1, 3, 6, 8, generator=torch.Generator().manual_seed(4))
    return torch.nn.functional.interpolate(coarse, hw, mode="bilinear")


@pytest.fixture(scope="module")
def ssdlite() -> ZooDetector:
    torch.manual_seed(0)
    detector = build_zoo_detector(SSDLITE)
    for name, value in detector.network.state_dict().items():
        if "classification_head" in name and name.endswith("1.bias"):
            value.normal_(0, 2)  # random heads alone score 1/91 everywhere
    return detector


def test_keypoints_are_drawn_from_the_logit_at_which_detectron_draws_them():
    logits = torch.tensor([-20.0, 1.9, 2.0, 2.1, 30.0])
    assert (heatmap_scores(logits) >= 0.5).tolist() == [False, False, True, True, True]


def test_classes_are_those_of_coco_without_holes(ssdlite):
    assert ssdlite.spec.keypoint_threshold is None
    assert len(ssdlite.spec.class_names) == 80
    assert ssdlite.spec.class_names[0] == "person"
    assert ssdlite.spec.class_names[-1] == "toothbrush"
    assert ssdlite.spec.task is Task.DETECT


def test_rows_are_torchvisions_detections(ssdlite):
    pixels = image(120, 160)
    with torch.inference_mode():
        (expected,) = ssdlite.network.detector([pixels[0]])
        decoded = ssdlite.decode(ssdlite.network(pixels), (120, 160))
    categories = get_model_weights(SSDLITE).DEFAULT.meta["categories"]
    count = len(expected["scores"])
    assert 0 < count <= 300
    assert decoded.scores.shape == (1, 300, 80)
    assert decoded.keypoints_xy.shape == (1, 300, 0, 2)
    found = {
        (round(row.max().item(), 5), ssdlite.spec.class_names[int(row.argmax())], *box)
        for row, box in zip(decoded.scores[0], decoded.xyxy[0].int().tolist(), strict=True)
        if row.max() > 0
    }
    wanted = {
        (round(score.item(), 5), categories[label], *box)
        for score, label, box in zip(
            expected["scores"], expected["labels"], expected["boxes"].int().tolist(), strict=True
        )
        if categories[label] != "N/A"
    }
    assert found == wanted
    assert (decoded.scores[0] > 0).sum(1).max() == 1
    assert (decoded.scores[0, len(wanted) :] == 0).all()


def test_the_runners_copy_detects_the_same(ssdlite):
    copied = eager_network(ssdlite, torch.device("cpu"))
    pixels = image(320, 320)
    with torch.inference_mode():
        original = ssdlite.decode(ssdlite.network(pixels), (320, 320))
        copy = ssdlite.decode(copied(pixels), (320, 320))
    # norms folded into convolutions: float32 through some sixty layers
    torch.testing.assert_close(copy.scores.amax(-1), original.scores.amax(-1), rtol=0, atol=1e-3)


class Quarter(nn.Module):
    """Fake torchvision detector, which detects the upper left quarter of any image."""

    def forward(self, images: list[Tensor]) -> list[dict[str, Tensor]]:
        height, width = images[0].shape[1:]
        box = torch.tensor([[0.0, 0.0, width / 2, height / 2]])
        return [{"boxes": box, "labels": torch.tensor([1]), "scores": torch.tensor([0.9])}]


@pytest.mark.parametrize("hw", [(90, 160), (320, 240), (1000, 500)])
def test_an_executor_returns_boxes_in_image_pixels(ssdlite, hw):
    stub = ZooDetector(ssdlite.spec, ZooNetwork(Quarter()), range(1, 81), 10)
    candidates, _ = Executor(stub, "cpu", "fp32", "torch").infer(np.zeros((*hw, 3), np.uint8))
    # no padding, and rounding to whole pixels of the input
    assert candidates.xyxy[0] == pytest.approx([0, 0, hw[1] / 2, hw[0] / 2], abs=1)
    assert candidates.scores[0, 0] == pytest.approx(0.9)
    assert (candidates.scores[1:] == 0).all()


def test_keypoints_are_torchvisions_own():
    torch.manual_seed(1)
    detector = build_zoo_detector("keypointrcnn_resnet50_fpn")
    inner = detector.network.detector
    inner.transform.min_size, inner.transform.max_size = (64,), 64  # at 800 it takes seconds
    inner.roi_heads.detections_per_img = 3
    pixels = image(64, 64)
    with torch.inference_mode():
        raw = detector.network(pixels)
        decoded = detector.decode(raw, (64, 64))
        (expected,) = inner([pixels[0]])
    count = len(expected["scores"])
    assert count > 0
    assert decoded.keypoints_xy.shape == (1, 100, 17, 2)
    torch.testing.assert_close(decoded.keypoints_xy[0, :count], expected["keypoints"][..., :2])
    torch.testing.assert_close(decoded.scores[0, :count, 0], expected["scores"])
    assert decoded.keypoint_scores is not None
    logits = expected["keypoints_scores"].double()
    torch.testing.assert_close(
        decoded.keypoint_scores[0, :count], (1 / (1 + torch.exp(2 - logits))).float()
    )
    spec = detector.spec
    assert spec.keypoint_threshold == 0.5
    assert spec.class_names == ("person",)
    assert spec.keypoint_names[:3] == ("nose", "left_eye", "right_eye")
    assert spec.mirrored_keypoints[:3] == (0, 2, 1)
    assert all(a != b and max(a, b) < 17 for a, b in spec.skeleton)


def test_weights_come_from_a_file(ssdlite, tmp_path):
    path = tmp_path / "own.pth"
    torch.save(ssdlite.network.detector.state_dict(), path)
    loaded = open_model(f"torchvision:{SSDLITE}@{path}")
    key = "head.classification_head.module_list.0.1.bias"
    torch.testing.assert_close(
        loaded.network.detector.state_dict()[key], ssdlite.network.detector.state_dict()[key]
    )


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with two classes of its own and the background."""
    path = tmp_path_factory.mktemp("zoo") / "cards.pth"
    network = ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=3)
    torch.save(network.state_dict(), path)
    return path


def test_a_file_may_have_other_classes(cards):
    assert open_torchvision(f"torchvision:{SSDLITE}@{cards}").spec.class_names == (
        "class 1",
        "class 2",
    )


def test_a_toml_beside_the_file_names_its_classes(cards):
    beside = cards.with_suffix(".toml")
    beside.write_text("classes = ['queen', 'king']")
    detector = open_torchvision(f"torchvision:{SSDLITE}@{cards}")
    assert detector.spec.class_names == ("queen", "king")
    with torch.inference_mode():
        decoded = detector.decode(detector.network(image(64, 64)), (64, 64))
    assert decoded.scores.shape == (1, 300, 2)
    beside.write_text("classes = ['queen']")
    with pytest.raises(WeightsError, match="2 of them"):
        open_torchvision(f"torchvision:{SSDLITE}@{cards}")
    beside.unlink()


@pytest.mark.parametrize(
    ("name", "builder"),
    [
        ("retinanet_resnet50_fpn", RetinaNetClassificationHead(8, 9, 3)),
        ("fcos_resnet50_fpn", FCOSClassificationHead(32, 1, 3)),
        ("ssd300_vgg16", SSDClassificationHead([8], [4], 3)),
        ("fasterrcnn_resnet50_fpn", FastRCNNPredictor(8, 3)),
    ],
)
def test_labels_are_counted_from_the_class_head(name, builder):
    place = "roi_heads.box_predictor." if "rcnn" in name else "head.classification_head."
    state = {place + key: value for key, value in builder.state_dict().items()}
    assert count_labels(name, state) == 3


def test_a_bias_without_its_weights_asks_for_no_large_network():
    key = "head.classification_head.cls_logits."
    state = {f"{key}bias": torch.zeros(90_000), f"{key}weight": torch.zeros(9, 256, 3, 3)}
    assert count_labels("retinanet_resnet50_fpn", state) is None


def test_weights_of_another_model_are_refused(tmp_path):
    path = tmp_path / "other.pth"
    torch.save(get_model("resnet18", weights=None).state_dict(), path)
    with pytest.raises(WeightsError, match=r"other\.pth doesn't fit"):
        open_torchvision(f"torchvision:{SSDLITE}@{path}")


def test_without_a_connection_the_message_has_the_address_of_the_weights(monkeypatch):
    def unreachable(*_args: object, **_more: object) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(type(get_model_weights(SSDLITE).DEFAULT), "get_state_dict", unreachable)
    with pytest.raises(WeightsError, match="no route to host") as caught:
        open_torchvision(f"torchvision:{SSDLITE}")
    url, message = get_model_weights(SSDLITE).DEFAULT.url, redact_text(str(caught.value))
    assert message.endswith(f"Fetch {url} elsewhere and put it into {torch_cache()}.")


@pytest.mark.parametrize("content", [b"", b"<html>blocked</html>", b"PK\x03\x04" + bytes(99)])
def test_a_damaged_file_in_the_cache_is_named(content, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    url = get_model_weights(SSDLITE).DEFAULT.url
    cached = tmp_path / "hub" / "checkpoints" / url.rpartition("/")[2]
    cached.parent.mkdir(parents=True)
    cached.write_bytes(content)
    with pytest.raises(WeightsError, match=f"{re.escape(cached.name)}: it is damaged. Delete"):
        open_torchvision(f"torchvision:{SSDLITE}")


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(WeightsError, match=f"Did you mean '{SSDLITE}'"):
        open_torchvision("torchvision:ssdlite320")


def test_a_name_that_is_near_none_suggests_none():
    with pytest.raises(WeightsError, match=r"no detector 'toaster'\. There are fasterrcnn"):
        open_torchvision("torchvision:toaster")


RETINANET, FASTER = "retinanet_resnet50_fpn", "fasterrcnn_resnet50_fpn"


@pytest.mark.parametrize(
    ("model", "labels", "toml", "names"),
    [
        (RETINANET, 2, None, ["class 0", "class 1"]),
        (RETINANET, 2, ["queen", "king"], ["queen", "king"]),
        (RETINANET, 2, ["queen"], ["", "queen"]),
        (RETINANET, 2, ["background", "queen"], ["", "queen"]),
        (RETINANET, 1, None, ["class 0"]),
        (RETINANET, 1, ["queen"], ["queen"]),
        (RETINANET, 91, None, None),
        (RETINANET, 91, ["c"] * 91, ["c"] * 91),
        ("fcos_resnet50_fpn", 1, ["queen"], ["queen"]),
        (FASTER, 2, None, ["", "class 1"]),
        (FASTER, 2, ["queen"], ["", "queen"]),
        (FASTER, 3, ["__background__", "queen", "king"], ["", "queen", "king"]),
        (FASTER, 3, ["queen"], "2 of them, got 1"),
        (FASTER, 3, ["queen", "king", "ace"], "2 of them, got 3"),
        (RETINANET, 3, ["queen"], "2 of them, or 3 if they count from 0, got 1"),
    ],
)
def test_labels_are_named_from_0_without_background(tmp_path, model, labels, toml, names):
    head = {
        RETINANET: ("head.classification_head.cls_logits.bias", 9),
        "fcos_resnet50_fpn": ("head.classification_head.cls_logits.bias", 1),
        FASTER: ("roi_heads.box_predictor.cls_score.bias", 1),
    }
    key, values = head[model]
    if toml is not None:
        (tmp_path / "own.toml").write_text(f"classes = {toml}")
    count = labels * values
    state = {key: torch.zeros(count), key.replace("bias", "weight"): torch.zeros(count, 1)}
    if isinstance(names, str):
        with pytest.raises(WeightsError, match=names):
            label_names(model, tmp_path / "own.pth", state)
        return
    own = label_names(model, tmp_path / "own.pth", state)
    assert names == (own if own is None else list(own))


def test_label_0_is_a_class_and_unknown_labels_are_none(ssdlite):
    spec = replace(ssdlite.spec, class_names=("queen", "king"))
    detector = ZooDetector(spec, ssdlite.network, [0, 1], 10)
    found = {
        "boxes": torch.tensor([[0.0, 0.0, 8.0, 8.0]] * 3),
        "labels": torch.tensor([0, 1, 2]),
        "scores": torch.tensor([0.5, 0.7, 0.9]),
    }
    decoded = detector.decode([found], (64, 64))
    expected = np.array([[0, 0.7], [0.5, 0], [0, 0]], np.float32)
    assert decoded.scores[0, :3].numpy() == pytest.approx(expected)
