"""Point networks: coordinates, heatmaps, boxes from points, names that swap."""

from dataclasses import replace

import pytest
import torch
from interpreter import python
from torchvision import models

from kpviewer.errors import WeightsError
from kpviewer.models.names.architectures import IMAGE_BACKBONES, is_point_architecture
from kpviewer.models.names.coco_keypoints import mirrored_keypoints
from kpviewer.models.networks.backbones.image import build_backbone, stride_maps
from kpviewer.models.networks.points.heads import (
    FineHeatmapHead,
    HeatmapHead,
    Hourglass,
    HourglassHead,
    RegressionHead,
    cell_centres,
    soft_argmax,
)
from kpviewer.models.networks.points.network import (
    POINT_ARCHITECTURES,
    TTA_SHIFTS_PX,
    PointDetector,
    boxes_around,
)
from kpviewer.models.spec import MAX_TTA_RUNS, ModelSpec, Task
from kpviewer.models.weights import load_model, save_weights

SPEC = ModelSpec(
    name="test-points",
    architecture="points-mobilenet",
    task=Task.KEYPOINTS,
    class_names=("face",),
    keypoint_names=("left_eye", "right_eye", "nose", "left_mouth", "right_mouth"),
    input_hw=(64, 96),
)


def built(architecture: str, names: tuple[str, ...] = SPEC.keypoint_names) -> PointDetector:
    torch.manual_seed(0)
    spec = replace(SPEC, architecture=architecture, keypoint_names=names)
    detector = POINT_ARCHITECTURES[architecture](spec)
    detector.network.eval()
    return detector


def gaussian(x: float, y: float, sigma: float, size: int = 32) -> torch.Tensor:
    """One heatmap with a peak at (x, y), in cells from the left and upper edge."""
    steps = torch.arange(size) + 0.5
    return torch.exp(-((steps - x) ** 2 + (steps[:, None] - y) ** 2) / (2 * sigma**2))


@pytest.mark.parametrize(("x", "y"), [(16.0, 16.0), (9.3, 21.8), (5.5, 26.0)])
@pytest.mark.parametrize("sigma", [1.5, 2.0, 3.0])
def test_the_mean_of_a_heatmap_is_its_peak(x, y, sigma):
    found = soft_argmax(gaussian(x, y, sigma)[None, None])[0, 0]
    # a peak of some cells, sampled: a tenth of a cell is what the grid costs
    assert ((found + 1) * 16).tolist() == pytest.approx([x, y], abs=0.1)


def test_the_mean_of_a_flat_heatmap_is_the_centre():
    assert soft_argmax(torch.zeros(1, 1, 6, 9)).abs().max() < 1e-6
    assert cell_centres(2, torch.device("cpu")).tolist() == [-0.5, 0.5]


def test_point_architectures_are_told_by_their_names():
    assert all(is_point_architecture(name) for name in POINT_ARCHITECTURES)
    assert not is_point_architecture("light-ssd") and not is_point_architecture("points")


@pytest.mark.parametrize("architecture", sorted(POINT_ARCHITECTURES))
def test_every_architecture_predicts_one_candidate_with_its_points(architecture):
    detector = built(architecture)
    with torch.inference_mode():
        decoded = detector.decode(detector.network(torch.randn(2, 3, 64, 96)), (64, 96))
    assert decoded.xyxy.shape == (2, 1, 4)
    assert decoded.keypoints_xy.shape == (2, 1, 5, 2)
    assert decoded.scores.tolist() == [[[1.0]], [[1.0]]]


@pytest.mark.parametrize(
    "architecture", ["heatmap-mobilenet", "fine-heatmap-resnet18", "hourglass-light"]
)
def test_heatmaps_have_a_quarter_of_the_input_s_side(architecture):
    with torch.inference_mode():
        heat = built(architecture).network(torch.zeros(1, 3, 64, 96))
    assert heat.shape == (1, 5, 16, 24)


@pytest.mark.parametrize("kind", IMAGE_BACKBONES)
def test_the_maps_of_a_backbone_halve_down_to_its_output(kind):
    backbone, channels = build_backbone(kind)
    images = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        maps = stride_maps(backbone.eval(), images)
        whole = backbone(images)
    sizes = [(channels[i], 32 >> i, 48 >> i) for i in range(5)]
    assert [tuple(each.shape[1:]) for each in maps] == sizes
    assert torch.equal(maps[-1], whole)


