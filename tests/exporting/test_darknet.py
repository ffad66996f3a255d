"""Models written as Darknet's files are the same models when they are opened again."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from darknet_files import write_model

from kpviewer.errors import KpviewerError, WeightsError
from kpviewer.exporting.export import export
from kpviewer.exporting.options import ExportOptions, Format
from kpviewer.models.loading import open_model
from kpviewer.models.networks.darknet.writing import write_darknet
from kpviewer.models.networks.ssd.light_ssd import build_light_ssd
from kpviewer.models.networks.yolov3.detector import YoloDetector
from kpviewer.models.spec import Resize

DARKNET = ExportOptions(Format.DARKNET)


def images() -> list[np.ndarray]:
    random = np.random.default_rng(3)
    return [random.integers(0, 256, (48, 96, 3), np.uint8)]


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> YoloDetector:
    """Return a model that might be trained here: with anchors and classes of its own."""
    opened = open_model(write_model(tmp_path_factory.mktemp("small")))
    torch.manual_seed(0)
    network = opened.network
    network.anchors_wh += torch.rand(2, 2, 2) / 3
    spec = replace(opened.spec, class_names=("ace", "king"), stride=32)
    return YoloDetector(spec, network)


def test_a_trained_model_keeps_every_bit(detector, tmp_path):
    report = export(detector, tmp_path / "mine.cfg", DARKNET, images())
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "mine.cfg", "mine.names", "mine.weights",
    ]  # fmt: skip
    assert report.parity.score == 0 and report.parity.box_px == 0
    again = open_model(tmp_path / "mine.weights")
    assert again.spec.class_names == ("ace", "king")
    assert (again.spec.input_hw, again.spec.resize) == ((64, 64), Resize.LETTERBOX)
    expected = detector.network.state_dict()
    for name, tensor in again.network.state_dict().items():
        assert torch.equal(tensor, expected[name]), name


def test_an_opened_model_is_written_as_the_same_weights(tmp_path):
    cfg = write_model(tmp_path)
    (tmp_path / "out").mkdir()
    written = write_darknet(open_model(cfg), tmp_path / "out", "small")
    assert written.with_suffix(".weights").read_bytes() == (tmp_path / "small.weights").read_bytes()
    random = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        for detector, other in [(open_model(cfg), open_model(written))]:
            raw, raw_again = detector.network(random), other.network(random)
            first, second = detector.decode(raw, (64, 64)), other.decode(raw_again, (64, 64))
    assert torch.equal(first.xyxy, second.xyxy)
    assert torch.equal(first.scores, second.scores)


def test_the_size_and_the_fitting_are_in_the_cfg(detector, tmp_path):
    stretched = YoloDetector(replace(detector.spec, resize=Resize.STRETCH), detector.network)
    write_darknet(stretched, tmp_path, "wide", (64, 160))
    spec = open_model(tmp_path / "wide.cfg").spec
    assert (spec.input_hw, spec.resize, spec.notes) == ((64, 160), Resize.STRETCH, ())


def test_other_networks_are_refused(detector, tmp_path):
    with pytest.raises(WeightsError, match="isn't made of Darknet's layers"):
        export(build_light_ssd(), tmp_path / "x.cfg", DARKNET, images())
    other = YoloDetector(replace(detector.spec, mean=(0.5, 0.5, 0.5)), detector.network)
    with pytest.raises(WeightsError, match="subtracts a mean"):
        export(other, tmp_path / "x.cfg", DARKNET, images())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["half", "int8", "nms"])
def test_options_of_graphs_are_refused(option, detector, tmp_path):
    options = replace(DARKNET, **{option: True})
    with pytest.raises(KpviewerError, match="single precision and no NMS"):
        export(detector, tmp_path / "x.cfg", options, images())


def test_a_name_must_be_that_of_a_cfg(detector, tmp_path):
    with pytest.raises(KpviewerError, match=r"must be named \.cfg or \.weights, got x\.onnx"):
        export(detector, tmp_path / "x.onnx", DARKNET, images())


def test_a_toml_of_other_classes_is_not_left_beside(detector, tmp_path):
    (tmp_path / "x.toml").write_text('classes = ["a", "b"]')
    with pytest.raises(KpviewerError, match=r"x\.toml would describe x\.cfg"):
        export(detector, tmp_path / "x.cfg", DARKNET, images())
