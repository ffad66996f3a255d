"""Network and decoding, compiled by OpenVINO for the CPU.

A small network spends its time between the layers: eager torch calls a hundred kernels per image,
each of which wakes its threads. A compiled graph fuses them (docs/adr/0006). The library comes from
``libraries.inference``, which keeps it from reporting usage.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from kpviewer.models.libraries.compiled_models import Compiler
from kpviewer.models.libraries.openvino_requests import (
    CompiledModel,
    CompiledModels,
    cpu_settings,
)
from kpviewer.runtime.letterboxing import Letterboxing
from kpviewer.runtime.openvino.flights import Flights
from kpviewer.runtime.runners import StageClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kpviewer.geometry import Letterbox
    from kpviewer.models.spec import ModelSpec
    from kpviewer.structures import FloatArray, ImageArray

PATIENCE = 8
"""Images of a new size that the graph runs eagerly before that size is compiled.

Compiling takes about as long as a hundred images. A folder of images has many sizes, a camera one.
"""


class Graph(Protocol):
    """A network from letterboxed images to candidates; ``runtime.torch.graph`` has one of torch."""

    @property
    def content(self) -> str | None:
        """Text that the converted graph depends on; None if it can't be known."""

    def run(self, rows: NDArray[Any]) -> FloatArray:
        """Run (B, h, w, 3) pixels without compiling; return (B, M, 4 + C + 2K)."""

    def converted(self, shape: tuple[int, ...]) -> Any:
        """Return OpenVINO's model for images of shape (B, h, w).

        Raises:
            PipelineError: if the network is of a kind that can't be compiled.
        """


class OpenVinoRunner:
    """Runs a detector on the CPU as one compiled graph for each size of input."""

    backend = "openvino"
    device, place = "CPU", "cpu"
    needs_pinned_memory = False
    clock = StageClock

    def __init__(self, graph: Graph, spec: ModelSpec, precision: str, threads: int) -> None:
        self._graph, self._letterbox = graph, Letterboxing(spec)
        self.precision = precision
        self._settings = {
            "PERFORMANCE_HINT": "LATENCY",
            **cpu_settings(threads),
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
        }
        self._compiled = CompiledModels()
        """Compiled graphs by shape of the images: (B, h, w)."""
        self._seen: Counter[tuple[int, ...]] = Counter()
        self.flights = Flights(spec, lambda rows: {0: rows}, lambda found, *_, **__: found[0][0])

    def prepare(self, input_hw: tuple[int, int]) -> None:
        """Compile the graph for an input size, in about a second, unless it is compiled already."""
        self._prepared((1, *input_hw))

    def _prepared(self, shape: tuple[int, ...]) -> CompiledModel:
        return self._compiled.of(shape, lambda: self._compiled_for(shape))

    def _compiled_for(self, shape: tuple[int, ...]) -> CompiledModel:
        content = self._graph.content and f"{self._graph.content} {shape}"
        compiler = Compiler(partial(self._graph.converted, shape), "CPU", content)
        blank = np.zeros((*shape, 3), np.uint8)
        return CompiledModel(compiler, self._settings, lambda _: {0: blank})

    def load(self, bgr: ImageArray, box: Letterbox) -> NDArray[Any]:
        """Resize and pad: (1, h, w, 3) RGB."""
        return self._letterbox(bgr, box, self.flights.threads_alone)

    def load_batch(self, images: Sequence[ImageArray], boxes: Sequence[Letterbox]) -> NDArray[Any]:
        """Resize and pad: (B, h, w, 3) RGB."""
        return self._letterbox.batch(images, boxes)

    def forward(self, loaded: NDArray[Any]) -> FloatArray:
        """Run the graph, from normalisation to decoding: (M, 4 + C + 2K)."""
        shape = loaded.shape[:3]
        if not self._is_worth_compiling(shape):
            return np.asarray(self._graph.run(loaded)[0])
        model = self._prepared(shape)
        self.flights.use(model, (shape[1], shape[2]))
        return np.asarray(_run(model, loaded)[0])

    def run_batch(self, loaded: NDArray[Any]) -> FloatArray | None:
        """Run images of one size, once that size is compiled and came often in this number."""
        shape = loaded.shape[:3]
        is_compiled = (1, *shape[1:]) in self._compiled  # else one by one is eager: other digits
        if not is_compiled or not self._is_worth_compiling(shape):
            return None
        return _run(self._prepared(shape), loaded)

    def _is_worth_compiling(self, shape: tuple[int, ...]) -> bool:
        """Return whether images of a shape are compiled for, or came often enough to be."""
        if shape in self._compiled:
            return True
        self._seen[shape] += 1
        return self._seen[shape] > PATIENCE

    def decode(self, raw: FloatArray, input_hw: tuple[int, int]) -> FloatArray:
        """Return ``raw``: the graph has decoded it."""
        return raw


def _run(model: CompiledModel, loaded: NDArray[Any]) -> FloatArray:
    candidates: FloatArray = model.infer({0: loaded})[0]
    return candidates
