"""Content of a graph: what its compilation depends on. The second start needs no export."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from kpviewer.models.libraries.inference import has_openvino
from kpviewer.models.networks.ssd.light_ssd import LIGHT_SPEC, build_light_ssd
from kpviewer.runtime.batches import is_same
from kpviewer.runtime.executor import Executor
from kpviewer.runtime.torch import graph as torch_graph
from kpviewer.runtime.torch.graph import graph_content

SPEC = replace(LIGHT_SPEC, name="small", input_hw=(64, 64))


def built(seed=0, spec=SPEC):
    torch.manual_seed(seed)
    return build_light_ssd(spec)


class OwnDetector:
    """A detector of the user's own code, which may change unseen."""

    def __init__(self, detector):
        self.spec, self.network, self.decode = detector.spec, detector.network, detector.decode


def test_it_depends_on_all_that_makes_a_graph(monkeypatch):
    content = graph_content(built())
    assert graph_content(built()) == content
    others = [
        graph_content(built(seed=1)),
        graph_content(built(spec=replace(SPEC, mean=(0.0, 0.0, 0.0)))),
    ]
    monkeypatch.setattr(torch_graph.metadata, "version", lambda _name: "99")
    others.append(graph_content(built()))
    assert len({content, *others}) == 4
    assert graph_content(OwnDetector(built())) is None


@pytest.mark.skipif(not has_openvino(), reason="OpenVINO isn't installed")
def test_the_second_start_finds_the_same_without_an_export(monkeypatch):
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    found = []
    for _ in range(2):
        engine = Executor(built(), "cpu", "fp32", "openvino")
        engine.warm_up((64, 64))
        found.append(engine.infer(image)[0])
        monkeypatch.delattr(torch_graph, "openvino_model", raising=False)
    assert is_same(*found)
