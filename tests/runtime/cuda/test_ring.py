"""The ring of a GPU on a device that is as slow, or as fast, as its streams allow."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from fake_gpu import FakeDevice
from fakes import read_stamp, stamp
from torch import Tensor

from kpviewer.errors import PipelineError
from kpviewer.runtime.cuda.ring import SLOTS, Ring, Streams

LATENESS = [(True, True), (True, False), (False, True), (False, False)]
SHAPE = (1, 6, 8, 3)


def read(images: Tensor) -> Tensor:
    """Return the first pixel of each image: (B, 1, 3) float32. It is the image's stamp."""
    return images[:, 0, :1].float()


def stamped(number: int) -> np.ndarray:
    bgr = np.empty(SHAPE[1:], np.uint8)
    stamp(bgr, number)
    return bgr


def number_of(rows: np.ndarray) -> int:
    return read_stamp(rows.astype(np.uint8))


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


def ring_of(
    device: FakeDevice, program: Callable[[Tensor], Tensor] = read, shape: tuple[int, ...] = SHAPE
) -> Ring:
    return Ring(device, Streams(device.stream(), device.stream()), program, shape)


@pytest.mark.parametrize("pins", [True, False], ids=["pinned", "staged"])
@pytest.mark.parametrize("late", LATENESS, ids=str)
def test_every_result_is_that_of_its_image_whatever_is_late(late, pins):
    ring = ring_of(FakeDevice(late, pins=pins))
    flights, numbers = [], []
    for number in range(50):
        flights.append(ring.submit([stamped(number)]))
        if len(flights) == SLOTS:
            numbers.append(number_of(flights.pop(0).rows()))
    numbers += [number_of(flight.rows()) for flight in flights]
    assert numbers == list(range(50))


@pytest.mark.parametrize("late", LATENESS, ids=str)
def test_a_flight_that_is_overtaken_keeps_its_result(late):
    ring = ring_of(FakeDevice(late))
    flights = [ring.submit([stamped(number)]) for number in range(5 * SLOTS)]
    assert [number_of(flight.rows()) for flight in reversed(flights)] == [*range(5 * SLOTS)][::-1]
    rows = flights[0].rows()
    ring.submit([stamped(99)]).rows()
    assert number_of(rows) == 0, "rows are the caller's own"


def test_an_image_that_is_not_pinned_may_be_overwritten_at_once():
    ring = ring_of(FakeDevice(pins=False))
    bgr = stamped(7)
    flight = ring.submit([bgr])
    stamp(bgr, 8)
    assert number_of(flight.rows()) == 7


def test_a_pinned_image_may_be_overwritten_after_its_fence():
    ring = ring_of(FakeDevice())
    bgr = stamped(7)
    flight = ring.submit([bgr])
    assert not flight.fence.query()
    flight.fence.synchronize()
    assert flight.fence.query()
    stamp(bgr, 8)
    assert number_of(flight.rows()) == 7


def test_the_next_image_is_copied_before_the_last_is_computed():
    device = FakeDevice((False, True))
    ring = ring_of(device)
    first, second = ring.submit([stamped(1)]), ring.submit([stamped(2)])
    assert second.fence.query(), "the copy waits for no computation"
    compute = device.streams[1]
    assert compute.done < len(compute.queue), "nothing was computed yet"
    assert (number_of(first.rows()), number_of(second.rows())) == (1, 2)


def test_images_of_a_batch_stay_in_order():
    ring = ring_of(FakeDevice(), shape=(3, *SHAPE[1:]))
    rows = ring.submit([stamped(number) for number in (5, 6, 7)]).rows()
    assert [number_of(each) for each in rows] == [5, 6, 7]


def test_stages_are_those_of_the_image():
    ring = ring_of(FakeDevice())
    flight = ring.submit([stamped(1)])
    upload_ms, compute_ms, back_ms = flight.stages_ms()
    assert upload_ms > 0
    assert compute_ms > 0
    assert back_ms > 0


def test_a_program_that_asks_the_host_is_refused_before_its_capture():
    device = FakeDevice()
    with pytest.raises(PipelineError, match="reads a value on the host"):
        ring_of(device, lambda images: read(images) * images.sum().item())
    assert device.captures == 0


def test_a_lost_device_holds_no_buffer():
    flight = ring_of(FakeDevice()).submit([stamped(1)])

    class Lost:
        def query(self):
            raise RuntimeError("CUDA error: device lost")

        synchronize = query

    fence = type(flight.fence)(Lost())
    fence.synchronize()
    assert fence.query()
