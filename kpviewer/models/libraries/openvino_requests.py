"""Compilation by OpenVINO: for one image at a time, and for several in flight.

One image at a time runs on all cores or on one less (``openvino_widths``). Images in flight run in
two streams instead, each with its share of the threads. Neither the number of threads nor that of
streams changes a bit of a result.
"""

import logging
import time
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpviewer.models.libraries.openvino_widths import Widths

STREAMS = 2
"""Images that are computed at the same time."""
IN_FLIGHT = 2 * STREAMS
"""Images that are begun: one waits for each stream, so that none does."""
SLOWEST_MS = 250.0
"""Time of a network from which images in flight would delay a stop or a seek."""
_LARGE_MS = 12.0
"""Time from which a network needs all cores, and compiling it twice would take long."""
MAX_SHAPES = 8
"""Most shapes of inputs that a model stays compiled for."""
_RUNS = 3
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
        compile_with: function from settings of a compilation to OpenVINO's compiled model.
        settings: settings of the compilation; with INFERENCE_NUM_THREADS, a small network is also
            compiled for one thread less, once some images have run alone.
        example: function from the number of inputs to inputs by index, to measure with.
    """

    def __init__(
        self,
        compile_with: Callable[[Mapping[str, Any]], Any],
        settings: Mapping[str, Any],
        example: Callable[[int], Mapping[int, NDArray[Any]]],
    ) -> None:
        self._compile_with, self._settings = compile_with, dict(settings)
        self.request = _request(compile_with, self._settings)
        """Inference request on all threads."""
        self.inputs = len(self.request.model_inputs)
        """Number of inputs."""
        narrow, threads = None, int(settings.get(_THREADS, 1))
        image_ms = _least_ms(self.request, example(self.inputs), threads) if threads > 1 else 0.0
        if threads > 1 and image_ms <= _LARGE_MS:
            narrow = partial(_request, compile_with, {**self._settings, _THREADS: threads - 1})
        self._widths, self._threads = Widths(self.request, narrow), threads
        self.in_flight = IN_FLIGHT if threads >= STREAMS and image_ms <= SLOWEST_MS else 1
        """Most images in flight; with 1, there is no gain."""

    @property
    def threads(self) -> int:
        """Number of threads that are free for an image before it is computed."""
        return self._threads if self._widths.is_wide else 1

    def infer(self, inputs: Mapping[int, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run once; return copies of the outputs, in order."""
        return outputs_of(self._widths.infer(inputs))

    def requests_in_flight(self, inputs: Mapping[int, NDArray[Any]]) -> list[Any]:
        """Compile for several images in flight; return a request for each of them.

        Args:
            inputs: inputs by index, on which the results are compared.

        Returns:
            None of them, and from then on ``in_flight`` is 1, if that changes a result.
        """
        settings = {**self._settings, "NUM_STREAMS": STREAMS}
        compiled = self._compile_with(settings)
        requests = [compiled.create_infer_request() for _ in range(IN_FLIGHT)]
        requests[0].infer(dict(inputs), share_inputs=True)
        pairs = zip(self.infer(inputs), outputs_of(requests[0]), strict=True)
        if all(np.array_equal(one, other, equal_nan=True) for one, other in pairs):
            return requests
        _log.info("Images run one by one: streams change their results")
        self.in_flight = 1
        return []


class CompiledModels:
    """Compiled models of the shapes of inputs that came last."""

    def __init__(self) -> None:
        self._models: dict[Hashable, CompiledModel] = {}

    def __contains__(self, shape: Hashable) -> bool:
        return shape in self._models

    def of(self, shape: Hashable, compile_it: Callable[[], CompiledModel]) -> CompiledModel:
        """Return the model for a shape, compiled unless it is kept."""
        model = self._models.pop(shape, None) or compile_it()
        self._models[shape] = model  # the last one
        if len(self._models) > MAX_SHAPES:
            del self._models[next(iter(self._models))]
        return model


def _request(compile_with: Callable[[Mapping[str, Any]], Any], settings: Mapping[str, Any]) -> Any:
    return compile_with(settings).create_infer_request()


def outputs_of(request: Any) -> list[NDArray[Any]]:
    """Return copies of the outputs of a request that is done, in order."""
    return [_copied(request.get_output_tensor(row)) for row in range(len(request.model_outputs))]


def _copied(tensor: Any) -> NDArray[Any]:
    values, shape = np.array(tensor.data), tensor.shape
    # the data of an empty tensor may have another shape; numpy takes 10 us to read OpenVINO's
    return values if shape == values.shape else values.reshape(shape)


def _least_ms(request: Any, example: Mapping[int, NDArray[Any]], threads: int) -> float:
    """Return the shortest time of a request after a first run, or of each of its threads, ms.

    On a busy machine, threads wait for a core. Their own time is the same, so what is compiled, and
    the memory that it takes, doesn't depend on the load.
    """
    best = float("inf")
    for run in range(1 + _RUNS):
        began, began_cpu = time.perf_counter(), time.process_time()
        request.infer(dict(example), share_inputs=True)
        if run:
            of_each_s = (time.process_time() - began_cpu) / threads
            best = min(best, of_each_s * 1e3, (time.perf_counter() - began) * 1e3)
        if SLOWEST_MS < best < float("inf"):
            break  # more runs would only take long
    return best
