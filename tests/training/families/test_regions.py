"""Training of region-based detectors: RoIs, losses, options of a recipe, what is learnt."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.ops import box_iou
from training.data.test_scenes import blocks
from training.families.test_objects import voc  # noqa: F401 - a fixture

from kpviewer.annotations.formats.voc.reader import read_voc
from kpviewer.errors import DatasetError, WeightsError
from kpviewer.models.networks.multilabel import MULTILABEL_ARCHITECTURES
from kpviewer.models.networks.regions.architectures import SYSTEMS
from kpviewer.models.networks.regions.heads import RoiPredictions, box_coder
from kpviewer.models.networks.ssd.light_ssd import build_light_ssd
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.models.weights import save_weights
from kpviewer.runtime.model import Model
from kpviewer.sources.images.source import load_image
from kpviewer.sources.opencv import cv2
from kpviewer.training.config import TrainConfig, load_config
from kpviewer.training.data import proposal_search
from kpviewer.training.families.regions import RegionsObjective, targets_of
from kpviewer.training.families.registry import make_objective
from kpviewer.training.loop import StepReport, Trainer
from kpviewer.training.losses.regions import RoiLossOptions, RoiTargets, drawn_rois, roi_losses


def small(system: str = "faster-rcnn", **changes: object) -> TrainConfig:
    base = {"family": "regions", "model": f"{system}-light", "steps": 2, "batch": 2,
            "inputs": (64,), "input_shares": (1.0,), "workers": 0}  # fmt: skip
    return TrainConfig(**{**base, **changes})


def objective_of(config: TrainConfig, folder: Path) -> RegionsObjective:
    objective = make_objective(config, [f"voc:{folder}"])
    assert isinstance(objective, RegionsObjective)
    return objective


@pytest.fixture
def search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace selective search, which takes a second, by boxes at random."""

    def random_boxes(rgb: np.ndarray, _settings: object) -> np.ndarray:
        corners = np.random.default_rng(0).uniform(0, 1, (50, 2, 2)) * rgb.shape[1::-1]
        xyxy = np.concatenate([corners.min(1), corners.max(1) + 1], 1).astype(np.float32)
        return np.concatenate([xyxy, blocks().xyxy])

    monkeypatch.setattr(proposal_search, "selective_search", random_boxes)


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.usefixtures("search")
def test_each_system_trains_all_of_its_parts(voc, system):  # noqa: F811
    torch.manual_seed(0)
    config = small(system)
    objective = objective_of(config, voc)
    before = {k: v.clone() for k, v in objective.detector.network.named_parameters()}
    reports: list[StepReport] = []
    Trainer(objective, config).run(reports.append)
    moved = {k for k, v in objective.detector.network.named_parameters() if (v != before[k]).any()}
    assert moved == set(before)
    assert len(reports[0].losses) == len(objective.loss_names)
    assert ("objectness" in objective.loss_names) == (system in ("faster-rcnn", "rfcn"))


def test_batches_keep_the_proposals_of_each_image(voc):  # noqa: F811
    objective = objective_of(small(), voc)
    one = replace(blocks(), proposals_xyxy=np.array([[1, 2, 3, 4], [5, 6, 7, 8]], np.float32))
    two = replace(blocks(), proposals_xyxy=np.array([[9, 9, 10, 10]], np.float32))
    two = replace(two, ignore=np.array([False, True]))
    first, second = targets_of(objective.collate([one, two]))
    assert first["proposals"].tolist() == one.proposals_xyxy.tolist()
    assert second["proposals"].tolist() == two.proposals_xyxy.tolist()
    assert first["labels"].tolist() == [1, 2]  # 0 is the background
    assert second["labels"].tolist() == [1]
    assert second["ignored"].tolist() == [two.xyxy[1].tolist()]


def target(boxes: list[list[float]], ignored: list[list[float]] | None = None) -> dict:
    return {
        "boxes": torch.tensor(boxes).reshape(-1, 4),
        "labels": torch.arange(len(boxes)) + 1,
        "ignored": torch.tensor(ignored or []).reshape(-1, 4),
    }


