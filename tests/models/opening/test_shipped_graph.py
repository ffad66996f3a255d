"""Graphs of the shipped models: their weights, what runs them, and the same candidates as torch."""

import json
import shutil
import struct
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from kpviewer.errors import PipelineError, WeightsError
from kpviewer.models.libraries.inference import has_openvino
from kpviewer.models.loading import open_model
from kpviewer.models.networks.ssd.detector import REFINED_SCORE
from kpviewer.models.opening import shipped_graph
from kpviewer.models.opening.shipped_graph import GRAPHS, READERS, REFINERS, open_shipped
from kpviewer.models.opening.torch_loading import as_torch
from kpviewer.runtime.backends import dispatch as backends
from kpviewer.runtime.batches import is_same
from kpviewer.runtime.executor import Executor
from kpviewer.shipped import shipped_weights_dir
from kpviewer.sources.opencv import cv2
from kpviewer.sources.synthetic.demo import DemoSource
from kpviewer.system.processor import computes_int8
from scripts.shipped_graphs import graph_of, refiner_of

pytest.importorskip("onnxruntime")


def refiners():
    """Yield the graph of each refiner as the script writes it, and the name of its file."""
    for model, name in REFINERS.items():
        yield refiner_of(model), name


def demo_frame() -> np.ndarray:
    """Return an image with a face, a card and a strip."""
    source = DemoSource()
    source.open()
    captured = source.read(lambda height, width: np.empty((height, width, 3), np.uint8))
    source.close()
    return captured.bgr


def planes(spec, hw: tuple[int, int]) -> np.ndarray:
    """Return the demo as the input of a model: (1, 3, h, w) float32."""
    rgb = cv2.resize(demo_frame(), hw[::-1], interpolation=cv2.INTER_AREA)[..., ::-1] / 255
    return ((rgb - spec.mean) / spec.std).astype(np.float32).transpose(2, 0, 1)[None]


def rows(decoded) -> np.ndarray:
    """Return the candidates of the first image as rows, best first."""
    parts = [np.asarray(part[0], np.float32) for part in decoded[:3]]
    return np.concatenate([part.reshape(len(part), -1) for part in parts], 1)


@pytest.mark.parametrize("file", [*GRAPHS.values(), *READERS.values(), *REFINERS.values()])
def test_a_graph_reads_its_weights_from_the_weight_file(file):
    """If this fails, the weights have changed: run scripts/shipped_graphs.py."""
    folder = shipped_weights_dir()
    model = onnx.load(str(folder / file), load_external_data=False)
    places = {}
    for each in model.graph.initializer:
        entries = {entry.key: entry.value for entry in each.external_data}
        key = entries["location"], int(entries["offset"]), int(entries["length"])
        places[each.name] = (*key, tuple(each.dims))
    assert places and set(places.values()) <= set(stored(folder))


def test_the_script_writes_the_shipped_graphs():
    for written, name in ((graph_of("strip-grid"), GRAPHS["strip-grid"]), *refiners()):
        file = onnx.load(str(shipped_weights_dir() / name), load_external_data=False)
        assert written.graph == file.graph
        assert written.metadata_props == file.metadata_props


def test_a_graph_of_other_weights_is_refused(tmp_path, monkeypatch):
    for name in ("strip-grid.onnx", "strip-grid.safetensors"):
        shutil.copy(shipped_weights_dir() / name, tmp_path)
    path = tmp_path / "strip-grid.safetensors"
    path.write_bytes(path.read_bytes().replace(b"strip-grid", b"strip-grit", 1))
    monkeypatch.setattr(shipped_graph, "shipped_weights_dir", lambda: tmp_path)
    with pytest.raises(WeightsError, match=r"shipped_graphs\.py"):
        open_model("strip-grid")


@pytest.mark.parametrize("name", ["strip-grid", "strip-grid@320"])
def test_torch_runs_a_shipped_model_on_request_or_on_a_gpu(name, monkeypatch):
    detector = open_model(name)
    usual = Executor(detector, measures=False)
    assert usual.choices[0] == ("onnxruntime", "fp32")
    assert "torch" not in dict(usual.choices)
    assert "torch" in dict(each[:2] for each in usual.backends("auto"))
    asked = Executor(detector, "cpu", "fp32", "torch")
    np.testing.assert_allclose(
        asked.infer(demo_frame())[0].scores[0], usual.infer(demo_frame())[0].scores[0], atol=1e-4
    )
    monkeypatch.setattr(backends, "has_torch_gpu", lambda: True)
    assert ("torch", "fp32") in Executor(detector, measures=False).choices
    assert Executor(detector, "cpu", measures=False).choices == usual.choices


