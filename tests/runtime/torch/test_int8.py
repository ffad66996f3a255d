"""Convolutions in 8-bit integers: rounding computed by hand, and a model's detections."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn

from kpviewer.cli.main import main
from kpviewer.errors import PipelineError, WeightsError
from kpviewer.models.libraries.inference import has_openvino
from kpviewer.models.loading import open_model
from kpviewer.models.networks.ssd.face_ssd import build_face_ssd
from kpviewer.models.opening.torch_loading import as_torch
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.models.weights import load_model, save_weights
from kpviewer.runtime.choosing.autotune import MAX_SHIFT_PX, Tolerance, probe_image
from kpviewer.runtime.executor import Executor
from kpviewer.runtime.openvino.runner import OpenVinoRunner
from kpviewer.runtime.torch.int8 import RoundedConv, observed_ranges, rounded
from kpviewer.sources.opencv import cv2
from kpviewer.system.processor import computes_int8

in_int8 = pytest.mark.skipif(
    not (has_openvino() and computes_int8()), reason="needs OpenVINO on a CPU with int8"
)


def conv_of(weight: list[float], **settings: int) -> nn.Conv2d:
    """A 1x1 convolution of one channel in, and one out for each weight."""
    conv = nn.Conv2d(1, len(weight), 1, bias=False, **settings)
    with torch.no_grad():
        conv.weight.copy_(torch.tensor(weight)[:, None, None, None])
    return conv.eval()


def test_an_input_is_rounded_to_256_steps_and_clipped():
    conv = RoundedConv(conv_of([0.5, -2.0]), 0.0, 2.55)  # steps of 0.01
    with torch.no_grad():
        seen = conv(torch.tensor([1.234, 3.0, -1.0]).view(1, 1, 1, 3))
    # one weight a channel is its channel's largest, so it is kept
    assert seen[0, 0, 0].tolist() == pytest.approx([0.615, 1.275, 0.0], abs=1e-6)
    assert seen[0, 1, 0].tolist() == pytest.approx([-2.46, -5.1, 0.0], abs=1e-6)


def test_a_weight_is_rounded_to_127_steps_of_the_largest_of_its_channel():
    conv = nn.Conv2d(2, 1, 1, bias=False)
    with torch.no_grad():
        conv.weight.copy_(torch.tensor([1.27, 0.014])[None, :, None, None])  # steps of 0.01
        seen = RoundedConv(conv, 0.0, 255.0)(torch.tensor([0.0, 100.0]).view(1, 2, 1, 1))
    assert seen.item() == pytest.approx(1.0, abs=1e-5)


def test_zero_stays_zero_as_it_pads_images():
    conv = RoundedConv(conv_of([1.0], padding=1), -1.004, 1.556)
    with torch.no_grad():
        seen = conv(torch.zeros(1, 1, 2, 2))
    assert (seen == 0).all()


def test_ranges_are_those_of_the_images_whose_colours_are_normalised():
    white, black = (np.full((64, 64, 3), value, np.uint8) for value in (255, 0))
    detector = build_face_ssd()
    least, greatest = observed_ranges(detector, [white, black])["backbone.stem.0"]
    # of the three channels, the darkest black and the brightest white: ImageNet's mean and std
    assert least == pytest.approx(-0.485 / 0.229, abs=1e-4)
    assert greatest == pytest.approx((1 - 0.406) / 0.225, abs=1e-4)
    assert not any(m._forward_pre_hooks for m in detector.network.modules())  # noqa: SLF001


def test_only_convolutions_with_a_range_are_rounded():
    network = nn.Sequential(conv_of([1.0]), conv_of([1.0]))
    copied = rounded(network, {"1": (0.0, 1.0)})
    assert [type(part) for part in copied] == [nn.Conv2d, RoundedConv]
    assert [type(part) for part in network] == [nn.Conv2d, nn.Conv2d]


def precisions_of(runner: OpenVinoRunner, input_hw: tuple[int, int]) -> set[str]:
    """In what the convolutions of a compiled graph compute."""
    compiled = runner._graph.compiled(np.zeros((1, *input_hw, 3), np.uint8))  # noqa: SLF001
    graph = compiled.request.get_compiled_model().get_runtime_model()
    infos = [operation.get_rt_info() for operation in graph.get_ops()]
    kinds = [(info["layerType"].astype(str), info["primitiveType"].astype(str)) for info in infos]
    return {primitive.rpartition("_")[2] for kind, primitive in kinds if kind == "Convolution"}


@in_int8
def test_the_shipped_model_detects_the_same_in_int8_and_fp32():
    detector, image = load_model("face-ssd"), probe_image()
    ways = (("fp32", "torch"), ("int8", "openvino"))
    engines = [Executor(detector, "cpu", *each) for each in ways]
    for engine in engines:
        engine.warm_up(image.shape[:2])
    exact, coarse = (engine.infer(image)[0] for engine in engines)
    scale = image.shape[1] / 384
    assert abs(exact.scores[0, 0] - coarse.scores[0, 0]) <= Tolerance().max_score_change
    for mine, its in ((coarse.xyxy, exact.xyxy), (coarse.keypoints_xy, exact.keypoints_xy)):
        assert np.abs(mine[0] - its[0]).max() <= MAX_SHIFT_PX * scale
    assert not np.array_equal(coarse.xyxy, exact.xyxy)
    runner = engines[1]._runner  # noqa: SLF001 - only the graph knows its precision
    assert isinstance(runner, OpenVinoRunner)
    assert precisions_of(runner, (288, 384)) == {"I8"}


@pytest.mark.parametrize("engine", ["torch", "auto"])
def test_int8_is_refused_without_a_backend_for_it(engine):
    with pytest.raises(PipelineError, match="kpviewer calibrate"):
        Executor(build_face_ssd(), "cpu", "int8", engine)


@pytest.fixture
def data(tmp_path: Path) -> str:
    """Two images in a folder of VOC's form, of no object."""
    rng = np.random.default_rng(0)
    for part in ("JPEGImages", "Annotations"):
        (tmp_path / part).mkdir()
    for name in ("a", "b"):
        image = rng.integers(0, 256, (96, 128, 3), np.uint8)
        assert cv2.imwrite(str(tmp_path / "JPEGImages" / f"{name}.png"), image)
        (tmp_path / "Annotations" / f"{name}.xml").write_text(
            f"<annotation><filename>{name}.png</filename>"
            "<size><width>128</width><height>96</height><depth>3</depth></size></annotation>"
        )
    return f"voc:{tmp_path}"


