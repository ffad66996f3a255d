"""Point networks: points move with pixels, losses by hand, a run from recipe to weights."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torchvision.models import mobilenet_v3_small
from training.images import COLOURS, dot_centre, dotted_face

from kpviewer.annotations.formats.coco.reader import read_coco
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.cli.train import command
from kpviewer.errors import DatasetError, WeightsError
from kpviewer.models.names.architectures import IMAGE_BACKBONES
from kpviewer.models.networks.backbones.image import build_backbone
from kpviewer.models.networks.points.crops import crops_of, regions_around
from kpviewer.models.networks.points.network import POINT_ARCHITECTURES, PointDetector
from kpviewer.models.opening.pretrained import start_backbone
from kpviewer.models.weights import load_model, save_weights
from kpviewer.sources.opencv import cv2
from kpviewer.training.config import TrainConfig, load_config
from kpviewer.training.data.crops import JitterOptions, jittered
from kpviewer.training.data.placement import Placement, place
from kpviewer.training.data.samples import Sample
from kpviewer.training.families.points import (
    PointObjective,
    PointOptions,
    PointStream,
    labelled_objects,
    mean_extent,
    mean_points,
)
from kpviewer.training.families.registry import make_objective
from kpviewer.training.loop import StepReport, Trainer
from kpviewer.training.losses.points import (
    KINDS,
    PointLossOptions,
    coordinate_loss,
    gaussians,
    heat_loss,
    read_heat_loss,
    wing,
)

NAMES = ["left_eye", "right_eye", "nose", "left_mouth", "right_mouth"]
SWAP = (1, 0, 2, 4, 3)
STILL = JitterOptions(scale=0, shift=0, rotate_deg=0, mirror=0, colours=False)


@pytest.fixture(scope="module")
def dots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a COCO file of eight dotted faces."""
    folder = tmp_path_factory.mktemp("dots")
    images, annotations = [], []
    for number in range(8):
        sample = dotted_face(seed=number)
        cv2.imwrite(str(folder / f"{number}.png"), sample.rgb[..., ::-1])
        images.append({"id": number, "file_name": f"{number}.png", "width": 120, "height": 120})
        box, points = sample.xyxy[0].tolist(), sample.points_xy[0].tolist()
        annotations.append(
            {
                "id": number,
                "image_id": number,
                "category_id": 1,
                "bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]],
                "keypoints": [value for x, y in points for value in (x, y, 2)],
            }
        )
    categories = [{"id": 1, "name": "face", "keypoints": NAMES, "skeleton": [[1, 2]]}]
    path = folder / "faces.json"
    path.write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": categories})
    )
    return path


def small(**changes: object) -> TrainConfig:
    base = {
        "family": "points", "model": "points-mobilenet", "steps": 4, "batch": 4, "inputs": (64,),
        "input_shares": (1.0,), "workers": 0, "warmup_steps": 2,
    }  # fmt: skip
    return TrainConfig(**{**base, **changes})


def placed(face: Sample, placement: Placement, swap: tuple[int, ...]) -> Sample:
    return place(face, placement, swap, cv2.BORDER_CONSTANT)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("degrees", [-30, 0, 30])
@pytest.mark.parametrize("scale", [0.6, 1.0, 1.7])
def test_points_match_the_pixels(mirror, degrees, scale):
    face = dotted_face(seed=3)
    placement = Placement((60, 60), (70, 58), scale, math.radians(degrees), mirror, (128, 128))
    seen = placed(face, placement, SWAP)
    assert seen.labelled.any()
    for index in np.flatnonzero(seen.labelled[0]):
        # the dot at index ``index`` of a mirrored face is its partner's, by name
        found = dot_centre(seen.rgb, COLOURS[SWAP[index] if mirror else index])
        if found is not None:
            # dots are 5 px wide and resampled: a third of a pixel is what that costs
            assert np.abs(found - seen.points_xy[0, index]).max() < 0.35


