from dataclasses import replace

import numpy as np
import onnx
import torch
from onnx_files import ambiguous_model

from kpviewer.models.loading import open_model
from kpviewer.models.networks.darknet.architectures import TINY_SPEC
from kpviewer.models.networks.darknet.blocks import DarknetCfg, Route
from kpviewer.models.networks.darknet.network import DarknetNetwork
from kpviewer.models.networks.darknet.standard import tiny
from kpviewer.models.networks.points.network import PointDetector
from kpviewer.models.networks.points.two_stage import TwoStageDetector
from kpviewer.models.networks.ssd.light_ssd import build_light_ssd
from kpviewer.models.networks.yolov3.detector import YoloDetector
from kpviewer.models.onnx.recognition import describe
from kpviewer.models.opening.input_size import ResizedDetector
from kpviewer.models.opening.onnx_file import OnnxDetector
from kpviewer.models.weights import load_model
from kpviewer.runtime.content import model_hash
from kpviewer.runtime.executor import Executor


def test_a_model_that_is_opened_again_has_the_same_hash_on_any_backend():
    first, second = open_model("face-ssd"), open_model("face-ssd")
    assert model_hash(first) == model_hash(second) is not None
    engine = Executor(first, "cpu", "fp32", "torch")
    assert engine.model_hash == model_hash(second)
    engine.infer(np.zeros((48, 64, 3), np.uint8))
    assert model_hash(first) == model_hash(second)
    for how in (("bf16", "torch"), ("fp32", "onnxruntime")):
        assert Executor(open_model("face-ssd"), "cpu", *how).model_hash == engine.model_hash


def test_weights_and_input_size_count():
    detector = load_model("face-ssd")
    before = model_hash(detector)
    assert model_hash(ResizedDetector(detector, 640)) != before
    with torch.no_grad():
        next(detector.network.parameters()).view(-1)[0] += 1
    assert model_hash(detector) != before


def test_both_stages_count():
    hashes = {
        model_hash(open_model(name))
        for name in (
            "face-ssd",
            "face-points",
            "two-stage:face-ssd+face-points",
            "two-stage:face-ssd@640+face-points",
        )
    }
    assert len(hashes) == 4 and None not in hashes


def test_the_description_of_each_stage_counts():
    boxes, points = load_model("face-ssd"), load_model("face-points")
    assert isinstance(points, PointDetector)
    before = model_hash(TwoStageDetector(boxes, points))
    points.spec = replace(points.spec, tta_runs=1, mean=(0.1, 0.1, 0.1))
    assert model_hash(TwoStageDetector(boxes, points)) != before


def test_file_and_layout_of_an_onnx_model_count(tmp_path):
    path = ambiguous_model(tmp_path / "net.onnx")
    layouts = [model_hash(open_model(f"{path}@{layout}")) for layout in ("yolox-decoded", "yolox")]
    assert layouts[0] != layouts[1] and None not in layouts
    renamed = path.rename(tmp_path / "renamed.onnx")
    assert model_hash(open_model(f"{renamed}@yolox")) == layouts[1]


def test_weights_beside_an_onnx_file_count(tmp_path):
    path = ambiguous_model(tmp_path / "net.onnx")
    onnx.save(
        onnx.load(path), path, save_as_external_data=True, location="w" * 200, size_threshold=0,
        convert_attribute=True,
    )  # fmt: skip
    facts = open_model(f"{path}@yolox").network.session.facts
    before = facts.content()
    weights = bytearray((tmp_path / ("w" * 200)).read_bytes())
    weights[-1] ^= 1
    (tmp_path / ("w" * 200)).write_bytes(weights)
    assert None not in (before, facts.content()) and facts.content() != before
    (tmp_path / ("w" * 200)).unlink()
    assert facts.content() is None


def test_a_file_replaced_after_it_was_opened_is_another_model(tmp_path):
    path = ambiguous_model(tmp_path / "net.onnx")
    opened, before = open_model(f"{path}@yolox"), model_hash(open_model(f"{path}@yolox"))
    assert before is not None and model_hash(opened) == before
    ambiguous_model(tmp_path / "new.onnx").replace(path)
    assert model_hash(opened) is None, "not the hash of a file that it isn't"
    assert model_hash(open_model(f"{path}@yolox")) == before


def test_names_of_classes_dont_count():
    detector = load_model("face-ssd")
    before = model_hash(detector)
    kinds = {type(each) for each in (detector, *detector.network.modules())}
    own = {kind: kind.__qualname__ for kind in kinds if kind.__module__.startswith("kpviewer.")}
    try:
        for kind in own:
            kind.__name__ = kind.__qualname__ = "Renamed"
        assert model_hash(detector) == before
    finally:
        for kind, name in own.items():
            kind.__name__ = kind.__qualname__ = name


def test_thresholds_of_a_description_dont_count(tmp_path):
    path = ambiguous_model(tmp_path / "net.onnx")
    first = open_model(f"{path}@yolox")
    found = describe(path, first.network.session.facts, "yolox").description
    description = replace(found, score_threshold=0.9, notes=("new",))
    second = OnnxDetector(replace(first.spec, score_threshold=0.9), first.network, description)
    assert model_hash(second) == model_hash(first)


def test_what_the_layers_of_a_darknet_read_counts():
    plain = tiny(1)
    layers = list(plain.layers)
    row = layers.index(Route((-1, 8)))
    layers[row] = Route((8, -1))  # as many channels, in another order
    hashes = []
    for cfg in (plain, DarknetCfg(plain.net, tuple(layers))):
        torch.manual_seed(0)
        hashes.append(model_hash(YoloDetector(TINY_SPEC, DarknetNetwork(cfg))))
    assert hashes[0] != hashes[1]


class Own:
    """A detector of the user's own, in this file."""

    def __init__(self) -> None:
        inner = build_light_ssd(open_model("face-ssd").spec)
        self.spec, self.network, self.decode = inner.spec, inner.network, inner.decode


def test_own_code_counts(monkeypatch, tmp_path):
    torch.manual_seed(0)
    detector = Own()
    before = model_hash(detector)
    assert model_hash(detector) == before
    other = tmp_path / "other.py"
    other.write_text("changed")
    monkeypatch.setattr(f"{__name__}.__file__", str(other))
    assert model_hash(detector) != before
