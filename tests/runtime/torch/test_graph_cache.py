"""Graphs that are kept: read back with the same bits, and never for another model or code."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from kpviewer.config_files import cache_folder, delete_cache, graphs_folder
from kpviewer.models.libraries.inference import has_openvino, library, openvino_core
from kpviewer.models.networks.ssd.light_ssd import LIGHT_SPEC, build_light_ssd
from kpviewer.runtime.batches import is_same
from kpviewer.runtime.executor import Executor
from kpviewer.runtime.torch import graph as torch_graph
from kpviewer.runtime.torch import graph_cache
from kpviewer.runtime.torch.graph_cache import graph_key, kept_graph

pytestmark = pytest.mark.skipif(not has_openvino(), reason="OpenVINO isn't installed")
SPEC = replace(LIGHT_SPEC, name="small", input_hw=(64, 64))


def built(seed=0, spec=SPEC):
    torch.manual_seed(seed)
    return build_light_ssd(spec)


def folders():
    return sorted((graphs_folder(cache_folder())).glob("*"))


class Adding:
    """Conversion of a graph that adds a number, and how often it was asked for."""

    def __init__(self, number):
        self.number, self.count = np.float32(number), 0

    def __call__(self):
        self.count += 1
        openvino, ops = library("openvino"), library("openvino.opset13")
        values = ops.parameter([2], np.float32)
        return openvino.Model([ops.add(values, ops.constant(self.number))], [values], "adding")


def result(model):
    compiled = openvino_core().compile_model(model, "CPU")
    return compiled(np.float32([1, 2]))[0].tolist()


def test_a_graph_is_converted_once_for_each_key():
    third = Adding(1 / 3)
    first = result(kept_graph("a", third))
    assert result(kept_graph("a", third)) == first == np.float32([4 / 3, 7 / 3]).tolist()
    assert result(kept_graph("b", Adding(5))) == [6, 7]
    assert (third.count, len(folders())) == (1, 2)


def test_a_damaged_graph_is_converted_again():
    kept_graph("a", Adding(1))
    (folder,) = folders()
    (folder / "graph.xml").write_text("<net")
    again = Adding(1)
    assert result(kept_graph("a", again)) == result(kept_graph("a", again)) == [2, 3]
    assert again.count == 1


def test_a_folder_that_can_not_be_written_costs_a_conversion_each():
    cache_folder().mkdir(parents=True, exist_ok=True)
    (graphs_folder(cache_folder())).write_text("a file is in the way")
    one = Adding(1)
    assert result(kept_graph("a", one)) == result(kept_graph("a", one)) == [2, 3]
    assert one.count == 2


def test_few_graphs_of_a_moderate_size_are_kept(monkeypatch):
    monkeypatch.setattr(graph_cache, "MAX_GRAPHS", 1)
    kept_graph("a", Adding(1))
    kept_graph("b", Adding(2))
    assert [each.name for each in folders()] == ["b"]
    monkeypatch.setattr(graph_cache, "MAX_GRAPH_BYTES", 10)
    kept_graph("c", Adding(3))
    assert [each.name for each in folders()] == ["b"]


def test_a_reset_deletes_the_graphs():
    kept_graph("a", Adding(1))
    assert len(delete_cache(cache_folder())) == 2
    assert not cache_folder().exists()


class OwnDetector:
    """A detector of the user's own code, which may change unseen."""

    def __init__(self, detector):
        self.spec, self.network, self.decode = detector.spec, detector.network, detector.decode


def test_a_key_depends_on_all_that_makes_a_graph(monkeypatch):
    key = graph_key(built(), False, (1, 64, 64))
    assert graph_key(built(), False, (1, 64, 64)) == key
    others = [
        graph_key(built(seed=1), False, (1, 64, 64)),
        graph_key(built(), True, (1, 64, 64)),
        graph_key(built(), False, (2, 64, 64)),
        graph_key(built(spec=replace(SPEC, mean=(0.0, 0.0, 0.0))), False, (1, 64, 64)),
    ]
    monkeypatch.setattr(graph_cache.metadata, "version", lambda _name: "99")
    others.append(graph_key(built(), False, (1, 64, 64)))
    assert len({key, *others}) == 6
    assert graph_key(OwnDetector(built()), False, (1, 64, 64)) is None


def test_the_second_start_finds_the_same_without_an_export(monkeypatch):
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    found = []
    for _ in range(2):
        engine = Executor(built(), "cpu", "fp32", "openvino")
        engine.warm_up((64, 64))
        found.append(engine.infer(image)[0])
        monkeypatch.delattr(torch_graph, "openvino_model", raising=False)
    assert is_same(*found)