def test_a_mirrored_face_still_has_its_left_eye_on_the_left():
    face = dotted_face()
    seen = placed(face, Placement((60, 60), (64, 64), 1.0, 0.0, True, (128, 128)), SWAP)
    assert seen.points_xy[0, 0, 0] < seen.points_xy[0, 1, 0]
    assert seen.points_xy[0, 3, 0] < seen.points_xy[0, 4, 0]


def test_points_outside_the_crop_are_not_labelled():
    seen = placed(dotted_face(), Placement((60, 40), (64, 90), 2.0, 0.0, False, (128, 128)), SWAP)
    inside = ((seen.points_xy >= 0) & (seen.points_xy < 128)).all(-1)
    assert inside.tolist() == seen.labelled.tolist()
    assert not inside.all()


def test_a_crop_without_jitter_is_that_of_the_two_stage_detector():
    face = dotted_face(seed=5)
    box = face.xyxy[0]
    placement = jittered(box, 1.25, (64, 64), STILL, np.random.default_rng(0))
    trained_on = placed(face, placement, ())
    images = torch.from_numpy(face.rgb).permute(2, 0, 1)[None].float()
    regions = regions_around(torch.from_numpy(box)[None, None], 1.25, (64, 64))
    seen = crops_of(images, regions, (64, 64))[0, 0].permute(1, 2, 0).numpy()
    for colour in COLOURS:
        ours, theirs = dot_centre(seen.clip(0, 255), colour), dot_centre(trained_on.rgb, colour)
        assert ours is not None and theirs is not None
        # two ways to shrink the image spread the edges of a dot of 4 px differently
        assert np.abs(ours - theirs).max() < 0.2


def test_the_same_seed_gives_the_same_crops(dots):
    objects = labelled_objects(read_coco(dots))

    def first(seed: int) -> np.ndarray:
        return next(iter(PointStream(objects, (64, 64), seed, SWAP, PointOptions()))).rgb

    assert (first(1) == first(1)).all()
    assert (first(1) != first(2)).any()


def test_the_wing_loss_is_that_of_the_paper():
    # by hand, w = 10, epsilon = 2: 10 ln(1 + 3/2) = 9.162907; C = 10 - 10 ln 6 = -7.917595
    errors = torch.tensor([0.0, 3.0, -3.0, 20.0])
    assert wing(errors, 10, 2).tolist() == pytest.approx([0, 9.162907, 9.162907, 27.917595])
    below, above = wing(torch.tensor([10 - 1e-4, 10 + 1e-4]), 10, 2).tolist()
    assert above - below < 1e-3


def test_losses_on_coordinates_by_hand():
    found = torch.tensor([[[0.1, 0.0], [5.0, 5.0]]])
    target = torch.tensor([[[0.0, -0.3], [0.0, 0.0]]])
    labelled = torch.tensor([[True, False]])
    by_hand = {
        "mse": (0.01 + 0.09) / 2,
        "l1": (0.1 + 0.3) / 2,
        "smooth-l1": (0.5 * 0.01 / 0.2 + 0.3 - 0.1) / 2,  # beta 0.2
        # of 64 x 128 px: errors of 6.4 and 9.6 px
        "wing": (10 * math.log(4.2) / 64 + 10 * math.log(5.8) / 32) / 2,
    }
    assert set(by_hand) == set(KINDS)
    for kind, value in by_hand.items():
        options = PointLossOptions(kind=kind, smooth_l1_beta=0.2)
        loss = coordinate_loss(found, target, labelled, (64, 128), options)
        assert float(loss) == pytest.approx(value, rel=1e-5), kind


def test_without_labelled_points_the_loss_is_zero():
    nothing = torch.zeros(2, 3, dtype=torch.bool)
    points = torch.ones(2, 3, 2)
    for kind in KINDS:
        loss = coordinate_loss(points, points * 2, nothing, (64, 64), PointLossOptions(kind=kind))
        assert float(loss) == 0
    assert float(heat_loss(torch.ones(2, 3, 8, 8), points, nothing, 2.0)) == 0