def test_rois_have_the_class_of_an_object_from_an_iou_of_a_half():
    boxes = [[0.0, 0, 100, 100], [200, 200, 300, 300]]
    # IoU with the first box: 0.5, 0.49; with the second: 1; then none
    proposals = torch.tensor(
        [[0.0, 0, 50, 100], [0, 0, 49, 100], [200, 200, 300, 300], [400, 400, 500, 500]]
    )
    options = RoiLossOptions(rois=100, object_share=0.9)
    drawn = drawn_rois([proposals], [target(boxes)], options)
    assert drawn.labels[0].tolist() == [1, 0, 2, 0, 1, 2]  # objects are RoIs too
    expected = box_coder().encode_single(torch.tensor(boxes[:1]), proposals[:1])
    torch.testing.assert_close(drawn.offsets[0][:1], expected)
    assert drawn.offsets[0][2].tolist() == [0, 0, 0, 0]


def test_a_quarter_of_the_rois_are_objects_at_most():
    proposals = torch.tensor([[0.0, 0, 100, 100]] * 50 + [[500.0, 0, 600, 100]] * 100)
    drawn = drawn_rois([proposals], [target([[0.0, 0, 100, 100]])], RoiLossOptions(rois=64))
    assert int((drawn.labels[0] > 0).sum()) == 16
    assert len(drawn.labels[0]) == 64


def test_proposals_inside_ignored_objects_are_no_background():
    ignored = [[0.0, 0, 100, 100]]
    proposals = torch.tensor([[10.0, 10, 50, 50], [0, 0, 100, 100], [400, 400, 500, 500]])
    drawn = drawn_rois([proposals], [target([], ignored)], RoiLossOptions())
    assert drawn.xyxy[0].tolist() == [[400, 400, 500, 500]]
    both = drawn_rois([proposals], [target([[0.0, 0, 90, 90]], ignored)], RoiLossOptions())
    assert [0, 0, 100, 100] in both.xyxy[0].tolist()  # matches an object, IoU 0.81


@pytest.mark.parametrize("count", [1, 3], ids=["one box for all", "a box for each class"])
def test_the_losses_are_means_over_all_rois(count):
    logits = torch.tensor([[0.0, 0, 0], [0, 0, 0]])
    offsets = torch.zeros(2, count, 4)
    targets = RoiTargets(
        [torch.zeros(2, 4)],
        [torch.tensor([2, 0])],
        [torch.tensor([[1.0, 0, 0, 0], [9, 9, 9, 9]])],
    )
    found = roi_losses(RoiPredictions(logits, offsets), targets)
    assert float(found.classification) == pytest.approx(np.log(3))
    # smooth L1 of an error of 1 with beta 1/9 is 1 - 1/18; background has no box
    assert float(found.boxes) == pytest.approx((1 - 1 / 18) / 2)


def test_without_any_roi_the_losses_are_0():
    nothing = RoiPredictions(torch.zeros(0, 3), torch.zeros(0, 1, 4))
    assert roi_losses(nothing, RoiTargets([], [], [])) == (0, 0)


def test_a_recipe_sets_the_areas_of_the_anchors(voc):  # noqa: F811
    options = {"anchor_sides": [8, 16, 32]}
    objective = objective_of(small(options=options), voc)
    sides = objective.detector.network.proposals.anchor_generator.sides_px
    assert sides.tolist() == [8, 16, 32]


@pytest.mark.parametrize(
    ("system", "options"),
    [
        ("rcnn", {"anchor_sides": [8, 16, 32]}),
        ("fast-rcnn", {"loss": {"proposal_weight": 2.0}}),
        ("faster-rcnn", {"proposals_folder": "somewhere"}),
        ("rfcn", {"proposals_folder": "somewhere"}),
    ],
)
def test_an_option_of_the_other_kind_of_proposals_is_refused(
    voc,  # noqa: F811
    system,
    options,
):
    with pytest.raises(DatasetError, match=f"{system}-light .*Leave out"):
        objective_of(small(system, options=options), voc)


def test_a_light_backbone_starts_from_another_model_of_kpviewer(
    voc,  # noqa: F811
    tmp_path,
):
    other = build_light_ssd()
    save_weights(other, tmp_path / "other.safetensors")
    options = {"pretrained": str(tmp_path / "other.safetensors")}
    backbone = objective_of(small(options=options), voc).detector.network.backbone
    given = other.network.backbone.state_dict()
    for name, value in backbone.state_dict().items():
        torch.testing.assert_close(value, given[name].half().to(value.dtype))


