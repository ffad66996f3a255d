"""Plain inference loop as one writes it first, written well: the baseline of the benchmark.

It shares the weights, letterbox, decoding and NMS with the engine, and thus its results. It has
none of the engine's optimisations. Only ``kpviewer bench --against naive`` uses it.
"""

import copy
from typing import Any

import numpy as np
import torch

from kpviewer.geometry import Letterbox
from kpviewer.models.base import AnyDetector
from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.models.onnx.network import OnnxNetwork
from kpviewer.models.opening.shipped_graph import shipped_name
from kpviewer.models.opening.torch_loading import as_torch
from kpviewer.models.selection import select
from kpviewer.runtime.letterboxing import resizing_of
from kpviewer.runtime.runners import packed
from kpviewer.runtime.torch.runner import packed_tensor
from kpviewer.runtime.unpacking import unpacked
from kpviewer.structures import Detections, FloatArray, ImageArray

DESCRIPTION = (
    "one thread; OpenCV resizes and numpy normalises each frame on the host; "
    "the network as trained: fp32, NCHW, batch norm not folded; same decoding and NMS"
)


class NaiveModel:
    """Detector that runs on one image after the other, on the caller's thread."""

    def __init__(self, detector: AnyDetector, device: torch.device) -> None:
        is_file = isinstance(detector.network, OnnxNetwork) and shipped_name(detector) is None
        self._detector: Any = detector if is_file else as_torch(detector, "Leave out --against.")
        self._device = device
        network: Any = copy.deepcopy(self._detector.network)
        self._network = network if is_file else network.eval().to(device)
        spec = self._detector.spec
        self._mean = np.array(spec.mean, np.float32)
        self._std = np.array(spec.std, np.float32)
        self._resize = resizing_of(spec)
        colour = self._mean if spec.padding is None else np.array(spec.padding, np.float32) / 255
        self._padding = (colour - self._mean) / self._std

    def detect(self, bgr: ImageArray) -> Detections:
        """Detect objects in an (H, W, 3) uint8 image, at the model's own thresholds."""
        spec = self._detector.spec
        box = letterbox_of(spec, (bgr.shape[0], bgr.shape[1]))
        rows = self._run(self._prepare(bgr, box), box.input_hw)
        return select(unpacked(rows, spec, box, (bgr.shape[0], bgr.shape[1])), spec.thresholds)

    def _run(self, planes: FloatArray, input_hw: tuple[int, int]) -> FloatArray:
        if isinstance(self._network, OnnxNetwork):
            return packed(self._detector.decode(self._network(planes), input_hw))
        with torch.inference_mode():
            images = torch.from_numpy(planes).to(self._device)
            decoded = self._detector.decode(self._network(images), input_hw)
            rows: FloatArray = packed_tensor(decoded)[0].float().cpu().numpy()
            return rows

    def _prepare(self, bgr: ImageArray, box: Letterbox) -> FloatArray:
        """Return the (1, 3, h, w) float32 input; padding has the engine's colour."""
        height, width = box.resized_hw
        rgb = self._resize(bgr, box.resized_hw)[..., ::-1].astype(np.float32) / 255
        padded = np.full((*box.input_hw, 3), self._padding, np.float32)
        padded[box.top : box.top + height, box.left : box.left + width] = (
            rgb - self._mean
        ) / self._std
        return np.ascontiguousarray(padded.transpose(2, 0, 1)[None])