def test_a_heatmap_has_its_peak_in_the_centre_of_the_cell_of_its_point():
    # cell 5 of 16 across and cell 2 of 8 down
    point = torch.tensor([[[5.5 / 8 - 1, 2.5 / 4 - 1]]])
    heat = gaussians(point, (8, 16), 2.0)[0, 0]
    assert float(heat[2, 5]) == pytest.approx(1.0)
    assert float(heat[2, 7]) == pytest.approx(math.exp(-0.5))
    assert float(heat[4, 7]) == pytest.approx(math.exp(-1.0))
    assert float(heat_loss(heat[None, None], point, torch.ones(1, 1) > 0, 2.0)) < 1e-10


def test_coordinates_read_from_a_heatmap_count_by_their_weight():
    point, labelled = torch.tensor([[[0.5, -0.25]]]), torch.ones(1, 1) > 0
    flat = torch.zeros(1, 1, 8, 16)  # is read as the centre: |0.5| and |0.25|, mean 0.375
    alone = read_heat_loss(flat, point, labelled, (32, 64), PointLossOptions(kind="l1"))
    assert float(alone) == pytest.approx(float(heat_loss(flat, point, labelled, 2.0)))
    both = PointLossOptions(kind="l1", coordinate_weight=2.0)
    loss = read_heat_loss(flat, point, labelled, (32, 64), both)
    assert float(loss - alone) == pytest.approx(2 * 0.375, rel=1e-5)


def test_the_mean_face_and_its_box_are_read_from_the_data(dots):
    objects = labelled_objects(read_coco(dots))
    mean = mean_points(objects, (64, 64), 1.0, SWAP)
    # dotted_face: eyes 14.4 px beside the centre of a box 67.2 px high, which decides the crop;
    # dots stand on whole pixels
    assert mean[:2, 0].tolist() == pytest.approx([-14.4 / 33.6, 14.4 / 33.6], abs=0.02)
    assert mean[2].tolist() == pytest.approx([0, 3.6 / 33.6], abs=0.03)
    extent = mean_extent(objects)
    assert extent is not None
    # the box is 52.8 px wide; eyes and mouth are 14.4 px above and below the nose
    radius = math.sqrt((4 * 14.4**2 + 2 * 14.4**2 + 2 * 10.8**2) / 5)
    assert float(extent[2] - extent[0]) == pytest.approx(52.8 / radius, rel=0.02)


def test_a_run_learns_where_the_points_are(dots):
    torch.manual_seed(0)
    options = PointOptions(jitter=replace(STILL, shift=0.1))
    data = read_coco(dots)
    config = small(steps=100, batch=4, learning_rate=2e-3)
    objective = make_objective(config, [f"coco:{dots}"])
    assert isinstance(objective, PointObjective)
    reports: list[StepReport] = []
    Trainer(PointObjective(objective.detector, data, options), config).run(reports.append)
    losses = [report.losses[0] for report in reports]
    assert np.mean(losses[-8:]) < 0.75 * np.mean(losses[:8])


@pytest.mark.parametrize("model", ["heatmap-mobilenet", "bounded-points-mobilenet"])
def test_every_head_has_a_loss_and_gradients(dots, model):
    objective = make_objective(small(model=model), [f"coco:{dots}"])
    network = objective.detector.network
    samples = iter(objective.dataset((64, 64), 0))
    batch = objective.collate([next(samples) for _ in range(2)])
    (loss,) = objective.losses(network, batch, batch[0].float() / 255)  # type: ignore[attr-defined]
    loss.backward()
    assert all(p.grad is not None for p in network.parameters())


def test_a_frozen_backbone_stays_constant_and_then_learns(dots):
    config = small(steps=6, options={"frozen_steps": 3}, ema_decay=0.0)
    objective = make_objective(config, [f"coco:{dots}"])
    network = objective.detector.network
    backbone, head = network.get_submodule("backbone"), network.get_submodule("head")
    seen = []

    def look(_: StepReport) -> None:
        seen.append([part.state_dict().copy() for part in (backbone, head)])
        for state in seen[-1]:
            state.update({name: value.clone() for name, value in state.items()})

    Trainer(objective, config).run(look)

    def same(part: int, a: int, b: int) -> bool:
        return all(torch.equal(value, seen[b][part][name]) for name, value in seen[a][part].items())

    assert same(0, 0, 2) and not same(0, 2, 3)
    assert not same(1, 0, 1)