def test_a_fine_heatmap_follows_the_backbone_s_own_map_cell_by_cell():
    head = FineHeatmapHead((2, 3, 4, 5, 6), 1).eval()
    maps = [torch.zeros(1, 2 + i, 32 >> i, 32 >> i) for i in range(5)]
    with torch.inference_mode():
        before = head(maps)
        maps[1][0, :, 10, 4] = 50.0  # at stride 4
        changed = (head(maps) - before)[0, 0].abs() > 0
    rows, columns = changed.nonzero(as_tuple=True)
    # one 3x3 convolution lies between; a map of stride 32 would move 8x8 cells and more
    assert set(rows.tolist()) <= {9, 10, 11}
    assert set(columns.tolist()) <= {3, 4, 5}
    assert changed[10, 4]


def test_an_hourglass_starts_as_the_fine_heatmaps_and_then_covers_the_image():
    torch.manual_seed(0)
    fine = FineHeatmapHead((2, 3, 4, 5, 6), 1).double().eval()
    head = HourglassHead((2, 3, 4, 5, 6), 1).double().eval()
    head.load_state_dict(head.state_dict() | fine.state_dict())
    maps = [torch.rand(1, 2 + i, 64 >> i, 64 >> i).double() for i in range(5)]
    with torch.inference_mode():
        before = head(maps)
        assert torch.equal(before, fine(maps))
        for part in head.modules():
            if isinstance(part, Hourglass):
                part.norm.weight.fill_(1.0)
        learnt = head(maps)
        maps[1][0, :, 2, 2] += 50.0
        moved = (head(maps) - learnt)[0, 0].abs()
    assert not torch.equal(learnt, before)
    assert moved[-1, -1] > 0  # 29 cells away, where the fine heatmaps see one


def test_normalised_points_become_pixels_of_the_input():
    detector = built("points-mobilenet", ("one", "two"))
    raw = torch.tensor([[[-1.0, -1.0], [0.5, 0.0]]])
    decoded = detector.decode(raw, (64, 96))
    assert decoded.keypoints_xy[0, 0].tolist() == [[0.0, 0.0], [72.0, 32.0]]
    assert decoded.xyxy[0, 0].tolist() == [0.0, 0.0, 96.0, 64.0]  # two points have no extent


def test_the_box_follows_the_spread_of_the_points():
    square = torch.tensor([[10.0, 10.0], [30.0, 10.0], [30.0, 30.0], [10.0, 30.0]])
    # every corner is sqrt(200) from the mean (20, 20)
    box = boxes_around(square, torch.tensor([-1.0, -2.0, 1.0, 1.0]))
    radius = 200**0.5
    assert box.tolist() == pytest.approx(
        [20 - radius, 20 - 2 * radius, 20 + radius, 20 + radius], abs=1e-4
    )


@pytest.mark.parametrize("is_bounded", [False, True])
def test_a_head_can_start_at_the_mean_of_the_data(is_bounded):
    head = RegressionHead((8,), 2, is_bounded=is_bounded)
    mean = torch.tensor([[0.25, -0.5], [0.0, 0.8]])
    head.start_at(mean)
    assert torch.allclose(head([torch.zeros(1, 8, 2, 2)])[0], mean, atol=1e-6)


def test_bounded_points_stay_in_the_image():
    head = RegressionHead((8,), 2, is_bounded=True)
    assert head([torch.full((1, 8, 2, 2), 1e6)]).abs().max() <= 1
    assert RegressionHead((8,), 2)([torch.full((1, 8, 2, 2), 1e6)]).abs().max() > 1


def test_left_and_right_swap_by_name():
    assert mirrored_keypoints(SPEC.keypoint_names) == (1, 0, 2, 4, 3)
    assert mirrored_keypoints(("right_ankle", "neck", "left_ankle")) == (2, 1, 0)
    assert mirrored_keypoints(("left_eye", "nose")) == (0, 1)


