"""The graph of a file in OpenVINO, with the normalisation compiled into it."""

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from kpviewer.models.libraries.openvino_requests import CompiledModel
from kpviewer.models.onnx.description import Channels
from kpviewer.models.onnx.openvino.graph import Changes
from kpviewer.models.onnx.openvino.pixels import PixelInput
from kpviewer.models.onnx.openvino.session import OpenVinoSession
from kpviewer.models.opening.shipped_graph import CANDIDATES
from kpviewer.runtime.runners import packed_batch
from kpviewer.runtime.sessions.planes import split
from kpviewer.runtime.sessions.refining import REFINED, ROUGH, ROWS, TEMPLATE, Refining
from kpviewer.runtime.sessions.runners import FileModel
from kpviewer.structures import FloatArray


class PixelGraph:
    """The graph of a file for ``OpenVinoRunner``, opened with its first image.

    On the CPU, keypoints are refined outside of the graph, if it has a refiner.
    """

    def __init__(self, model: FileModel, precision: str, device: str) -> None:
        self._model, self._precision, self._device = model, precision, device
        self._session: OpenVinoSession | None = None
        self._refining: Refining | None = None
        self.takes_batches = model.network.image.takes_batches

    @property
    def compiles_at_once(self) -> bool:
        """Whether it is the first image, or the model's own session would compile its size too."""
        return self._session is None or isinstance(self._model.network.session, OpenVinoSession)

    def run(self, rows: NDArray[Any]) -> FloatArray:
        """Run (B, h, w, 3) images in the session that the model was opened with."""
        model = self._model
        raw = model.network(model.planes(rows))
        return packed_batch(model.detector.decode(raw, (rows.shape[1], rows.shape[2])))

    def is_compiled(self, rows: NDArray[Any]) -> bool:
        """Return whether images of this shape run without being compiled for."""
        return self._session is not None and self._session.is_compiled(self._feeds(rows))

    def compiled(self, rows: NDArray[Any]) -> CompiledModel:
        """Return the model compiled for images of this shape."""
        return self._opened().compiled(self._feeds(rows))

    def values(self, rows: NDArray[Any]) -> dict[int, NDArray[Any]]:
        """Return the inputs of the graph by index."""
        return self._opened().values(self._feeds(rows))

    def decode(
        self,
        found: Sequence[NDArray[Any]],
        inputs: Mapping[int, NDArray[Any]],
        input_hw: tuple[int, int],
        count: int = 1,
    ) -> FloatArray | None:
        """Decode the outputs of some images; None if an output has no row for each of them."""
        outputs = self._model.network.first(self._opened().by_name(found))
        if count > 1 and any(value.shape[:1] != (count,) for value in outputs.values()):
            return None
        if self._refining is not None:
            self._refining(inputs[0], outputs[CANDIDATES], outputs[ROWS])
        rows = range(count) if count > 1 else ()
        each = [{name: part[row : row + 1] for name, part in outputs.items()} for row in rows]
        return packed_batch(self._model.detector.decode(each or [outputs], input_hw))

    def _feeds(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        return self._model.network.image.pixel_feeds(rows)

    def _opened(self) -> OpenVinoSession:
        if self._session is None:
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
            self._session = OpenVinoSession(
                facts.path, self._device, self._precision, changes, facts
            )
        return self._session