def test_a_resumed_run_does_not_freeze_its_backbone_again(dots):
    config = small(steps=3, options={"frozen_steps": 2})
    first = Trainer(make_objective(config, [f"coco:{dots}"]), replace(config, steps=2))
    first.run(lambda _: None)
    objective = make_objective(config, [f"coco:{dots}"])
    resumed = Trainer(objective, config)
    resumed.resume(first.state())
    resumed.run(lambda _: None)
    assert resumed.step == 3
    assert all(parameter.requires_grad for parameter in objective.detector.network.parameters())


def trained(dots: Path, out: Path, *changes: str, val: str | None = None) -> PointDetector:
    """Train briefly with the command; return the model that it wrote."""
    arguments = ["face-points", "--data", f"coco:{dots}", "--out", str(out)]
    for change in ("steps=2", "batch=2", "inputs=[64]", "workers=0", *changes):
        arguments += ["--set", change]
    if val is not None:
        arguments += ["--val", val]
    result = CliRunner().invoke(command, arguments)
    if isinstance(result.exception, DatasetError):
        raise result.exception
    assert result.exit_code == 0, result.output
    detector = load_model(out / "face-points.safetensors")
    assert isinstance(detector, PointDetector)
    return detector


def test_initial_weights_do_not_change_the_crops(dots, tmp_path):
    first = make_objective(small(options={"margin": 1.5}), [f"coco:{dots}"]).detector
    save_weights(first, tmp_path / "first.safetensors")
    loaded = trained(dots, tmp_path, f"init={tmp_path}/first.safetensors")
    assert float(loaded.network.crop_margin) == 1.25


def test_weights_of_a_smaller_network_start_a_larger_one(dots, tmp_path):
    first = trained(dots, tmp_path / "first", "model=fine-heatmap-light").network.state_dict()
    changes = ("model=hourglass-light", f"init={tmp_path}/first/face-points.safetensors")
    larger = trained(dots, tmp_path / "larger", *changes, "steps=1", "learning_rate=1e-30")
    grown = larger.network.state_dict()
    assert sum(value.numel() for value in first.values()) * 2 < sum(
        value.numel() for value in grown.values()
    )
    for name, value in first.items():
        if name.endswith("weight"):  # batch statistics still change
            assert torch.allclose(grown[name], value, rtol=0, atol=1e-20), name


def test_the_command_writes_weights_that_load(dots, tmp_path):
    loaded = trained(dots, tmp_path / "run", "tta_runs=2")
    assert loaded.spec.tta_runs == 2
    assert loaded.spec.mirrored_keypoints == SWAP
    assert loaded.spec.skeleton == ((0, 1),)
    assert float(loaded.network.crop_margin) == 1.25


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("left_eye", "left_ear", "Use data with the same."),
        (r", 2(?=[,\]])", ", 0", "points labelled by people"),
    ],
)
def test_data_that_cannot_score_the_model_are_refused_before_the_first_step(
    dots, tmp_path, old, new, reason
):
    others = tmp_path / "others.json"
    others.write_text(re.sub(old, new, dots.read_text()))
    for image in dots.parent.glob("*.png"):
        cv2.imwrite(str(tmp_path / image.name), cv2.flip(cv2.imread(str(image)), 1))
    out = tmp_path / "run"
    with pytest.raises(DatasetError, match=reason):
        trained(dots, out, val=f"coco:{others}")
    assert not out.exists()


