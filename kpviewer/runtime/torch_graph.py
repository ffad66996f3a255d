"""The graph of a torch network, from pixels to candidates: for a compiler, and eager until then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from kpviewer.models.inference_libraries import library
from kpviewer.runtime.conversion import openvino_model
from kpviewer.runtime.fusion import fused
from kpviewer.runtime.graph_cache import graph_key, kept_graph
from kpviewer.runtime.int8 import rounded
from kpviewer.runtime.torch_runner import packed_tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kpviewer.models.base import Detector
    from kpviewer.runtime.torch_preprocess import Preprocessor
    from kpviewer.structures import FloatArray


class TorchGraph(nn.Module):
    """The graph to compile: from letterboxed images, (B, h, w, 3), to packed candidates.

    Args:
        detector: network and decoding; its network is copied.
        preprocess: preprocessor for the CPU; its normalisation becomes part of the graph.
        in_int8: whether convolutions are rounded to 8 bits (``runtime.int8``).
    """

    def __init__(self, detector: Detector, preprocess: Preprocessor, *, in_int8: bool) -> None:
        super().__init__()
        self._network = fused(detector.network)
        if in_int8:
            ranges = {name: (low, high) for name, low, high in detector.spec.activation_ranges}
            self._network = rounded(self._network, ranges)
        self._detector, self._preprocess, self._in_int8 = detector, preprocess, in_int8

    def forward(self, rows: Tensor) -> Tensor:
        """Return the candidates of each image: (B, M, 4 + C + 2K)."""
        image = self._preprocess.normalised(rows)
        raw = self._network(image)
        return packed_tensor(self._detector.decode(raw, (image.shape[2], image.shape[3])))

    @torch.inference_mode()
    def run(self, rows: NDArray[Any]) -> FloatArray:
        """Run eagerly, on torch's threads."""
        candidates: FloatArray = self(torch.from_numpy(rows)).numpy()
        return candidates

    def converted(self, shape: tuple[int, ...]) -> Any:
        """Return OpenVINO's model of the graph for images of shape (B, h, w), kept or new."""
        key = graph_key(self._detector, self._in_int8, shape)
        return (
            self._convert(shape) if key is None else kept_graph(key, lambda: self._convert(shape))
        )

    def _convert(self, shape: tuple[int, ...]) -> Any:
        model = openvino_model(self, torch.zeros(*shape, 3, dtype=torch.uint8))
        passes = library("openvino.passes")
        manager = passes.Manager()
        manager.register_pass(passes.ConstantFolding())  # int8 needs constant ranges
        manager.run_passes(model)
        return model
