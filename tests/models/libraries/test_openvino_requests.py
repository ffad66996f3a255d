"""What is compiled for a network of a given time; streams change no result."""

import weakref
from types import SimpleNamespace

import numpy as np
import pytest

from kpviewer.models.libraries import openvino_requests
from kpviewer.models.libraries.openvino_requests import (
    IN_FLIGHT,
    MAX_SHAPES,
    CompiledModel,
    CompiledModels,
)
from kpviewer.models.libraries.openvino_widths import TRIED_EVERY

THREADS = "INFERENCE_NUM_THREADS"
EXAMPLE = {0: np.zeros((1, 8, 8, 3), np.uint8)}


class Machine:
    """A core of OpenVINO whose networks take a given time for each number of threads."""

    def __init__(self, ms_by_threads, load=1):
        self.ms_by_threads, self.compiled, self.now_s = ms_by_threads, [], 0.0
        self.load, self.processor_s = load, 0.0
        self.streams_differ = False

    def compiled_with(self, settings):
        self.compiled.append(settings.get(THREADS))
        is_other = "NUM_STREAMS" in settings and self.streams_differ
        output = np.nextafter(np.float32([np.nan, 1]), np.float32(2 if is_other else 1))
        return Compiled(self, settings.get(THREADS), output)


class Compiled:
    def __init__(self, machine, threads, output):
        self.machine, self.threads = machine, threads
        self.model_inputs = [EXAMPLE[0]]
        self.model_outputs = [SimpleNamespace(data=output, shape=output.shape)]

    def get_output_tensor(self, index):
        return self.model_outputs[index]

    def create_infer_request(self):
        return self

    def infer(self, values, *, share_inputs):
        assert values.keys() == {0}
        machine, alone_s = self.machine, self.machine.ms_by_threads[self.threads] / 1e3
        machine.now_s += alone_s * machine.load
        machine.processor_s += alone_s * (self.threads or 1)


@pytest.fixture
def chosen(monkeypatch):
    """Return the compiled model and the machine."""

    def choose(ms_by_threads, settings, load=1):
        machine = Machine(ms_by_threads, load)
        monkeypatch.setattr(openvino_requests.time, "perf_counter", lambda: machine.now_s)
        monkeypatch.setattr(openvino_requests.time, "process_time", lambda: machine.processor_s)
        compiled = CompiledModel(machine.compiled_with, settings, lambda _: EXAMPLE)
        return compiled, machine

    return choose


@pytest.mark.parametrize("load", [1, 20])
def test_a_small_network_is_compiled_for_one_thread_less_too(chosen, load):
    model, machine = chosen({4: 1.4, 3: 1.6}, {THREADS: 4}, load)
    assert machine.compiled == [4]
    for _ in range(TRIED_EVERY):
        model.infer(EXAMPLE)
    assert machine.compiled == [4, 3]
    assert model.in_flight == IN_FLIGHT


@pytest.mark.parametrize(
    ("ms_by_threads", "settings", "in_flight"),
    [
        ({2: 40.0}, {THREADS: 2}, IN_FLIGHT),
        ({2: 900.0}, {THREADS: 2}, 1),  # a stop would wait for seconds
        ({1: 2.0}, {THREADS: 1}, 1),
        ({None: 2.0}, {}, 1),
    ],
    ids=["large", "slow", "one thread", "another device"],
)
def test_other_networks_are_compiled_once(chosen, ms_by_threads, settings, in_flight):
    model, machine = chosen(ms_by_threads, settings)
    for _ in range(TRIED_EVERY):
        model.infer(EXAMPLE)
    assert machine.compiled == list(ms_by_threads)
    assert model.in_flight == in_flight


def test_the_shapes_that_came_last_stay_compiled():
    models, compiled = CompiledModels(), []
    for shape in (*range(MAX_SHAPES), 0, MAX_SHAPES, 0, 1):
        models.of(shape, lambda shape=shape: compiled.append(shape) or object())
    assert compiled == [*range(MAX_SHAPES + 1), 1]
    assert 0 in models
    assert 2 not in models


def test_a_model_goes_without_the_collector(chosen):
    model, _ = chosen({2: 2.0, 1: 2.0}, {THREADS: 2})
    gone = weakref.ref(model)
    del model
    assert gone() is None


@pytest.mark.parametrize("changed", [False, True])
def test_streams_that_change_a_result_are_not_used(chosen, changed):
    model, machine = chosen({2: 2.0, 1: 5.0}, {THREADS: 2})
    machine.streams_differ = changed
    requests = model.requests_in_flight(EXAMPLE)
    assert len(requests) == (0 if changed else IN_FLIGHT)
    assert model.in_flight == (1 if changed else IN_FLIGHT)
