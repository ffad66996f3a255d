"""The graph of a torch network, from pixels to candidates: for a compiler, and eager until then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from kpviewer.runtime.conversion import openvino_model
from kpviewer.runtime.fusion import fused
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
        self._detector, self._preprocess = detector, preprocess

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
        """Return OpenVINO's model of the graph for images of shape (B, h, w)."""
        return openvino_model(self, torch.zeros(*shape, 3, dtype=torch.uint8))