def test_the_command_keeps_the_weights_and_adds_ranges(tmp_path, data):
    before, after = tmp_path / "before.safetensors", tmp_path / "after.safetensors"
    save_weights(build_face_ssd(), before)
    done = CliRunner().invoke(main, ["calibrate", str(before), "--data", data, "--out", str(after)])
    assert done.exit_code == 0, done.output
    assert "2 images" in done.output
    old, new = load_model(before), load_model(after)
    ranges = {name: limits for name, *limits in new.spec.activation_ranges}
    convolutions = [n for n, m in new.network.named_modules() if isinstance(m, nn.Conv2d)]
    assert set(ranges) == set(convolutions)
    assert all(low <= high for low, high in ranges.values())
    assert replace(new.spec, activation_ranges=()) == old.spec
    for name, value in old.network.state_dict().items():
        assert torch.equal(value, new.network.state_dict()[name]), name


def point_model(path: Path) -> str:
    """Write a model that reads crops of 1.25 times the box, 64x64."""
    from kpviewer.models.networks.points.network import POINT_ARCHITECTURES  # noqa: PLC0415

    points = POINT_ARCHITECTURES["points-mobilenet"](
        ModelSpec("p", "points-mobilenet", Task.KEYPOINTS, ("face",), (64, 64), ("nose",))
    )
    points.network.crop_margin.fill_(1.25)
    save_weights(points, path)
    return str(path)