def test_other_backbones_and_imagenet_are_refused_for_a_light_one(
    voc,  # noqa: F811
    tmp_path,
):
    with pytest.raises(WeightsError, match=r"^torchvision has no ImageNet weights for the light"):
        objective_of(small(options={"pretrained": "imagenet"}), voc)
    name = "multilabel-mobilenet"
    spec = ModelSpec(name, name, Task.CLASSIFY, ("a",), (64, 64))
    save_weights(MULTILABEL_ARCHITECTURES[name](spec), tmp_path / "mobile.safetensors")
    with pytest.raises(WeightsError, match=r"has no light backbone: .* of .* tensors are missing"):
        objective_of(small(options={"pretrained": str(tmp_path / "mobile.safetensors")}), voc)


@pytest.mark.parametrize("system", SYSTEMS)
def test_there_is_a_recipe_for_each_system(system):
    config = load_config(system)
    assert (config.family, config.model) == ("regions", f"{system}-light")


@pytest.fixture(scope="module")
def blocks_128(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write four images of a red and a blue block, of 56 x 80 and 64 x 32 px."""
    folder = tmp_path_factory.mktemp("large")
    for number, shift in enumerate(((-6, 4), (-3, -5), (2, 0), (5, 3))):
        bgr, objects = np.zeros((128, 128, 3), np.uint8), ""
        for name, colour, xyxy in (
            ("red", (30, 40, 220), (8, 8, 64, 88)),
            ("blue", (220, 60, 30), (56, 92, 120, 124)),
        ):
            x1, y1, x2, y2 = (max(0, int(side)) for side in np.array(xyxy) + np.tile(shift, 2))
            bgr[y1:y2, x1:x2] = colour
            objects += (
                f"<object><name>{name}</name><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin>"
                f"<xmax>{x2}</xmax><ymax>{min(y2, 128)}</ymax></bndbox></object>"
            )
        cv2.imwrite(str(folder / f"{number}.png"), bgr)
        (folder / f"{number}.xml").write_text(
            f"<annotation><filename>{number}.png</filename><size><width>128</width>"
            f"<height>128</height></size>{objects}</annotation>"
        )
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("system", "steps"),
    [("rcnn", 50), ("fast-rcnn", 60), ("faster-rcnn", 90), ("rfcn", 100)],
)
def test_each_system_learns_four_images_by_heart(blocks_128, system, steps):
    torch.manual_seed(0)
    options = {
        "scenes": {"grid_share": 0.0, "zoom": [0.95, 1.05], "mirror": False, "colours": False}
    }
    if system in ("rcnn", "fast-rcnn"):
        options["proposals_folder"] = str(blocks_128 / "proposals")  # one search for both
    if system == "rcnn":  # each RoI is an image to its backbone
        options["loss"] = {"rois": 16}
    config = small(system, steps=steps, batch=2, inputs=(128,), warmup_steps=10, ema_decay=0.9,
                   learning_rate=4e-3 if system == "rfcn" else 2e-3, options=options)  # fmt: skip
    objective = objective_of(config, blocks_128)
    trainer = Trainer(objective, config)
    trainer.run(lambda report: None)
    objective.detector.network.load_state_dict(trainer.averaged.state_dict())
    objective.detector.network.eval()
    model = Model(objective.detector, "cpu", "fp32")
    for image in read_voc(blocks_128).images:
        found = model(load_image(image.path))
        overlaps = box_iou(torch.from_numpy(image.targets.xyxy), torch.from_numpy(found.xyxy))
        assert overlaps[:, :2].amax(1).min() > 0.7  # nothing is surer than the two objects
        assert found.class_ids[overlaps.argmax(1)].tolist() == image.targets.class_ids.tolist()


@pytest.mark.usefixtures("search")
def test_proposals_are_searched_for_once_and_kept_where_the_recipe_says(
    voc,  # noqa: F811
    tmp_path,
    monkeypatch,
):
    config = small("fast-rcnn", options={"proposals_folder": str(tmp_path / "kept")})
    objective = objective_of(config, voc)
    kept = list((tmp_path / "kept").iterdir())
    assert kept
    monkeypatch.delattr(proposal_search, "selective_search")
    again = objective_of(config, voc)
    first, second = (next(iter(each.dataset((64, 64), 0))) for each in (objective, again))
    assert len(first.proposals_xyxy) > 0
    np.testing.assert_array_equal(first.proposals_xyxy, second.proposals_xyxy)


def test_a_proposal_network_needs_no_search(
    voc,  # noqa: F811
    monkeypatch,
):
    monkeypatch.delattr(proposal_search, "selective_search")
    objective = objective_of(small("faster-rcnn"), voc)
    assert not len(next(iter(objective.dataset((64, 64), 0))).proposals_xyxy)