@pytest.mark.parametrize("has_torch", [True, False])
def test_fp16_of_a_shipped_model_names_what_computes_it(has_torch, monkeypatch):
    monkeypatch.setattr(backends, "has_torch", lambda: has_torch)
    with pytest.raises(PipelineError, match="For fp16, --backend torch") as refused:
        Executor(open_model("strip-grid"), "cpu", "fp16")
    assert ("pip install" in str(refused.value)) is not has_torch


@pytest.mark.slow
@pytest.mark.skipif(not has_openvino(), reason="OpenVINO isn't installed")
@pytest.mark.parametrize("name", GRAPHS)
def test_a_batch_is_run_at_once_with_the_results_of_one_by_one(name, monkeypatch):
    monkeypatch.setattr("kpviewer.runtime.openvino.runner.PATIENCE", 0)
    frame = demo_frame()
    images = [frame, frame[::-1].copy(), frame[:, ::-1].copy(), np.zeros_like(frame)]
    engine = Executor(open_model(name), "cpu", "fp32", "openvino")
    engine.compile_at_once()
    singly = [engine.infer(bgr)[0] for bgr in images]
    for _ in range(2):  # the images alone are compiled first
        found = engine.infer_batch(images)
    assert len({spent for _, spent in found}) == 1  # each has its share of the batch's time
    assert all(is_same(own, one) for (own, _), one in zip(found, singly, strict=True))


def stored(folder: Path):
    """Yield file, offset, length and shape of each tensor in half precision."""
    for path in folder.glob("*.safetensors"):
        content = path.read_bytes()
        (length,) = struct.unpack("<Q", content[:8])
        for entry in json.loads(content[8 : 8 + length]).values():
            if entry.get("dtype") == "F16":
                start, end = entry["data_offsets"]
                yield path.name, 8 + length + start, end - start, tuple(entry["shape"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "files"),
    [*((name, GRAPHS) for name in GRAPHS), *((name, READERS) for name in READERS)],
)
@pytest.mark.parametrize("hw", [(256, 320), (320, 192)], ids=["wide", "high"])
def test_a_graph_detects_what_torch_does(name, files, hw):
    graph = open_shipped(name, files)
    expected = as_torch(graph)
    assert graph.spec == expected.spec
    size = hw if graph.spec.stride else graph.spec.input_hw
    image = planes(graph.spec, size)
    with torch.inference_mode():
        exact = rows(expected.decode(expected.network(torch.from_numpy(image)), size))
    found = rows(graph.decode(graph.network(image), size))
    assert exact.shape == found.shape
    for row in exact[:10]:  # the order of equal scores is free
        assert np.abs(found - row).max(1).min() < 0.05


@pytest.mark.skipif(not has_openvino(), reason="OpenVINO isn't installed")
def test_openvino_refines_points_as_the_whole_graph_does():
    graph = open_shipped("face-ssd")
    runs = [Executor(graph, "cpu", "fp32", each) for each in ("onnxruntime", "openvino")]
    for run in runs:
        run.compile_at_once()
    whole, parts = (run.infer(demo_frame())[0] for run in runs)
    np.testing.assert_allclose(parts.scores, whole.scores, atol=1e-4)
    assert whole.scores[0, 0] > REFINED_SCORE
    np.testing.assert_allclose(parts.keypoints_xy[:8], whole.keypoints_xy[:8], atol=0.1)


@pytest.mark.slow
@pytest.mark.skipif(not (has_openvino() and computes_int8()), reason="needs int8 in OpenVINO")
@pytest.mark.parametrize("name", ["face-ssd", "two-stage:face-ssd+face-points"])
def test_eight_bits_move_no_face_by_a_pixel(name):
    model = open_model(name)
    runs = [
        Executor(model, "cpu", *each) for each in (("fp32", "onnxruntime"), ("int8", "openvino"))
    ]
    exact, coarse = (run.infer(demo_frame())[0] for run in runs)
    assert coarse.scores[0, 0] == pytest.approx(exact.scores[0, 0], abs=0.02)
    assert not np.array_equal(coarse.xyxy, exact.xyxy)
    for mine, its in ((coarse.xyxy, exact.xyxy), (coarse.keypoints_xy, exact.keypoints_xy)):
        assert np.abs(mine[0] - its[0]).max() < 1
