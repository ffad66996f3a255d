"""Images in flight on a CPU: each gets its own result, whatever happens to the others."""

import gc
import weakref
from collections.abc import Mapping
from types import SimpleNamespace

import numpy as np
import pytest

from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.models.libraries.openvino_requests import IN_FLIGHT
from kpviewer.models.networks.ssd.face_ssd import FACE_SPEC
from kpviewer.runtime.openvino import flights as flights_module
from kpviewer.runtime.openvino.flights import ALONE, PATIENCE, Flight, Flights

HW = (96, 128)
BOX = letterbox_of(FACE_SPEC, HW)


class Request:
    """Request that reads its input as late as it may: when it is waited for."""

    def __init__(self) -> None:
        self.inputs: Mapping[int, np.ndarray] | None = None
        self.latency = 2.0
        self.model_outputs: list[SimpleNamespace] = []

    def start_async(self, inputs: Mapping[int, np.ndarray], *, share_inputs: bool) -> None:
        assert share_inputs
        assert self.inputs is None, "its last image is done"
        self.inputs = inputs

    def get_output_tensor(self, index: int) -> SimpleNamespace:
        return self.model_outputs[index]

    def wait(self) -> None:
        if self.inputs is not None:
            level, self.inputs = int(self.inputs[0].max()), None
            found = np.full((1, 1, 5), level, np.float32)
            self.model_outputs = [SimpleNamespace(data=found, shape=found.shape)]
            if level == 13:
                raise RuntimeError("out of memory")


class Model:
    """Compiled model whose result is the brightest pixel."""

    in_flight, threads = IN_FLIGHT, 3

    def requests_in_flight(self, inputs: Mapping[int, np.ndarray]) -> list[Request]:
        return [Request() for _ in range(IN_FLIGHT)]


def image(level: int, hw: tuple[int, int] = HW) -> np.ndarray:
    return np.full((*hw, 3), level, np.uint8)


def flights(model: Model | None = None) -> Flights:
    """Return flights past their patience."""
    found = Flights(FACE_SPEC, lambda rows: {0: rows}, lambda outputs, *_, **__: outputs[0])
    found.use(model or Model(), BOX.input_hw)  # type: ignore[arg-type] - a fake
    found.patience = 0
    return found


def started(own: Flights, level: int) -> Flight:
    bgr = image(level)
    flight = own.submit([bgr], BOX, waits=False)
    assert flight is not None
    bgr[:] = 255  # it is not read any more
    return flight


def level_of(flight: Flight) -> int:
    return int(flight.rows()[0, 0, 0])


def test_each_image_has_its_own_result_in_order():
    own, levels, found = flights(), range(201, 221), []
    pending = [started(own, level) for level in levels[:IN_FLIGHT]]
    for level in levels[IN_FLIGHT:]:
        found.append(level_of(pending.pop(0)))
        pending.append(started(own, level))
    assert [*found, *map(level_of, pending)] == list(levels)


def test_a_dropped_image_and_a_late_one_disturb_no_other():
    own = flights()
    late, _ = started(own, 201), started(own, 202)
    others = [started(own, level) for level in range(203, 203 + 2 * IN_FLIGHT)]
    assert [level_of(each) for each in (late, *others)] == [201, *range(203, 203 + 2 * IN_FLIGHT)]


def test_a_late_image_is_decoded_with_its_own_pixels():
    def brightest(outputs: object, inputs: Mapping[int, np.ndarray], **_: object) -> np.ndarray:
        return np.full((1, 1, 5), inputs[0].max(), np.float32)

    own = Flights(FACE_SPEC, lambda rows: {0: rows}, brightest)
    own.use(Model(), BOX.input_hw)  # type: ignore[arg-type] - a fake
    own.patience = 0
    levels = range(201, 202 + 2 * IN_FLIGHT)
    pending = [started(own, level) for level in levels]
    assert [level_of(each) for each in pending] == list(levels)


def test_an_image_that_fails_fails_alone():
    own = flights()
    levels = (201, 13, 202, 203, 204)
    pending = [started(own, level) for level in levels]
    for level, flight in zip(levels, pending, strict=True):
        if level == 13:
            with pytest.raises(RuntimeError, match="memory"):
                flight.rows()
        else:
            assert level_of(flight) == level


def test_a_request_that_runs_is_waited_for_before_its_memory_goes():
    own = flights()
    flight = started(own, 201)
    request = flight._slot.request  # noqa: SLF001 - the library's own view
    del own, flight
    gc.collect()
    assert request.inputs is None


def test_images_run_alone_until_a_size_came_often():
    own = flights()
    own.patience = PATIENCE
    assert [own.submit([image(1)], BOX, waits=False) for _ in range(PATIENCE)] == [None] * PATIENCE
    assert own.submit([image(1)], BOX, waits=True) is None
    assert own.submit([image(1)], BOX, waits=False) is not None
    other = letterbox_of(FACE_SPEC, (200, 100))
    assert own.submit([image(1, (200, 100))], other, waits=False) is None
    own.use(Model(), other.input_hw)  # type: ignore[arg-type] - a fake
    assert own.submit([image(1, (200, 100))], other, waits=False) is None, "it is patient again"


def test_an_image_is_resized_on_the_free_threads_unless_others_are_in_flight():
    own = flights()
    assert own.threads_alone == Model.threads
    flight = started(own, 1)
    assert own.threads_alone == 1
    assert level_of(flight) == 1
    own.release()
    assert own.threads_alone == 1, "no model says how many are free"


def test_streams_are_freed_once_images_run_alone():
    own = flights()
    own.patience = PATIENCE
    for _ in range(PATIENCE):
        own.submit([image(1)], BOX, waits=False)
    late = started(own, 201)
    slots = [weakref.ref(slot) for slot in own._slots]  # noqa: SLF001 - what holds the memory
    for _ in range(ALONE - 1):
        own.submit([image(1)], BOX, waits=True)
    assert all(slot() for slot in slots)
    own.submit([image(1)], BOX, waits=True)
    assert level_of(late) == 201, "it has its own"
    del late
    assert not any(slot() for slot in slots)
    assert own.submit([image(1)], BOX, waits=False) is None, "it is patient again"


def test_memory_is_kept_for_its_request_at_the_exit_of_python(monkeypatch):
    model = Model()
    requests = model.requests_in_flight({})
    monkeypatch.setattr(model, "requests_in_flight", lambda _: requests)
    own = flights(model)
    started(own, 7)
    monkeypatch.setattr(flights_module, "contextlib", None, raising=False)  # as at the exit
    own.release()
    gc.collect()
    assert all(each.inputs is None for each in requests), "waited for"