def test_a_model_of_crops_is_calibrated_on_those_of_the_boxes(tmp_path):
    image = np.full((300, 300, 3), 255, np.uint8)
    image[80:220, 80:220] = 100  # the crop of the box is 125 px wide
    assert cv2.imwrite(str(tmp_path / "a.png"), image)
    assert cv2.imwrite(str(tmp_path / "b.png"), image)
    box = {"bbox": [100, 100, 100, 100], "category_id": 1, "image_id": 1, "id": 1}
    sizes = {"width": 300, "height": 300}
    images = [{"id": 1, "file_name": "a.png"} | sizes, {"id": 2, "file_name": "b.png"} | sizes]
    labels = {"images": images, "annotations": [box], "categories": [{"id": 1, "name": "face"}]}
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    out = str(tmp_path / "after.safetensors")
    model = point_model(tmp_path / "p.safetensors")
    words = ["calibrate", model, "--data", f"coco:{tmp_path}/labels.json", "--out", out]
    assert CliRunner().invoke(main, words).exit_code == 0
    spec = load_model(out).spec
    name, *limits = spec.activation_ranges[0]
    greys = (100 / 255 - np.array(spec.mean)) / np.array(spec.std)
    assert name == "backbone.0.0"
    assert limits == pytest.approx([greys.min(), greys.max()])


def test_a_model_of_crops_needs_a_box(tmp_path, data):
    model, out = point_model(tmp_path / "p.safetensors"), str(tmp_path / "after.safetensors")
    done = CliRunner().invoke(main, ["calibrate", model, "--data", data, "--out", out])
    assert done.exit_code == WeightsError.exit_code
    assert "no box: nothing to measure" in done.output


@pytest.mark.parametrize(
    "rows", [[["a", 0.0]], [["a", "low", 1.0]], [["a", float("nan"), 1.0]], [["a", 2.0, 1.0]], 3]
)
def test_invalid_ranges_of_a_file_are_refused(rows):
    text = json.dumps({**json.loads(build_face_ssd().spec.to_json()), "activation_ranges": rows})
    with pytest.raises(WeightsError, match="can't be read"):
        ModelSpec.from_json(text)


def test_a_two_stage_model_has_the_ranges_of_both(tmp_path):
    boxes = build_face_ssd()
    points = load_model(point_model(tmp_path / "p.safetensors"))
    save_weights(
        boxes,
        tmp_path / "b.safetensors",
        replace(boxes.spec, activation_ranges=(("backbone.stem.0", -1.0, 1.0),)),
    )
    save_weights(
        points,
        tmp_path / "p.safetensors",
        replace(points.spec, activation_ranges=(("backbone.0.0", -2.0, 2.0),)),
    )
    both = as_torch(
        open_model(f"two-stage:{tmp_path / 'b.safetensors'}+{tmp_path / 'p.safetensors'}")
    )
    modules = dict(both.network.named_modules())
    assert both.spec.activation_ranges[0] == ("box_network.backbone.stem.0", -1.0, 1.0)
    assert [low for _name, low, _high in both.spec.activation_ranges] == [-1.0, -2.0]
    assert isinstance(modules["box_network.backbone.stem.0"], nn.Conv2d)


class Doubled(nn.Module):
    """Asks the same convolution twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = conv_of([2.0])

    def forward(self, images: Tensor) -> Tensor:
        return self.conv(self.conv(images[:, :1]))


def test_a_convolution_that_is_used_twice_has_the_range_of_both():
    class Twice:
        spec = ModelSpec(
            "twice", "twice", Task.DETECT, ("x",), (8, 8),
            mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0),
        )  # fmt: skip
        network = Doubled()

    ranges = observed_ranges(Twice(), [np.full((8, 8, 3), 255, np.uint8)])
    assert ranges["conv"] == pytest.approx((1.0, 2.0))


def test_a_file_that_cannot_be_written_is_refused_before_the_data_are_read(tmp_path):
    words = ["calibrate", "face-ssd", "--data", "coco:no-such-file.json", "--out"]
    done = CliRunner().invoke(main, [*words, str(tmp_path / "new" / "a.safetensors")])
    assert done.exit_code == 6 and "There is no folder" in done.stderr
