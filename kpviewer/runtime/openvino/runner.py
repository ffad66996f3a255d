"""Network and decoding, compiled by OpenVINO.

A small network spends its time between the layers: eager torch calls a hundred kernels per image,
each of which wakes its threads. A compiled graph fuses them (docs/adr/0006). The library comes from
``libraries.inference``, which keeps it from reporting usage.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kpviewer.geometry import Letterbox
from kpviewer.models.libraries.openvino_requests import CompiledModel
from kpviewer.models.spec import ModelSpec
from kpviewer.runtime.letterboxing import Letterboxing
from kpviewer.runtime.openvino.flights import Flights
from kpviewer.runtime.runners import StageClock
from kpviewer.structures import FloatArray, ImageArray

PATIENCE = 8
"""Images of a new size that run without being compiled for, before that size is compiled.

Compiling takes about as long as a hundred images. A folder of images has many sizes, a camera one.
"""


class Graph(Protocol):
    """A network from letterboxed images to candidates: of torch, or in a file.

    Images are (B, h, w, 3) pixels, candidates (B, M, 4 + C + 2K).
    """

    takes_batches: bool
    """Whether several images may run at once."""

    @property
    def compiles_at_once(self) -> bool:
        """Whether a single image of a new size is compiled for at once, not only if it is usual."""

    def run(self, rows: NDArray[Any]) -> FloatArray:
        """Return the candidates of images without compiling."""

    def is_compiled(self, rows: NDArray[Any]) -> bool:
        """Return whether images of this shape run without being compiled for."""

    def compiled(self, rows: NDArray[Any]) -> CompiledModel:
        """Return OpenVINO's model for images of this shape, compiled in about a second if new.

        Raises:
            PipelineError: if the network is of a kind that can't be compiled.
            WeightsError: if the model may need too much memory.
        """

    def values(self, rows: NDArray[Any]) -> Mapping[int, NDArray[Any]]:
        """Return the inputs of the compiled model by index."""

    def decode(
        self,
        found: Sequence[NDArray[Any]],
        inputs: Mapping[int, NDArray[Any]],
        input_hw: tuple[int, int],
        count: int = 1,
    ) -> FloatArray | None:
        """Return the candidates of ``count`` images by outputs and inputs of the compiled model.

        None if the outputs of several can't be told apart.
        """


class OpenVinoRunner:
    """Runs a detector as one compiled graph for each size of input.

    Args:
        graph: its network.
        spec: its description.
        precision: precision that the graph computes in.
        device: device as OpenVINO names it.
    """

    backend = "openvino"
    needs_pinned_memory = False
    clock = StageClock

    def __init__(self, graph: Graph, spec: ModelSpec, precision: str, device: str = "CPU") -> None:
        self._graph, self._letterbox = graph, Letterboxing(spec)
        self.precision, self.device, self.place = precision, device, device.lower()
        self._seen: Counter[tuple[int, ...]] = Counter()
        self.flights = Flights(spec, graph.values, graph.decode)

    def prepare(self, input_hw: tuple[int, int]) -> None:
        """Compile the graph for an input size, unless it is compiled already."""
        self._graph.compiled(np.zeros((1, *input_hw, 3), self._letterbox.dtype))

    def load(self, bgr: ImageArray, box: Letterbox) -> NDArray[Any]:
        """Resize and pad: (1, h, w, 3) RGB in [0, 255]."""
        return self._letterbox(bgr, box, self.flights.threads_alone)

    def load_batch(self, images: Sequence[ImageArray], boxes: Sequence[Letterbox]) -> NDArray[Any]:
        """Resize and pad: (B, h, w, 3) RGB in [0, 255]."""
        return self._letterbox.batch(images, boxes)

    def forward(self, loaded: NDArray[Any]) -> Callable[[], FloatArray | None]:
        """Run the graph, from normalisation on; return what decodes its outputs."""
        if not self._is_worth_compiling(loaded):
            rows = self._graph.run(loaded)
            return lambda: rows
        model, inputs = self._graph.compiled(loaded), self._graph.values(loaded)
        count, input_hw = len(loaded), (loaded.shape[1], loaded.shape[2])
        if count == 1:
            self.flights.use(model, input_hw)
        return partial(self._graph.decode, model.infer(inputs), inputs, input_hw, count)

    def decode(self, raw: Callable[[], FloatArray | None], input_hw: tuple[int, int]) -> FloatArray:
        """Decode the outputs of one image."""
        rows = raw()
        assert rows is not None, "one image alone can be told apart"
        return np.asarray(rows[0])

    def run_batch(self, loaded: NDArray[Any]) -> FloatArray | None:
        """Run images of one size, once that size is compiled and came often in this number."""
        if not self._graph.takes_batches or not self._graph.is_compiled(loaded[:1]):
            return None  # one by one they may run otherwise, with other digits
        return self.forward(loaded)() if self._is_worth_compiling(loaded) else None

    def _is_worth_compiling(self, loaded: NDArray[Any]) -> bool:
        """Return whether images of a shape are compiled for, or came often enough to be."""
        is_single = len(loaded) == 1
        if self._graph.is_compiled(loaded) or (is_single and self._graph.compiles_at_once):
            return True
        shape = loaded.shape[:3]
        self._seen[shape] += 1
        return self._seen[shape] > PATIENCE
