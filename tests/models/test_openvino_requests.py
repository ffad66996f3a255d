"""A core is left to the rest of the program where the network hardly needs it."""

import numpy as np
import pytest

from kpviewer.models import openvino_requests
from kpviewer.models.openvino_requests import compiled_request

THREADS = "INFERENCE_NUM_THREADS"


class Machine:
    """A core of OpenVINO whose networks take a given time for each number of threads."""

    def __init__(self, ms_by_threads):
        self.ms_by_threads, self.compiled, self.now_s = ms_by_threads, [], 0.0

    def compile_model(self, model, device, settings):
        self.compiled.append(settings.get(THREADS))
        return Compiled(self, settings.get(THREADS))


class Compiled:
    def __init__(self, machine, threads):
        self.machine, self.threads = machine, threads

    def create_infer_request(self):
        return self

    def infer(self, values, *, share_inputs):
        assert values.keys() == {0}
        self.machine.now_s += self.machine.ms_by_threads[self.threads] / 1e3


@pytest.fixture
def chosen(monkeypatch):
    """Return the threads of the request, and those that were compiled."""

    def choose(ms_by_threads, settings):
        machine = Machine(ms_by_threads)
        monkeypatch.setattr(openvino_requests, "openvino_core", lambda: machine)
        monkeypatch.setattr(openvino_requests.time, "perf_counter", lambda: machine.now_s)
        example = {0: np.zeros((1, 8, 8, 3), np.uint8)}
        return compiled_request("model", "CPU", settings, example).threads, machine.compiled

    return choose


@pytest.mark.parametrize(
    ("ms_by_threads", "expected"),
    [
        ({2: 1.4, 1: 2.0}, 1),  # a frame's other work takes longer than what is lost
        ({2: 3.0, 1: 5.8}, 2),
        ({4: 1.0, 3: 1.3}, 3),
        ({4: 2.5, 3: 3.4}, 4),
        ({2: 2.0, 1: 1.8}, 1),  # threads that wait for each other
    ],
)
def test_a_small_network_leaves_a_core(chosen, ms_by_threads, expected):
    threads = max(ms_by_threads)
    assert chosen(ms_by_threads, {THREADS: threads}) == (expected, [threads, threads - 1])


@pytest.mark.parametrize(
    ("ms_by_threads", "settings"),
    [({2: 40.0}, {THREADS: 2}), ({1: 2.0}, {THREADS: 1}), ({None: 2.0}, {})],
    ids=["large", "one thread", "another device"],
)
def test_other_networks_are_compiled_once(chosen, ms_by_threads, settings):
    (threads,) = ms_by_threads
    assert chosen(ms_by_threads, settings) == (threads, [threads])
