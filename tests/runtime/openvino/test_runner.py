"""The compiled graph against eager torch: the same candidates at any size."""

import subprocess
import sys
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.fx import graph_module

from kpviewer.errors import PipelineError
from kpviewer.geometry import Letterbox
from kpviewer.models.libraries.inference import has_openvino
from kpviewer.models.libraries.openvino_requests import IN_FLIGHT
from kpviewer.models.networks.ssd.light_ssd import LIGHT_SPEC, build_light_ssd
from kpviewer.models.opening.zoo import ZooNetwork
from kpviewer.models.weights import load_model
from kpviewer.runtime.choosing.autotune import probe_image
from kpviewer.runtime.executor import Executor
from kpviewer.runtime.openvino.runner import PATIENCE, OpenVinoRunner
from kpviewer.runtime.runners import candidates_of
from kpviewer.runtime.torch.conversion import openvino_model
from kpviewer.runtime.torch.graph import TorchGraph
from kpviewer.runtime.torch.preprocess import Preprocessor
from kpviewer.structures import Candidates

pytestmark = pytest.mark.skipif(not has_openvino(), reason="OpenVINO isn't installed")


@pytest.fixture(scope="module")
def engines() -> tuple[Executor, Executor]:
    detector = load_model("face-ssd")
    return tuple(Executor(detector, "cpu", "fp32", name) for name in ("torch", "openvino"))


def assert_same(mine: Candidates, exact: Candidates) -> None:
    """Scores in float32 agree to 1e-4; so do places, in source px of some hundreds, to 0.05."""
    sure = exact.scores[:, 0] > 0.05
    assert sure.any()
    count = int(sure.sum())
    np.testing.assert_allclose(mine.scores[:count], exact.scores[:count], atol=1e-4)
    np.testing.assert_allclose(mine.xyxy[:count], exact.xyxy[:count], atol=0.05)
    np.testing.assert_allclose(mine.keypoints_xy[:count], exact.keypoints_xy[:count], atol=0.05)


def test_a_compiled_graph_agrees_with_torch(engines):
    exact, compiled = engines
    image = probe_image()
    compiled.warm_up(image.shape[:2])
    assert_same(compiled.infer(image)[0], exact.infer(image)[0])
    assert (compiled.backend, compiled.precision) == ("openvino", "fp32")


def test_a_new_size_runs_eagerly_for_a_few_images(engines, monkeypatch):
    exact, engine = engines
    prepared = []
    runner = engine._runner  # noqa: SLF001 - when it compiles can't be seen from outside
    graph = runner._graph  # noqa: SLF001
    compiled = graph.compiled
    monkeypatch.setattr(
        graph, "compiled", lambda rows: prepared.append(rows.shape) or compiled(rows)
    )
    image = np.ascontiguousarray(probe_image()[:, 155:485])
    first, _ = engine.infer(image)
    assert_same(first, exact.infer(image)[0])
    for _ in range(PATIENCE - 1):
        engine.infer(image)
    assert prepared == []
    later, _ = engine.infer(image)
    assert prepared == [(1, 384, 288, 3)]
    assert_same(later, first)


def test_candidates_stay_as_they_were_when_the_next_image_comes(engines):
    image = probe_image()
    engines[1].warm_up(image.shape[:2])
    kept, _ = engines[1].infer(image)
    before = kept.xyxy.copy()
    engines[1].infer(np.zeros_like(image))
    np.testing.assert_array_equal(kept.xyxy, before)


RELEASED_ELSEWHERE = """
import faulthandler, os, signal, threading
from kpviewer.models.loading import open_model
from kpviewer.runtime.executor import Executor

faulthandler.enable()  # gives this thread a stack for its signal handlers, as pytest does
engines = [Executor(open_model("strip-grid"), "cpu", "fp32", "openvino")]
engines[0].warm_up((64, 64))
other = threading.Thread(target=engines.clear)
other.start()
other.join()
signal.signal(signal.SIGUSR1, lambda *_: print("handled"))
os.kill(os.getpid(), signal.SIGUSR1)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="signals of Linux")
def test_an_engine_that_another_thread_releases_leaves_signals_in_order():
    done = subprocess.run(
        [sys.executable, "-c", RELEASED_ELSEWHERE],
        capture_output=True, text=True, timeout=250, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "handled\n"), done.stderr[-1000:]


@cache
def prepared() -> tuple[OpenVinoRunner, int, int]:
    """Return a runner of a compiled network, and what torch keeps of it: traces and sources."""
    unit = torch.jit._state._python_cu  # noqa: SLF001 - what a trace leaves is seen nowhere else
    sources = graph_module._loader.eval_cache  # noqa: SLF001 - nor what an export leaves
    before, kept = len(unit.get_functions()), len(sources)
    preprocess = Preprocessor(LIGHT_SPEC, torch.device("cpu"))
    graph = TorchGraph(build_light_ssd(), preprocess, "fp32", 2)
    runner = OpenVinoRunner(graph, LIGHT_SPEC, "fp32")
    runner.prepare((64, 64))
    return runner, len(unit.get_functions()) - before, len(sources) - kept


def test_nothing_is_left_of_a_compiled_network_in_what_torch_keeps():
    _, traces, sources = prepared()
    assert (traces, sources) == (0, 0)


def test_images_in_flight_get_the_same_bits():
    (runner, _, _), box = prepared(), Letterbox.fit((64, 64), (64, 64))
    runner.flights.patience = 0
    images = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), np.uint8)
    alone = [candidates_of(runner, bgr, box) for bgr in images]
    assert runner.flights.frames_in_flight == IN_FLIGHT
    pending = [runner.flights.submit([bgr], box, waits=False) for bgr in images]
    for one, flight in zip(alone, pending, strict=True):
        assert flight is not None
        assert np.array_equal(flight.rows()[0], one)


class Branching(nn.Module):
    """Goes one way or another by what it sees, so it can't be exported."""

    def forward(self, images: Tensor) -> Tensor:
        return images + 1 if images.sum() > 0 else images - 1


def test_a_network_that_can_not_be_exported_is_traced():
    assert openvino_model(Branching(), torch.ones(1, 3, 4, 4)).outputs


def test_a_network_that_must_not_be_compiled_is_refused():
    network = ZooNetwork.__new__(ZooNetwork)
    nn.Module.__init__(network)
    with pytest.raises(PipelineError, match="can't be compiled"):
        openvino_model(nn.Sequential(network), torch.ones(1, 3, 4, 4))
