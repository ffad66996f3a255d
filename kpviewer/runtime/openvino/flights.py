"""Images in flight on a CPU: started in one of OpenVINO's streams while others are computed.

::

    host              streams                       host
    letterbox n+2 ─▶  network n, network n+1  ──▶   outputs of n

Each image has a request and a canvas of its own. They are used in turn, so results come in order.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from numpy.typing import NDArray

from kpviewer.geometry import Letterbox
from kpviewer.models.libraries.openvino_requests import STREAMS, CompiledModel, outputs_of
from kpviewer.models.spec import ModelSpec
from kpviewer.runtime.letterboxing import Letterboxing
from kpviewer.structures import FloatArray, ImageArray

PATIENCE = 8
"""Images of a new size that run one by one, while others wait, before streams are compiled."""
ALONE = 64
"""Images that run alone in succession, after which the streams are freed: 34 MB for face-ssd."""


class Flights:
    """Images in flight of the input size that came last: a folder has many sizes.

    Args:
        spec: description of the model.
        inputs: function from letterboxed pixels, (1, h, w, 3), to the inputs by index.
        decode: function from the outputs and the inputs of an image, and ``input_hw`` by name, to
            its candidates, (1, M, D).
    """

    notice: str | None = None

    def __init__(
        self,
        spec: ModelSpec,
        inputs: Callable[[NDArray[Any]], Mapping[int, NDArray[Any]]],
        decode: Callable[..., FloatArray | None],
    ) -> None:
        self._spec, self._inputs, self._decode = spec, inputs, decode
        self._model: CompiledModel | None = None
        self._input_hw = (0, 0)
        self._seen = self._alone = 0
        self._slots: deque[_Slot] = deque()
        """Slots in the order of their use, the next one first."""
        self._ends_s = deque([0.0] * STREAMS, STREAMS)
        """Times at which the last images left their streams."""
        self.patience = PATIENCE

    @property
    def frames_in_flight(self) -> int:
        """Most images in flight; 1 until an image has run."""
        return self._model.in_flight if self._model is not None else 1

    @property
    def threads_alone(self) -> int:
        """Number of threads that may resize an image which runs alone."""
        return 1 if self._model is None or self._slots else self._model.threads

    def use(self, model: CompiledModel, input_hw: tuple[int, int]) -> None:
        """Take images of another size from now on, for which a model is compiled."""
        if model is not self._model:
            self.release()
            self._model, self._input_hw = model, input_hw

    def submit(self, images: Sequence[ImageArray], box: Letterbox, *, waits: bool) -> Flight | None:
        """Start an image; None to have it run alone: in one stream it would take longer.

        Args:
            images: one (H, W, 3) uint8 image, not read after the call returns.
            box: where it is in the input.
            waits: whether the caller waits for it at once.
        """
        self._alone = self._alone + 1 if waits else 0
        if self._alone == ALONE:
            self._land()
        if waits or len(images) > 1 or box.input_hw != self._input_hw:
            return None
        model, (bgr,) = self._model, images
        self._seen += 1
        if model is None or model.in_flight < STREAMS or self._seen <= self.patience:
            return None
        if not self._slots:
            inputs = self._inputs(Letterboxing(self._spec)(bgr, box))
            requests = model.requests_in_flight(inputs)
            self._slots.extend(_Slot(each, Letterboxing(self._spec)) for each in requests)
            if not requests:
                return None
        slot = self._slots[0]
        self._slots.rotate(-1)
        if slot.flight is not None:
            slot.flight.settle()
            slot.letterbox = Letterboxing(self._spec)  # it keeps its pixels until it is decoded
        began_s = time.perf_counter()
        slot.inputs = self._inputs(slot.letterbox(bgr, box))
        loaded_s = time.perf_counter()
        slot.request.start_async(dict(slot.inputs), share_inputs=True)
        decode = partial(self._decode, input_hw=box.input_hw)
        slot.flight = Flight(slot, decode, (began_s, loaded_s), self._ends_s)
        return slot.flight

    def release(self) -> None:
        """Free the streams; images in flight keep theirs."""
        self._model, self._input_hw = None, (0, 0)
        self._land()

    def _land(self) -> None:
        """Free the streams until images come often again."""
        self._seen = 0
        self._slots.clear()


class _Slot:
    """Memory of one image in flight."""

    def __init__(self, request: Any, letterbox: Letterboxing) -> None:
        self.request, self.letterbox = request, letterbox
        self.inputs: Mapping[int, NDArray[Any]] = {}
        """Inputs, which the request reads while it runs."""
        self.flight: Flight | None = None
        """Flight whose result is still in the request."""

    def __del__(self) -> None:
        """Wait for the request: it reads memory of the slot."""
        try:  # noqa: SIM105 - at the exit of Python, contextlib may be gone
            self.request.wait()
        except RuntimeError:
            pass


class Flight:
    """An image on its way through a stream: a ``runners.Pending``.

    Args:
        slot: slot of the image, whose request has started.
        decode: function from its outputs and its inputs to its candidates, (1, M, D).
        times_s: times at which it was taken and at which its request started.
        ends_s: times at which the images before it left their streams; its own is added.
    """

    fence = None

    def __init__(
        self,
        slot: _Slot,
        decode: Callable[..., FloatArray | None],
        times_s: tuple[float, float],
        ends_s: deque[float],
    ) -> None:
        self._slot: _Slot | None = slot
        self._inputs = slot.inputs
        self._decode, self._times_s, self._ends_s = decode, times_s, ends_s
        self._outputs: list[NDArray[Any]] = []
        self._forward_ms = self._decode_ms = 0.0
        self._error: RuntimeError | None = None

    def rows(self) -> FloatArray:
        """Wait for the candidates: (1, M, D) float32, the caller's own.

        Raises:
            RuntimeError: if the network failed.
        """
        self.settle()
        if self._error is not None:
            raise self._error
        began_s = time.perf_counter()
        rows = self._decode(self._outputs, self._inputs)
        assert rows is not None, "one image alone can be told apart"
        self._decode_ms = (time.perf_counter() - began_s) * 1e3
        return rows

    def stages_ms(self) -> list[float]:
        """Return the times of resizing, of the network in its stream, and of decoding, ms."""
        began_s, loaded_s = self._times_s
        return [(loaded_s - began_s) * 1e3, self._forward_ms, self._decode_ms]

    def settle(self) -> None:
        """Wait for the result and take it out of the slot, which is free then; idempotent."""
        if self._slot is None:
            return
        slot, self._slot = self._slot, None
        slot.flight = None
        try:
            slot.request.wait()
            self._outputs = outputs_of(slot.request)
        except RuntimeError as error:  # for the caller of rows, not for the next image
            self._error = error
            return
        ended_s = self._times_s[1] + slot.request.latency / 1e3
        self._forward_ms = (ended_s - max(self._times_s[1], min(self._ends_s))) * 1e3
        self._ends_s.append(ended_s)
