"""Runners of models in files, ONNX and OpenVINO's own: one session or another runs the graph.

Resizing and decoding are the same for all of them, so results differ by the session alone.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from kpviewer.geometry import Letterbox
from kpviewer.models.base import FileDetector
from kpviewer.models.onnx.network import OnnxNetwork
from kpviewer.models.onnx.openvino.int8 import Ranges
from kpviewer.models.onnx.openvino.session import OpenVinoSession
from kpviewer.models.onnx.session import Session
from kpviewer.runtime.letterboxing import Letterboxing
from kpviewer.runtime.runners import StageClock, packed
from kpviewer.runtime.sessions.planes import Planes
from kpviewer.structures import FloatArray, ImageArray

_QUANTISED = (b"DequantizeLinear", b"QLinearConv")
"""Operations of quantised ONNX files."""


class FileModel(NamedTuple):
    """Parts of a model in a file that its runners share."""

    detector: FileDetector
    """Description and decoding."""
    network: OnnxNetwork
    """The detector's network."""
    letterbox: Letterboxing
    """Letterboxes images on the host."""
    planes: Planes
    """Normalises letterboxed images."""
    ranges: Ranges
    """Inputs of convolutions that can be computed in 8-bit integers, by name."""
    refiner: Path | None
    """File of the network that refines keypoints; None if there is none of its own."""

    @classmethod
    def of(cls, detector: FileDetector, network: OnnxNetwork) -> FileModel:
        """Return the parts of a detector."""
        spec = detector.spec
        refiner = getattr(detector, "refiner", None)
        return cls(
            detector, network, Letterboxing(spec), Planes(spec), spec.ranges_by_name, refiner
        )


def own_precision(network: OnnxNetwork) -> str:
    """Return the precision that a file was exported with: fp32, fp16, or int8 if quantised."""
    session = network.session
    path = session.facts.path
    if engine := getattr(session, "precision", None):  # of TensorRT
        return str(engine)
    if isinstance(session, OpenVinoSession):
        is_quantised = session.is_quantised
    else:
        is_quantised = path is not None and any(name in path.read_bytes() for name in _QUANTISED)
    if is_quantised:
        return "int8"
    return "fp16" if network.image.port.element == "float16" else "fp32"


class SessionRunner:
    """Runs the graph of a file in a session."""

    needs_pinned_memory = False
    clock = StageClock

    def __init__(
        self,
        model: FileModel,
        open_session: Callable[[], Session],
        *,
        backend: str,
        precision: str,
        device: str = "CPU",
        place: str = "cpu",
    ) -> None:
        self._model, self._open_session = model, open_session
        self._network: OnnxNetwork | None = None
        self.backend, self.precision = backend, precision
        self.device, self.place = device, place

    def prepare(self, input_hw: tuple[int, int]) -> None:
        """Open the session, unless it is open."""
        if self._network is None:
            self._network = self._model.network.with_session(self._open_session())

    def load(self, bgr: ImageArray, box: Letterbox) -> FloatArray:
        """Resize, pad and normalise: (1, 3, h, w) float32."""
        return self._model.planes(self._model.letterbox(bgr, box))

    def forward(self, loaded: FloatArray) -> Any:
        """Run the graph; return the outputs of each image by name."""
        self.prepare((loaded.shape[2], loaded.shape[3]))
        assert self._network is not None
        return self._network(loaded)

    def decode(self, raw: Any, input_hw: tuple[int, int]) -> FloatArray:
        """Decode the outputs."""
        return packed(self._model.detector.decode(raw, input_hw))
