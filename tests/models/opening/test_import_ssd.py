"""Third-party SSD300 files: torchvision's gives the same outputs, and a report lists the rest."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torchvision.models.detection import ssd300_vgg16
from torchvision.models.detection.image_list import ImageList

from kpviewer.errors import WeightsError
from kpviewer.models.loading import open_model
from kpviewer.models.networks.ssd.detector import SsdDetector
from kpviewer.models.networks.ssd.light_ssd import build_light_ssd
from kpviewer.models.networks.ssd.ssd300 import SSD300_ARCHITECTURES, SSD300_SPEC, build_ssd300
from kpviewer.models.opening import import_ssd
from kpviewer.models.opening.import_ssd import (
    fill_ssd300,
    import_ssd300,
    start_from_file,
    start_from_imagenet,
)

LABELS = 4


@pytest.fixture(scope="module")
def theirs() -> torch.nn.Module:
    torch.manual_seed(0)
    model = ssd300_vgg16(weights=None, weights_backbone=None, num_classes=LABELS)
    return model.eval()


@pytest.fixture(scope="module")
def flat() -> dict[str, Tensor]:
    """An SSD300 of LABELS - 1 classes as ``layers.N``, with the gaps that activations leave."""
    torch.manual_seed(1)
    network = build_ssd300(replace(SSD300_SPEC, class_names=("a", "b", "c"))).network
    state = {"norm.weight": network.backbone.norm.weight.detach()[None, :, None, None]}
    for number, (_, layer) in enumerate(network.backbone.layers()):
        for part, value in layer.named_parameters():
            state[f"layers.{2 * number + number // 5}.{part}"] = value.detach()
    for index, head in enumerate(network.heads):
        for part, value in head.named_parameters():
            rows = value.detach().reshape(-1, LABELS + 4, *value.shape[1:])
            state[f"CLS.{index}.{part}"] = rows[:, :LABELS].flatten(0, 1)
            state[f"OFFSET.{index}.{part}"] = rows[:, LABELS:].flatten(0, 1)
    return dict(sorted(state.items()))  # as a file sorts them: layers.10 before layers.2


def test_torchvisions_file_gives_torchvisions_outputs(theirs):
    ours = import_ssd300(Path("three.pth"), theirs.state_dict())
    assert ours is not None
    images = torch.randn(1, 3, 300, 300) * 60
    with torch.inference_mode():
        maps = list(theirs.backbone(images).values())
        expected = theirs.head(maps)
        boxes = theirs.anchor_generator(ImageList(images, [(300, 300)]), maps)[0]
        heads = ours.network(images)
        scale = expected["cls_logits"].abs().max()
        # float32, 23 layers of up to 9216 products each, summed in another order at most
        torch.testing.assert_close(
            heads.class_logits / scale, expected["cls_logits"] / scale, rtol=0, atol=1e-5
        )
        scale = expected["bbox_regression"].abs().max()
        torch.testing.assert_close(
            heads.box_offsets / scale, expected["bbox_regression"] / scale, rtol=0, atol=1e-5
        )
        mine = ours.network.anchors((300, 300), torch.device("cpu"))
    corners = torch.cat([mine[:, :2] - mine[:, 2:] / 2, mine[:, :2] + mine[:, 2:] / 2], 1)
    # theirs are computed as shares of 300 px
    torch.testing.assert_close(corners, boxes, rtol=0, atol=1e-3)
    assert ours.spec.architecture == "ssd300-torchvision"
    assert ours.spec.class_names == ("class 1", "class 2", "class 3")


def test_a_file_of_layers_opens_by_name_with_the_classes_beside_it(flat, tmp_path):
    path = tmp_path / "cups.pth"
    torch.save({f"module.{name}": value for name, value in flat.items()}, path)
    path.with_suffix(".toml").write_text('classes = ["cup", "jug", "pan"]\nmean = [0.5, 0.5, 0.5]')
    detector = open_model(path)
    assert isinstance(detector, SsdDetector)
    assert detector.spec.class_names == ("cup", "jug", "pan")
    assert detector.spec.mean == (0.5, 0.5, 0.5)
    assert detector.spec.architecture == "ssd300-vgg16"
    state = detector.network.state_dict()
    layers = sorted(
        (n for n in flat if n.startswith("layers.")), key=lambda n: int(n.split(".")[1])
    )
    assert torch.equal(state["backbone.backbone.0.0.weight"], flat["layers.0.weight"])
    assert torch.equal(
        state["backbone.extras.7.0.weight"], flat[layers[-1].rpartition(".")[0] + ".weight"]
    )
    # box 1 of a cell of map 0: its four labels, then its four offsets
    assert torch.equal(state["heads.0.weight"][8:12], flat["CLS.0.weight"][4:8])
    assert torch.equal(state["heads.0.weight"][12:16], flat["OFFSET.0.weight"][4:8])


def test_a_layer_that_is_missing_or_of_another_shape_is_named(flat):
    short = {name: value for name, value in flat.items() if not name.startswith("CLS.3.")}
    with pytest.raises(WeightsError, match=r"heads\.3\.weight"):
        import_ssd300(Path("short.pth"), short)
    wide = flat | {"layers.0.weight": torch.zeros(64, 1, 3, 3)}
    with pytest.raises(WeightsError, match=r"backbone\.backbone\.0\.0\.weight is \(64, 1, 3, 3\)"):
        import_ssd300(Path("wide.pth"), wide)
    more = flat | {"layers.99.weight": torch.zeros(8), "layers.99.bias": torch.zeros(8)}
    with pytest.raises(WeightsError, match=r"layers\.99\.bias"):
        import_ssd300(Path("more.pth"), more)


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        ("classes = [", "TOML"),
        ('classes = ["one"]', "3 of them"),
        ("mean = [1, 2]", "mean must have 3 values, got 2"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(flat, tmp_path, toml, reason):
    (tmp_path / "x.toml").write_text(toml)
    with pytest.raises(WeightsError, match=reason):
        import_ssd300(tmp_path / "x.pth", flat)


@pytest.mark.parametrize(
    "odd",
    [
        {f"layers.{'9' * 5000}.weight": torch.zeros(1)},
        {"CLS.1.bias": torch.tensor(1.0), "OFFSET.1.bias": torch.tensor(1.0)},
        {"CLS.0.bias": torch.zeros(40_000)},  # would be a network of 4.6 GB
    ],
)
def test_odd_tensors_are_refused_in_words(flat, odd):
    with pytest.raises(WeightsError):
        import_ssd300(Path("odd.pt"), {**flat, **odd})


def test_linear_layers_without_biases_are_left_out():
    linear = torch.zeros(1).expand(4096, 512 * 49), torch.zeros(1).expand(4096, 4096)
    state = {"features.0.weight": torch.zeros(64, 3, 3, 3)}
    state |= {"classifier.0.weight": linear[0], "classifier.3.weight": linear[1]}
    report = fill_ssd300(SSD300_ARCHITECTURES["ssd300-vgg16"](SSD300_SPEC), state)
    assert "classifier.0.weight" in report.unused


def test_files_of_other_networks_are_not_imported():
    assert import_ssd300(Path("x.pth"), {"conv.weight": torch.zeros(1)}) is None


def test_heads_of_other_classes_are_skipped_when_training_starts(theirs, tmp_path, caplog):
    torch.save(theirs.state_dict(), tmp_path / "three.pth")
    detector = build_ssd300()  # 20 classes
    before = detector.network.heads[0].weight.clone()
    report = start_from_file(detector, str(tmp_path / "three.pth"))
    state = theirs.state_dict()
    assert torch.equal(
        detector.network.backbone.extras[7][0].weight, state["backbone.extra.4.2.weight"]
    )
    assert torch.equal(detector.network.heads[0].weight, before)
    assert all(name.startswith("heads.") for name in report.missing)
    assert caplog.messages == [f"three.pth: {report}"]
    assert "12 not in the file" in str(report) and "24 of the file's unused" in str(report)
    with pytest.raises(WeightsError, match="light-ssd"):
        start_from_file(build_light_ssd(), str(tmp_path / "three.pth"))


def test_vgg16_fills_convolutions_and_thinned_linear_layers():
    generator = torch.Generator().manual_seed(0)
    detector = build_ssd300(batch_norm=True)
    state: dict[str, Tensor] = {}
    number = 0
    for unit in detector.network.backbone.backbone:
        for layer in list(unit)[:2]:
            for name, value in layer.state_dict().items():
                state[f"features.{number}.{name}"] = torch.rand(value.shape, generator=generator)
            number += 1
    state["classifier.0.weight"] = torch.rand(4096, 25088, generator=generator)
    state["classifier.3.weight"] = torch.rand(4096, 4096, generator=generator)
    state["classifier.0.bias"] = state["classifier.3.bias"] = torch.arange(4096.0)
    report = fill_ssd300(detector, state)
    backbone = detector.network.backbone
    assert torch.equal(backbone.backbone[12][1].running_var, state["features.25.running_var"])
    # place (3, 6) of channel 5 of neuron 8 is place (1, 2) of our channel 2
    linear = state["classifier.0.weight"][8].reshape(512, 7, 7)
    assert backbone.conv6[0].weight[2, 5, 1, 2] == linear[5, 3, 6]
    assert backbone.conv7[0].weight[3, 7, 0, 0] == state["classifier.3.weight"][12, 28]
    assert backbone.conv7[0].bias[3] == 12.0
    assert not report.unused and not report.misfits


def test_without_a_connection_the_message_says_what_to_do(monkeypatch, tmp_path):
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    with torch.device("meta"):
        detector = build_ssd300()
    with pytest.raises(WeightsError, match=r"no route to host.*vgg16.*ssd300-vgg16-bn"):
        start_from_imagenet(detector)


def test_a_file_without_vgg16_can_not_start_training(tmp_path):
    torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "tiny.pth")
    with pytest.raises(WeightsError, match=r"doesn't hold.*1 of"):
        start_from_file(build_ssd300(), str(tmp_path / "tiny.pth"))
    assert import_ssd.layout_of({"conv.weight": torch.zeros(1)}) is None
