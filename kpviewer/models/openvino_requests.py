"""Compilation by OpenVINO: for one image at a time, and for several in flight.

A small network gains little from the last core: its threads wait for each other after every layer,
and where the reader, the window or another program uses that core, the whole network waits for it.
Images in flight run in two streams instead, each with its share of the threads. Neither the number
of threads nor that of streams changes a bit of a result.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpviewer.models.inference_libraries import openvino_core

OTHER_WORK_MS = 3.0
"""Work of other threads on a frame: reading, drawing and recording."""
STREAMS = 2
"""Images that are computed at the same time."""
IN_FLIGHT = 2 * STREAMS
"""Images that are begun: one waits for each stream, so that none does."""
SLOWEST_MS = 250.0
"""Time of a network from which images in flight would delay a stop or a seek."""
_LARGE_MS = 12.0
"""Time from which a network needs all cores, and compiling it twice would take long."""
_RUNS = 5
_THREADS = "INFERENCE_NUM_THREADS"
_log = logging.getLogger(__name__)


def cpu_settings(threads: int) -> dict[str, Any]:
    """Return the settings of a compilation for a CPU: the threads, which aren't pinned to cores.

    OpenVINO pins the threads of every process to the same first cores: two processes of one thread
    each would share a core, and leave the other idle.
    """
    return {_THREADS: threads, "ENABLE_CPU_PINNING": False}


class CompiledModel:
    """OpenVINO's model of fixed shapes, compiled for one image at a time.

    Args:
        model: the model.
        device: device as OpenVINO names it.
        settings: settings of the compilation; with INFERENCE_NUM_THREADS, one thread less is tried.
        example: inputs by index, to measure with.
    """

    def __init__(
        self,
        model: Any,
        device: str,
        settings: Mapping[str, Any],
        example: Mapping[int, NDArray[Any]],
    ) -> None:
        self._model, self._device, self._settings = model, device, dict(settings)
        self.request, image_ms = self._fastest(example)
        """Inference request for one image at a time."""
        threads = self._settings.get(_THREADS, 1)
        self.in_flight = IN_FLIGHT if threads >= STREAMS and image_ms <= SLOWEST_MS else 1
        """Most images in flight; with 1, there is no gain."""

    def infer(self, inputs: Mapping[int, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run once; return copies of the outputs, in order."""
        self.request.infer(dict(inputs), share_inputs=True)
        return outputs_of(self.request)

    def requests_in_flight(self, inputs: Mapping[int, NDArray[Any]]) -> list[Any]:
        """Compile for several images in flight; return a request for each of them.

        Args:
            inputs: inputs by index, on which the results are compared.

        Returns:
            None of them, and from then on ``in_flight`` is 1, if that changes a result.
        """
        settings = {**self._settings, "NUM_STREAMS": STREAMS}
        compiled = openvino_core().compile_model(self._model, self._device, settings)
        requests = [compiled.create_infer_request() for _ in range(IN_FLIGHT)]
        requests[0].infer(dict(inputs), share_inputs=True)
        pairs = zip(self.infer(inputs), outputs_of(requests[0]), strict=True)
        if all(np.array_equal(one, other, equal_nan=True) for one, other in pairs):
            return requests
        _log.info("Images run one by one: streams change their results")
        self.in_flight = 1
        return []

    def _fastest(self, example: Mapping[int, NDArray[Any]]) -> tuple[Any, float]:
        """Return a request with all threads or one less, and its time in ms; 0 if not measured."""
        request, threads = self._compiled(self._settings), self._settings.get(_THREADS, 1)
        if threads < 2:
            return request, 0.0
        (wide_ms,) = _fastest_ms([request], example)
        if wide_ms > _LARGE_MS:
            return request, wide_ms
        narrow = self._compiled({**self._settings, _THREADS: threads - 1})
        wide_ms, narrow_ms = _fastest_ms([request, narrow], example)
        if narrow_ms - wide_ms < OTHER_WORK_MS / threads:
            return narrow, narrow_ms
        return request, wide_ms

    def _compiled(self, settings: Mapping[str, Any]) -> Any:
        model = openvino_core().compile_model(self._model, self._device, dict(settings))
        return model.create_infer_request()


def outputs_of(request: Any) -> list[NDArray[Any]]:
    """Return copies of the outputs of a request that is done, in order."""
    # the data of an empty tensor may have another shape
    return [np.array(tensor.data).reshape(tensor.shape) for tensor in request.output_tensors]


def _fastest_ms(requests: list[Any], example: Mapping[int, NDArray[Any]]) -> list[float]:
    """Return the shortest time of each, in turn, after a first run, ms."""
    best = [float("inf")] * len(requests)
    for run in range(1 + _RUNS):
        for index, request in enumerate(requests):
            began = time.perf_counter()
            request.infer(dict(example), share_inputs=True)
            if run:
                best[index] = min(best[index], (time.perf_counter() - began) * 1e3)
        if min(best) > SLOWEST_MS and run:
            break  # more runs would only take long
    return best