@pytest.mark.parametrize(
    "recipe",
    ["face-points", "face-points-resnet18", "face-points-hourglass", "pose14", "head-centre"],
)
def test_the_shipped_recipes_fit_the_family(dots, recipe):
    config = load_config(recipe)
    objective = make_objective(config, [f"coco:{dots}"])
    assert objective.detector.spec.name == recipe.removesuffix(
        "-hourglass"
    )  # the model that it continues from
    size = objective.detector.spec.input_hw
    sample = next(iter(objective.dataset(size, 0)))
    assert sample.rgb.shape == (*size, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "face-ssd"}, "trains .*, got"),
        ({"options": {"loss": {"coordinate_weight": -1.0}}}, "coordinate_weight must be a number"),
        ({"options": {"crop": "circle"}}, "crop must be one of"),
        ({"options": {"tta_runs": 0}}, "tta_runs must be a whole number, at least 1, got 0"),
        ({"options": {"margin": 0}}, "margin must be a number, above 0, got 0"),
        ({"options": {"mirrored_bias": {"": {}}}}, r"mirrored_bias\. must have"),
        ({"options": {"loss": {"kind": "l3"}}}, "kind must be one of"),
        ({"options": {"loss": {"wing_px": -1.0}}}, r"loss\.wing_px must be a number, above 0"),
    ],
)
def test_wrong_recipes_are_refused(dots, changes, message):
    with pytest.raises(DatasetError, match=message):
        make_objective(small(**changes), [f"coco:{dots}"])


def test_a_bias_of_a_source_absent_from_the_data_is_ignored(dots):
    elsewhere = {"mirrored_bias": {"elsewhere": {}}}  # it would be refused for a source of the data
    unbiased, biased = (
        make_objective(small(options=options), [f"coco:{dots}"]) for options in ({}, elsewhere)
    )
    one, other = (next(iter(each.dataset((64, 64), 0))) for each in (unbiased, biased))
    assert np.array_equal(one.rgb, other.rgb)
    assert np.array_equal(one.points_xy, other.points_xy)


def test_keypoints_swap_in_mirrored_crops_as_the_data_say_or_a_note_says_that_none_does(
    dots, monkeypatch
):
    numbered = replace(read_coco(dots), keypoint_names=tuple("12345"))
    for read, swap in ((numbered, ()), (replace(numbered, mirrored_keypoints=SWAP), SWAP)):
        monkeypatch.setattr(
            "kpviewer.training.families.points.read_sets", lambda _, read=read: read
        )
        objective = make_objective(small(), ["data"])
        assert objective.detector.spec.mirrored_keypoints == swap
        assert any("no keypoint swaps" in note for note in objective.notes) == (not swap)
    monkeypatch.setattr("kpviewer.training.families.points.read_sets", lambda _: numbered)
    still = make_objective(small(options={"jitter": {"mirror": 0.0}}), ["data"])
    assert still.notes == ()


def test_inputs_that_cells_do_not_cover_are_refused(dots):
    with pytest.raises(DatasetError, match="multiples of 32"):
        make_objective(small(), [f"coco:{dots}"]).dataset((112, 112), 0)


def test_data_without_labelled_points_are_refused(dots):
    data = read_coco(dots)
    bare = tuple(
        replace(image, keypoints_labelled=np.zeros_like(image.keypoints_labelled))
        for image in data.images
    )
    detector = make_objective(small(), [f"coco:{dots}"]).detector
    assert isinstance(detector, PointDetector)
    with pytest.raises(DatasetError, match="labelled points"):
        PointObjective(detector, replace(data, images=bare), PointOptions())
    with pytest.raises(DatasetError, match="labelled points"):
        PointObjective(detector, AnnotationSet((), ("face",)), PointOptions())


def test_a_backbone_takes_the_weights_of_torchvision_s_classifier(tmp_path):
    classifier = mobilenet_v3_small(weights=None)
    torch.save(classifier.state_dict(), tmp_path / "mobilenet.pth")
    backbone, _ = build_backbone("mobilenet")
    start_backbone(backbone, "mobilenet", str(tmp_path / "mobilenet.pth"))
    image = torch.randn(1, 3, 64, 64)
    assert torch.equal(backbone.eval()(image), classifier.features.eval()(image))
    with pytest.raises(WeightsError, match="doesn't fit torchvision's resnet18"):
        start_backbone(build_backbone("resnet18")[0], "resnet18", str(tmp_path / "mobilenet.pth"))


def test_names_of_architectures_end_with_their_backbone():
    assert {name.rpartition("-")[2] for name in POINT_ARCHITECTURES} == set(IMAGE_BACKBONES)
