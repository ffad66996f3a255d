"""Network and decoding compiled by OpenVINO: half of eager torch's time on an x86 CPU.

A small network spends its time between the layers: eager torch calls a hundred kernels per image,
each of which wakes its threads. A compiled graph fuses them (docs/adr/0006). Conversion uses
OpenVINO's PyTorch frontend. The library comes from ``inference_libraries``, which keeps it from
reporting usage.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from kpviewer.models.inference_libraries import library, openvino_core
from kpviewer.runtime.conversion import openvino_model
from kpviewer.runtime.fusion import fused
from kpviewer.runtime.int8 import rounded
from kpviewer.runtime.runners import packed_batch

if TYPE_CHECKING:
    from kpviewer.geometry import Letterbox
    from kpviewer.models.base import Detector
    from kpviewer.runtime.preprocess import Preprocessor
    from kpviewer.structures import ImageArray

PATIENCE = 8
"""Images of a new size that eager torch runs before that size is compiled.

Compiling takes about as long as a hundred images. A folder of images has many sizes, a camera one.
"""
COMPILE_S = 60.0
"""Time limit for another compilation to end, as one that was let go may never end."""
_compiling = threading.Lock()


class OpenVinoRunner:
    """Runs a detector on the CPU as one compiled graph for each size of input.

    Args:
        detector: network and decoding; its network is copied.
        preprocess: preprocessor for the CPU; its normalisation becomes part of the graph.
        precision: fp32, or bf16 or int8 (``runtime.int8``) if the processor has it.
        threads: number of threads that the graph may use.
    """

    backend = "openvino"
    device = "CPU"

    def __init__(
        self, detector: Detector, preprocess: Preprocessor, precision: str, threads: int
    ) -> None:
        self._preprocess = preprocess
        self._graph = _Graph(detector, preprocess, in_int8=precision == "int8")
        self.precision = precision
        self._settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
        }
        self._requests: dict[tuple[int, ...], Any] = {}
        """Requests by shape of the images: (B, h, w)."""
        self._seen: Counter[tuple[int, ...]] = Counter()

    def prepare(self, input_hw: tuple[int, int]) -> None:
        """Compile the graph for an input size, in about a second, unless it is compiled already."""
        self._prepare((1, *input_hw))

    def _prepare(self, shape: tuple[int, ...]) -> None:
        if shape not in self._requests:
            self._requests[shape] = self._compiled(shape)

    def load(self, bgr: ImageArray, box: Letterbox) -> Tensor:
        """Resize and pad: (1, h, w, 3) uint8 RGB."""
        return self._preprocess.letterboxed(bgr, box)

    def forward(self, loaded: Tensor) -> Tensor:
        """Run the graph, from normalisation to decoding: (M, 4 + C + 2K)."""
        shape = tuple(loaded.shape[:3])
        if not self._is_worth_compiling(shape):
            eagerly: Tensor = self._graph(loaded)[0]
            return eagerly
        self.prepare((shape[1], shape[2]))
        return self._run(loaded, shape)[0]

    def run_batch(self, loaded: Tensor) -> Tensor | None:
        """Run images of one size, once that size is compiled and came often in this number."""
        shape = tuple(loaded.shape[:3])
        is_compiled = (1, *shape[1:]) in self._requests  # else one by one is eager: other digits
        if not is_compiled or not self._is_worth_compiling(shape):
            return None
        self._prepare(shape)
        return self._run(loaded, shape)

    def _is_worth_compiling(self, shape: tuple[int, ...]) -> bool:
        """Return whether images of a shape are compiled for, or came often enough to be."""
        if shape in self._requests:
            return True
        self._seen[shape] += 1
        return self._seen[shape] > PATIENCE and not _compiling.locked()

    def _run(self, loaded: Tensor, shape: tuple[int, ...]) -> Tensor:
        request = self._requests[shape]
        request.infer({0: loaded.numpy()}, share_inputs=True)
        return torch.from_numpy(request.get_output_tensor().data.copy())

    def decode(self, raw: Tensor, input_hw: tuple[int, int]) -> Tensor:
        """Return ``raw``: the graph has decoded it."""
        return raw

    def _compiled(self, shape: tuple[int, ...]) -> Any:
        """Return an inference request of the graph, compiled for a shape."""
        passes = library("openvino.passes")
        model = openvino_model(self._graph, torch.zeros(*shape, 3, dtype=torch.uint8))
        manager = passes.Manager()
        manager.register_pass(passes.ConstantFolding())  # int8 needs constant ranges
        manager.run_passes(model)
        return openvino_core().compile_model(model, "CPU", self._settings).create_infer_request()


class _Graph(nn.Module):
    """The graph to compile: from a letterboxed image, (B, h, w, 3) uint8, to packed candidates."""

    def __init__(self, detector: Detector, preprocess: Preprocessor, *, in_int8: bool) -> None:
        super().__init__()
        self._network = fused(detector.network)
        if in_int8:
            ranges = {name: (low, high) for name, low, high in detector.spec.activation_ranges}
            self._network = rounded(self._network, ranges)
        self._detector, self._preprocess = detector, preprocess

    def forward(self, rows: Tensor) -> Tensor:
        image = self._preprocess.normalised(rows)
        raw = self._network(image)
        return packed_batch(self._detector.decode(raw, (image.shape[2], image.shape[3])))