@pytest.mark.parametrize(
    "names",
    [
        ("Left Eye", "nose", "Right Eye"),
        ("leftEye", "nose", "rightEye"),
        ("EYE-LEFT", "NOSE", "EYE-RIGHT"),
        ("lefteye", "nose", "righteye"),
        ("LEye", "Nose", "REye"),
        ("eye_l1", "nose", "eye_r1"),
        ("L_eye", "nose_l", "R_eye"),
    ],
)
def test_left_and_right_are_known_in_other_spellings(names):
    assert mirrored_keypoints(names) == (2, 1, 0)


def test_names_that_only_look_like_sides_keep_their_place():
    assert mirrored_keypoints(("bright_spot", "tail", "1", "2")) == (0, 1, 2, 3)
    assert mirrored_keypoints(("left_eye", "Left Eye", "right_eye")) == (0, 2, 1)


def moved(images: torch.Tensor, x: int, y: int) -> torch.Tensor:
    """Images moved right and down by px; padding is 0."""
    rolled = images.roll((y, x), (2, 3))
    rows, columns = torch.arange(images.shape[2]) - y, torch.arange(images.shape[3]) - x
    inside = (rows[:, None] % images.shape[2] == rows[:, None]) & (
        columns % images.shape[3] == columns
    )
    return torch.where(inside, rolled, 0.0)


@pytest.mark.parametrize("architecture", ["hourglass-light", "points-mobilenet"])
@pytest.mark.parametrize("tta_runs", range(1, MAX_TTA_RUNS + 1))
def test_tta_answers_the_mean_of_its_runs(architecture, tta_runs):
    once = built(architecture)
    often = POINT_ARCHITECTURES[architecture](replace(once.spec, tta_runs=tta_runs))
    often.network.load_state_dict(once.network.state_dict())
    often.network.eval()
    images = torch.rand(2, 3, *SPEC.input_hw)
    with torch.inference_mode():
        answers = [
            # a place in the moved image is as far off in this one
            once.points_n(once.network(moved(images, x, y)), SPEC.input_hw)
            - torch.tensor([x / (96 / 2), y / (64 / 2)])
            for x, y in TTA_SHIFTS_PX[:tta_runs]
        ]
        found = often.points_n(often.network(images), SPEC.input_hw)
    assert torch.allclose(found, torch.stack(answers).mean(0), atol=1e-5)


def test_a_network_in_training_runs_once():
    detector = POINT_ARCHITECTURES["heatmap-light"](
        replace(SPEC, architecture="heatmap-light", tta_runs=2)
    )
    images = torch.rand(2, 3, *SPEC.input_hw)
    assert detector.network.train()(images).shape[1] == 5
    assert detector.network.eval()(images).shape[1] == 10


def test_a_file_with_too_many_tta_runs_is_refused():
    assert len(TTA_SHIFTS_PX) == MAX_TTA_RUNS
    for runs, message in ((0, "at least 1"), (MAX_TTA_RUNS + 1, "at most 3"), ("two", "got 'two'")):
        text = replace(SPEC, tta_runs=runs).to_json()  # type: ignore[arg-type]
        with pytest.raises(WeightsError, match=f"tta_runs must be a whole number, .*{message}"):
            ModelSpec.from_json(text)
    assert ModelSpec.from_json(replace(SPEC, tta_runs=2).to_json()).tta_runs == 2


def test_saved_weights_keep_how_images_are_cut(tmp_path):
    detector = built("points-mobilenet")
    detector.network.crop_margin.fill_(1.25)
    save_weights(detector, tmp_path / "points.safetensors")
    loaded = load_model(tmp_path / "points.safetensors")
    assert isinstance(loaded, PointDetector)
    assert float(loaded.network.crop_margin) == 1.25


def test_a_backbone_has_torchvisions_tensor_names():
    assert isinstance(built("heatmap-resnet18").network.head, HeatmapHead)
    for name, original, prefix in (
        ("resnet18", models.resnet18(weights=None), ""),
        ("mobilenet", models.mobilenet_v3_small(weights=None), "features."),
    ):
        ours = built(f"points-{name}").network.backbone.state_dict()
        assert {prefix + key for key in ours} <= set(original.state_dict())


def test_torchvision_is_imported_when_a_model_is_built_and_not_before():
    code = (
        "import sys, kpviewer.models.networks.points.network; print('torchvision' in sys.modules)"
    )
    assert python(code).strip() == "False"
