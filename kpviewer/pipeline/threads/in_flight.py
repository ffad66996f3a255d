"""Frames in flight: started, and finished, in the order of the queue.

An engine may take a frame while it computes another, so that resizing, computation and NMS overlap
(``protocols.SubmittingEngine``). Frames of a batch are started together. All other engines, and
frames with none behind them, run at a frame's turn.
"""

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kpviewer.pipeline.protocols import (
    EngineResult,
    InferenceEngine,
    frames_in_flight,
    infer_all,
    queues,
    submits,
)
from kpviewer.pipeline.source.reader import QueuedFrame
from kpviewer.pipeline.state.settings import InferenceSettings
from kpviewer.pipeline.state.stats import QUEUE_FULL
from kpviewer.pipeline.state.wiring import Wiring
from kpviewer.pipeline.threads.batching import FrameBatch
from kpviewer.runtime.buffers import BufferLease
from kpviewer.runtime.tickets import Ticket
from kpviewer.structures import ImageArray

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Flight:
    """A frame from the queue until its result is published."""

    item: QueuedFrame
    settings: InferenceSettings
    """Settings at the time when the model started it."""
    begun_ns: int
    """Monotonic time at which the model started it."""
    ticket: Ticket[EngineResult] | None = None
    """Pending result; None: the model runs when it is the frame's turn."""
    has_had_turn: bool = False
    """Whether a shared model has taken this frame, so that no newer one can replace it."""


class InFlight:
    """The frames in flight, oldest first; for the inference thread, which releases each one."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._batch = FrameBatch(wiring)
        self._flights: deque[Flight] = deque()

    def next(self) -> Flight | None:
        """Return the oldest frame, after starting those behind it; None: the queue ended.

        Waits for a frame only while none is in flight.
        """
        if not self._flights:
            item = self._wiring.queue.get()
            if item is None:
                return None
            self._begin([item, *self._wiring.queue.take_more(self._batch.room - 1)])
        self._submit_ahead()
        return self._at_its_turn(self._flights.popleft())

    def result(self, engine: InferenceEngine, flight: Flight) -> EngineResult:
        """Wait for the pending result of a frame, or run the model on it; a second call runs it."""
        ticket, flight.ticket = flight.ticket, None
        if ticket is not None:
            return ticket.result()
        if queues(engine):
            return engine.infer_at_turn(lambda: self._image_at_turn(flight))
        return infer_all(engine, [flight.item.frame])[0]

    def note_ms(self, frame_ms: float) -> None:
        """Note the model's time for the last frame."""
        self._batch.note_ms(frame_ms)

    def put_back(self, flight: Flight) -> None:
        """Retain a frame's lease once more and run it next, with the model of that time."""
        flight.item.frame.retain()
        flight.ticket = None
        self._flights.appendleft(flight)

    def run_alone(self) -> None:
        """Drop the pending results: each frame runs at its turn."""
        for flight in self._flights:
            flight.ticket = None

    def discard(self) -> None:
        """Release all frames. A buffer that is still being copied is reused after the copy."""
        while self._flights:
            self._flights.popleft().item.release()

    def _begin(self, items: Sequence[QueuedFrame]) -> None:
        """Take frames from the queue, and run several as a batch."""
        settings, now_ns = self._wiring.settings.current, self._wiring.clock.now_ns()
        begun = [Flight(item, settings, now_ns) for item in items]
        self._flights.extend(begun)  # first, so that each is released whatever fails
        results = self._batch.run([item.frame for item in items], settings.engine)
        for flight, result in zip(begun, results, strict=False):
            flight.ticket = _given(result)

    def _submit_ahead(self) -> None:
        """Start the oldest frame and those that wait behind it, as many as the engine takes.

        A frame with none behind it is run at its turn: alone it is ready sooner. So is one of a
        live source, as a newer frame may replace those behind it, and a batch, which waits to be
        full.
        """
        queue, settings = self._wiring.queue, self._wiring.settings
        if self._wiring.options.batch > 1:
            return
        while (last := self._flights[-1]).item.is_lossless and len(queue) + len(self._flights) > 1:
            if last.ticket is None:
                self._submit(last)
            is_full = len(self._flights) >= frames_in_flight(settings.current.engine)
            if last.ticket is None or is_full or not (items := queue.take_more(1)):
                return
            self._begin(items)

    def _submit(self, flight: Flight) -> None:
        """Hand a frame to the present engine, if it takes several at once."""
        flight.settings = self._wiring.settings.current
        flight.begun_ns = self._wiring.clock.now_ns()
        engine, frame = flight.settings.engine, flight.item.frame
        if not submits(engine):
            return
        faults = self._wiring.faults
        faults.begins(engine)
        try:
            flight.ticket = engine.submit(frame.bgr)
            if flight.ticket.fence is not None and isinstance(frame.lease, BufferLease):
                frame.lease.guard(flight.ticket.fence)
        except BaseException as error:  # the frame is tried alone, which reports a fault
            _log.info("A frame can't be submitted and runs at its turn: %s", error)
        finally:
            faults.answered(engine)

    def _image_at_turn(self, flight: Flight) -> ImageArray:
        """Return the image to run, the newest of a live source: the frame may have waited long.

        Called by another thread, for which the inference thread waits.
        """
        if not flight.has_had_turn:
            flight.has_had_turn = True
            flight.begun_ns = self._wiring.clock.now_ns()
            self._refresh(flight)
            if not flight.item.is_lossless:
                for newer in self._wiring.queue.take_more(1):
                    flight.item.release()
                    flight.item = newer
                    self._wiring.stats.dropped(QUEUE_FULL)
        return flight.item.frame.bgr

    def _at_its_turn(self, flight: Flight) -> Flight:
        """Return a flight with the settings that its result is published by."""
        if flight.ticket is None:
            flight.begun_ns = self._wiring.clock.now_ns()
            flight.settings = self._wiring.settings.current
        else:
            self._refresh(flight)
        return flight

    def _refresh(self, flight: Flight) -> None:
        """Use the present settings, or only the sinks if the model was replaced meanwhile."""
        now = self._wiring.settings.current
        is_same = flight.settings.engine is now.engine
        flight.settings = now if is_same else replace(flight.settings, sinks=now.sinks)


def _given(result: EngineResult) -> Ticket[EngineResult]:
    """Return the ticket of a result that is complete."""
    return Ticket(None, lambda: result)
