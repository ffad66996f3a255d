"""Point models are scored on crops of the ground truth, without a detector."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.evaluation import timing
from kpviewer.evaluation.point_reading import score_points, usable
from kpviewer.models.networks.points.network import POINT_ARCHITECTURES, PointDetector
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.structures import GroundTruth

SPEC = ModelSpec("dots", "points-mobilenet", Task.KEYPOINTS, ("dot",), (32, 32), ("dot",))


class Brightest(nn.Module):
    """Head whose points are the mean position of pixels brighter than the mean colour."""

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        return (maps[-1].amin(1, keepdim=True) - 1).clamp(min=0)

    def coordinates(self, raw: Tensor) -> Tensor:
        weight = raw / raw.sum((2, 3), keepdim=True)
        steps = (torch.arange(raw.shape[3]) + 0.5) * (2 / raw.shape[3]) - 1
        return torch.stack([(weight.sum(2) * steps).sum(-1), (weight.sum(3) * steps).sum(-1)], -1)


def dot_reader(margin: float) -> PointDetector:
    detector = POINT_ARCHITECTURES["points-mobilenet"](SPEC)
    detector.network.head = Brightest()  # type: ignore[assignment]
    same = nn.Conv2d(3, 3, 1)  # its parameters have a device
    with torch.no_grad():
        same.weight.copy_(torch.eye(3)[..., None, None])
        same.bias.zero_()
    detector.network.backbone = nn.Sequential(same)
    detector.network.crop_margin.fill_(margin)
    return detector


def image(path: Path) -> np.ndarray:
    """Return an image of two white dots of 8 px in the dark, around (20, 20) and (70, 44)."""
    bgr = np.zeros((64, 96, 3), np.uint8)
    for x, y in ((20, 20), (70, 44)):
        bgr[y - 4 : y + 4, x - 4 : x + 4] = 255
    return bgr


@pytest.fixture(autouse=True)
def images_of_dots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "load_image", image)


def annotated(*, pseudo: bool = False) -> AnnotationSet:
    """Return ground truth that is off by (3, 4) px for the second dot."""
    targets = GroundTruth(
        np.array([[10, 10, 34, 30], [54, 30, 84, 60]], np.float32),
        np.zeros(2, np.int64),
        np.array([[[20, 20]], [[73, 48]]], np.float32),
        np.ones((2, 1), np.bool_),
        np.zeros(2, np.bool_),
    )
    image = AnnotatedImage(
        Path("a.png"), (96, 64), targets, "", np.array([False, pseudo]),
        np.ones((2, 1), np.bool_), 1,
    )  # fmt: skip
    return AnnotationSet((image,), ("dot",), ("dot",))


def test_every_object_has_its_own_crop():
    score = score_points(dot_reader(1.25), annotated()).overall
    assert score.objects == 2
    # dots of whole pixels in crops that scale by about 1: a tenth of a pixel
    assert score.mean_px == pytest.approx(2.5, abs=0.1)
    assert score.root_mse_px == pytest.approx(2.5, abs=0.1)
    assert score.pck == 1


def test_objects_labelled_by_a_detector_do_not_count():
    score = score_points(dot_reader(1.25), annotated(pseudo=True)).overall
    assert score.objects == 1
    assert score.mean_px == pytest.approx(0, abs=0.1)


def test_a_model_of_whole_images_runs_on_the_whole_image():
    only = annotated()
    score = score_points(dot_reader(0), only).overall
    # both dots at once: their mean is (45, 32)
    gaps = [np.hypot(25, 12), np.hypot(28, 16)]
    assert score.mean_px == pytest.approx(np.mean(gaps), abs=0.5)


def test_other_keypoints_are_refused():
    with pytest.raises(DatasetError, match="places dot"):
        score_points(dot_reader(0), replace(annotated(), keypoint_names=("eye",)))


def test_keypoints_are_compared_by_name_in_whatever_order():
    spec = replace(SPEC, keypoint_names=("left eye", "nose"))
    only = annotated().images[0]
    xy = np.array([[[1, 1], [2, 2], [3, 3]]] * 2, np.float32)
    seen = np.array([[True, True, False]] * 2)
    targets = replace(only.targets, keypoints_xy=xy, keypoints_visible=seen)
    moved = replace(only, targets=targets, keypoints_labelled=np.ones((2, 3), np.bool_))
    found = usable(spec, AnnotationSet((moved,), ("dot",), ("Nose", "chin", "Left_Eye")))
    assert found.keypoint_names == ("left eye", "nose")
    assert found.images[0].targets.keypoints_xy[0].tolist() == [[3, 3], [1, 1]]
    assert found.images[0].targets.keypoints_visible[0].tolist() == [False, True]
    assert "chin" in " ".join(found.notes)


def test_an_unreadable_image_is_refused(monkeypatch):
    monkeypatch.setattr(timing, "load_image", lambda path: None)
    with pytest.raises(DatasetError, match=r"a\.png"):
        score_points(dot_reader(0), annotated())


def test_each_source_is_scored():
    first, second = replace(annotated().images[0], source="a"), annotated(pseudo=True).images[0]
    report = score_points(dot_reader(1.25), replace(annotated(), images=(first, second)))
    assert report.overall.objects == 3
    assert {name: score.objects for name, score in report.groups.items()} == {"": 1, "a": 2}
    assert report.groups["a"].mean_px == pytest.approx(2.5, abs=0.1)
    assert [len(one.image.targets) for one in report.seen] == [2, 1]
    assert report.object_ms.p95 > 0
