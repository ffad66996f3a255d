"""Runners of models in files, ONNX and OpenVINO's own: one session or another runs the graph.

Resizing and decoding are the same for all of them, so results differ by the session alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from kpviewer.models.onnx.description import Channels
from kpviewer.models.onnx.file import OnnxNetwork
from kpviewer.models.onnx.openvino_session import OpenVinoSession, PixelInput
from kpviewer.models.onnx.readers.base import Outputs
from kpviewer.models.onnx.session import Session
from kpviewer.models.onnx.tensorrt_session import TensorRtSession
from kpviewer.runtime.runners import packed, packed_batch

if TYPE_CHECKING:
    from kpviewer.geometry import Letterbox
    from kpviewer.models.base import Detector
    from kpviewer.runtime.preprocess import Preprocessor
    from kpviewer.structures import ImageArray

_QUANTISED = (b"DequantizeLinear", b"QLinearConv")
"""Operations of quantised ONNX files."""
PATIENCE = 8
"""Images of a new size that the model's own session runs before OpenVINO compiles that size."""


class FileModel(NamedTuple):
    """Parts of a model in a file that its runners share."""

    detector: Detector
    """Description and decoding."""
    network: OnnxNetwork
    """The detector's network."""
    preprocess: Preprocessor
    """Preprocessor for the CPU."""


def own_precision(network: OnnxNetwork) -> str:
    """Return the precision that a file was exported with: fp32, fp16, or int8 if quantised."""
    session = network.session
    path = session.facts.path
    if isinstance(session, TensorRtSession):
        return session.precision
    if isinstance(session, OpenVinoSession):
        is_quantised = session.is_quantised
    else:
        is_quantised = path is not None and any(name in path.read_bytes() for name in _QUANTISED)
    if is_quantised:
        return "int8"
    return "fp16" if network.image.port.element == "float16" else "fp32"


class SessionRunner:
    """Runs the graph of a file in a session.

    Args:
        model: the model.
        open_session: opens the session, on the first use.
        backend: name of the backend.
        precision: name of the precision.
        device: name of the device for users.
    """

    def __init__(
        self,
        model: FileModel,
        open_session: Callable[[], Session],
        *,
        backend: str,
        precision: str,
        device: str = "CPU",
    ) -> None:
        self._model, self._open_session = model, open_session
        self._network: OnnxNetwork | None = None
        self.backend, self.precision, self.device = backend, precision, device

    def prepare(self, input_hw: tuple[int, int]) -> None:
        """Open the session, unless it is open."""
        if self._network is None:
            self._network = self._model.network.with_session(self._open_session())

    def load(self, bgr: ImageArray, box: Letterbox) -> Tensor:
        """Resize, pad and normalise: (1, 3, h, w) float32."""
        return self._model.preprocess.normalised(self._model.preprocess.letterboxed(bgr, box))

    def forward(self, loaded: Tensor) -> Any:
        """Run the graph; return the outputs of each image by name."""
        self.prepare((loaded.shape[2], loaded.shape[3]))
        assert self._network is not None
        return self._network(loaded)

    def decode(self, raw: Any, input_hw: tuple[int, int]) -> Tensor:
        """Decode the outputs."""
        return packed(self._model.detector.decode(raw, input_hw))


class PixelRunner:
    """Runs the graph of a file in OpenVINO, with the normalisation compiled into it.

    Args:
        model: the model, whose input ``takes_planes``.
        precision: name of the precision.
        device: device as OpenVINO names it.
    """

    backend = "openvino"

    def __init__(self, model: FileModel, precision: str, device: str) -> None:
        self._model = model
        self._session: OpenVinoSession | None = None
        self.precision, self.device = precision, device
        self._seen: Counter[tuple[int, ...]] = Counter()

    def prepare(self, input_hw: tuple[int, int]) -> None:
        """Compile the graph for images of an input size, unless it is compiled already."""
        self._run(torch.zeros(1, *input_hw, 3, dtype=torch.uint8))

    def load(self, bgr: ImageArray, box: Letterbox) -> Tensor:
        """Resize and pad: (1, h, w, 3) RGB in [0, 255]."""
        return self._model.preprocess.letterboxed(bgr, box)

    def forward(self, loaded: Tensor) -> Any:
        """Run the graph, from normalisation on; return the outputs of the image by name."""
        if self._is_worth_compiling(loaded):
            return [self._run(loaded)]
        return self._model.network(self._model.preprocess.normalised(loaded))

    def decode(self, raw: Any, input_hw: tuple[int, int]) -> Tensor:
        """Decode the outputs."""
        return packed(self._model.detector.decode(raw, input_hw))

    def run_batch(self, loaded: Tensor) -> Tensor | None:
        """Run images of one size, once that size is compiled and came often in this number."""
        image = self._model.network.image
        if not image.takes_batches or self._session is None:
            return None
        is_compiled = self._session.is_compiled(image.pixel_feeds(loaded[:1].numpy()))
        if not is_compiled or not self._is_worth_compiling(loaded):  # else other digits
            return None
        outputs, count = self._run(loaded), len(loaded)
        if any(value.shape[:1] != (count,) for value in outputs.values()):
            return None
        rows = range(count)
        each = [{name: part[row : row + 1] for name, part in outputs.items()} for row in rows]
        input_hw = (loaded.shape[1], loaded.shape[2])
        return packed_batch(self._model.detector.decode(each, input_hw))

    def _is_worth_compiling(self, loaded: Tensor) -> bool:
        """Return whether images of this shape come often enough, after a first one."""
        feeds = self._model.network.image.pixel_feeds(loaded.numpy())
        if self._session is None or self._session.is_compiled(feeds):
            return True
        is_single = len(loaded) == 1
        if is_single and isinstance(self._model.network.session, OpenVinoSession):
            return True  # it would compile this size, too
        shape = tuple(loaded.shape[:3])
        self._seen[shape] += 1
        return self._seen[shape] > PATIENCE

    def _run(self, loaded: Tensor) -> Outputs:
        network = self._model.network
        if self._session is None:
            spec, port = self._model.detector.spec, network.image.port.name
            pixels = PixelInput(port, spec.mean, spec.std, network.channels is Channels.BGR)
            path = network.session.facts.path
            assert path is not None, "the session was opened from a file"
            self._session = OpenVinoSession(path, self.device, self.precision, pixels)
        feeds = network.image.pixel_feeds(loaded.numpy())
        return network.run(self._session, feeds, loaded.device)
