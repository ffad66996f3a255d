"""Compilation by OpenVINO, with a core left to the rest of the program where that is faster.

A small network gains little from the last core: its threads wait for each other after every layer,
and where the reader, the window or another program uses that core, the whole network waits for it.
The number of threads changes no bit of a result.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from kpviewer.models.inference_libraries import openvino_core

OTHER_WORK_MS = 3.0
"""Work of other threads on a frame: reading, drawing and recording."""
_LARGE_MS = 12.0
"""Time from which a network needs all cores, and compiling it twice would take long."""
_RUNS = 5
_THREADS = "INFERENCE_NUM_THREADS"


def compiled_request(
    model: Any, device: str, settings: Mapping[str, Any], example: Mapping[int, NDArray[Any]]
) -> Any:
    """Compile a model and return an inference request.

    Args:
        model: OpenVINO's model, of fixed shapes.
        device: device as OpenVINO names it.
        settings: settings of the compilation; with INFERENCE_NUM_THREADS, one thread less is tried.
        example: inputs by index, to measure with.
    """

    def compiled(own: Mapping[str, Any]) -> Any:
        return openvino_core().compile_model(model, device, dict(own)).create_infer_request()

    request, threads = compiled(settings), settings.get(_THREADS, 1)
    if threads < 2 or _fastest_ms([request], example)[0] > _LARGE_MS:
        return request
    narrow = compiled({**settings, _THREADS: threads - 1})
    wide_ms, narrow_ms = _fastest_ms([request, narrow], example)
    return narrow if narrow_ms - wide_ms < OTHER_WORK_MS / threads else request


def _fastest_ms(requests: list[Any], example: Mapping[int, NDArray[Any]]) -> list[float]:
    """Return the shortest time of each, in turn, after a first run, ms."""
    best = [float("inf")] * len(requests)
    for run in range(1 + _RUNS):
        for index, request in enumerate(requests):
            began = time.perf_counter()
            request.infer(dict(example), share_inputs=True)
            if run:
                best[index] = min(best[index], (time.perf_counter() - began) * 1e3)
    return best
