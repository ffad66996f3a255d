"""Runners of models in files, ONNX and OpenVINO's own: one session or another runs the graph.

Resizing and decoding are the same for all of them, so results differ by the session alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kpviewer.models.onnx.description import Channels
from kpviewer.models.onnx.network import OnnxNetwork
from kpviewer.models.onnx.openvino_graph import Changes
from kpviewer.models.onnx.openvino_int8 import Ranges
from kpviewer.models.onnx.openvino_pixels import PixelInput
from kpviewer.models.onnx.openvino_session import OpenVinoSession
from kpviewer.models.onnx.readers.columns import Outputs
from kpviewer.models.onnx.session import Session
from kpviewer.models.opening.shipped_graph import CANDIDATES
from kpviewer.runtime.letterboxing import Letterboxing
from kpviewer.runtime.openvino.flights import Flights
from kpviewer.runtime.runners import StageClock, packed, packed_batch
from kpviewer.runtime.sessions.planes import Planes, split
from kpviewer.runtime.sessions.refining import REFINED, ROUGH, ROWS, TEMPLATE, Refining

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kpviewer.geometry import Letterbox
    from kpviewer.models.base import FileDetector
    from kpviewer.structures import FloatArray, ImageArray

_QUANTISED = (b"DequantizeLinear", b"QLinearConv")
"""Operations of quantised ONNX files."""
PATIENCE = 8
"""Images of a new size that the model's own session runs before OpenVINO compiles that size."""


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
        ranges = {name: (low, high) for name, low, high in spec.activation_ranges}
        refiner = getattr(detector, "refiner", None)
        return cls(detector, network, Letterboxing(spec), Planes(spec), ranges, refiner)


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


class PixelGraph:
    """The graph of a file in OpenVINO, with the normalisation compiled into it.

    On the CPU, keypoints are refined outside of the graph, if it has a refiner.
    """

    def __init__(self, model: FileModel, precision: str, device: str) -> None:
        self._model, self._precision, self._device = model, precision, device
        self.session: OpenVinoSession | None = None
        """None until the first use."""
        self._refining: Refining | None = None

    def opened(self) -> OpenVinoSession:
        """Return the session, which the first call opens."""
        if self.session is None:
            model, network = self._model, self._model.network
            spec, port = model.detector.spec, network.image.port.name
            is_bgr = network.channels is Channels.BGR
            facts = network.session.facts
            assert facts.path is not None, "the session was opened from a file"
            ranges = model.ranges if self._precision == "int8" else None
            changes = Changes(PixelInput(port, spec.mean, spec.std, is_bgr, split), ranges)
            if model.refiner is not None and self._device == "CPU":
                template = facts.metadata[TEMPLATE]
                self._refining = Refining(model.refiner, spec, template, self._precision, ranges)
                changes = changes._replace(skipped=(REFINED, ROUGH))
            self.session = OpenVinoSession(
                facts.path, self._device, self._precision, changes, facts
            )
        return self.session

    def values(self, loaded: NDArray[Any]) -> dict[int, NDArray[Any]]:
        """Return the inputs of the graph by index."""
        return self.opened().values(self._model.network.image.pixel_feeds(loaded))

    def run(self, loaded: NDArray[Any]) -> Outputs:
        """Run the graph on (B, h, w, 3) images; return the outputs by name."""
        network = self._model.network
        outputs = network.run(self.opened(), network.image.pixel_feeds(loaded))
        return self._refined(outputs, loaded)

    def decode(
        self,
        found: Sequence[NDArray[Any]],
        inputs: Mapping[int, NDArray[Any]],
        input_hw: tuple[int, int],
    ) -> FloatArray:
        """Decode the outputs of an image with these inputs."""
        outputs = self._model.network.first(self.opened().by_name(found))
        decoded = self._model.detector.decode([self._refined(outputs, inputs[0])], input_hw)
        return packed(decoded)

    def _refined(self, outputs: Outputs, rgb: NDArray[Any]) -> Outputs:
        """Return outputs with refined keypoints."""
        if self._refining is not None:
            self._refining(rgb, outputs[CANDIDATES], outputs[ROWS])
        return outputs


class PixelRunner:
    """Runs the graph of a file in OpenVINO, with the normalisation compiled into it."""

    backend = "openvino"
    needs_pinned_memory = False
    clock = StageClock

    def __init__(self, model: FileModel, precision: str, device: str) -> None:
        self._model, self._graph = model, PixelGraph(model, precision, device)
        self.precision, self.device, self.place = precision, device, device.lower()
        self._seen: Counter[tuple[int, ...]] = Counter()
        self.flights = Flights(model.detector.spec, self._graph.values, self._graph.decode)

    def prepare(self, input_hw: tuple[int, int]) -> None:
        """Compile the graph for images of an input size, unless it is compiled already."""
        blank = np.zeros((1, *input_hw, 3), np.uint8)
        if not self._is_compiled(blank):
            self._run(blank)

    def load(self, bgr: ImageArray, box: Letterbox) -> NDArray[Any]:
        """Resize and pad: (1, h, w, 3) RGB in [0, 255]."""
        return self._model.letterbox(bgr, box, self.flights.threads_alone)

    def load_batch(self, images: Sequence[ImageArray], boxes: Sequence[Letterbox]) -> NDArray[Any]:
        """Resize and pad: (B, h, w, 3) RGB in [0, 255]."""
        return self._model.letterbox.batch(images, boxes)

    def forward(self, loaded: NDArray[Any]) -> Any:
        """Run the graph, from normalisation on; return the outputs of the image by name."""
        if self._is_worth_compiling(loaded):
            return [self._run(loaded)]
        return self._model.network(self._model.planes(loaded))

    def decode(self, raw: Any, input_hw: tuple[int, int]) -> FloatArray:
        """Decode the outputs."""
        return packed(self._model.detector.decode(raw, input_hw))

    def run_batch(self, loaded: NDArray[Any]) -> FloatArray | None:
        """Run images of one size, once that size is compiled and came often in this number."""
        image = self._model.network.image
        session = self._graph.session
        if not image.takes_batches or session is None:
            return None
        # else other digits
        if not self._is_compiled(loaded[:1]) or not self._is_worth_compiling(loaded):
            return None
        outputs, count = self._run(loaded), len(loaded)
        if any(value.shape[:1] != (count,) for value in outputs.values()):
            return None
        rows = range(count)
        each = [{name: part[row : row + 1] for name, part in outputs.items()} for row in rows]
        input_hw = (loaded.shape[1], loaded.shape[2])
        return packed_batch(self._model.detector.decode(each, input_hw))

    def _is_compiled(self, loaded: NDArray[Any]) -> bool:
        session = self._graph.session
        feeds = self._model.network.image.pixel_feeds(loaded)
        return session is not None and session.is_compiled(feeds)

    def _is_worth_compiling(self, loaded: NDArray[Any]) -> bool:
        """Return whether images of this shape come often enough, after a first one."""
        if self._graph.session is None or self._is_compiled(loaded):
            return True
        is_single = len(loaded) == 1
        if is_single and isinstance(self._model.network.session, OpenVinoSession):
            return True  # it would compile this size, too
        shape = loaded.shape[:3]
        self._seen[shape] += 1
        return self._seen[shape] > PATIENCE

    def _run(self, loaded: NDArray[Any]) -> Outputs:
        outputs = self._graph.run(loaded)
        if len(loaded) == 1:
            feeds = self._model.network.image.pixel_feeds(loaded)
            compiled = self._graph.opened().compiled(feeds)
            self.flights.use(compiled, (loaded.shape[1], loaded.shape[2]))
        return outputs
