"""A detector that is ready to use: one call from an image to its detections."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, Unpack

import numpy as np

from kpviewer.errors import InputError
from kpviewer.models.base import AnyDetector
from kpviewer.models.selection import select
from kpviewer.models.tables import shown
from kpviewer.runtime.choosing.autotune import probe_image
from kpviewer.runtime.executor import Executor, TimedCandidates
from kpviewer.runtime.thresholds import ThresholdArguments, thresholds_with
from kpviewer.runtime.tickets import Ticket
from kpviewer.structures import Detections, ImageArray

_log = logging.getLogger(__name__)


class Model(Executor):
    """A detector on a device, which any thread may call; ``kpviewer.load`` makes one.

    It is also the engine of a pipeline, so a stream and its user share one copy of the weights.

    Args:
        detector: network, description and decoding.
        device: auto, cpu, cuda, cuda:N or mps.
        precision: auto, fp32, fp16, bf16 or int8.
        backend: auto, torch, openvino, onnxruntime or tensorrt.

    Raises:
        PipelineError: if the device, the backend or the precision isn't available.
    """

    def __init__(
        self,
        detector: AnyDetector,
        device: str = "auto",
        precision: str = "auto",
        backend: str = "auto",
    ) -> None:
        super().__init__(detector, device, precision, backend)
        self.detector, self.device = detector, device
        self._lock = threading.RLock()
        self._has_warned = False

    def __call__(
        self, image_bgr: ImageArray, **thresholds: Unpack[ThresholdArguments]
    ) -> Detections:
        """Detect in one image.

        Args:
            image_bgr: (H, W, 3) uint8, channels in the order blue, green, red, as OpenCV reads.
            **thresholds: fields of ``Thresholds`` that replace the model's own: ``score``, ``iou``,
                ``nms``, ``sigma``, ``classes`` (names or ids), ``class_scores``,
                ``max_detections``, ``keypoint``.

        Returns:
            The detections in pixels of the image, by descending score.

        Raises:
            InputError: if the image or a threshold has the wrong type, shape or value.
        """
        replaced = thresholds_with(self.spec, thresholds)
        candidates, _ = self.infer(_checked_image(image_bgr))
        return select(candidates, replaced)

    def __repr__(self) -> str:
        """Return name and device."""
        return f"<Model {self.spec.name} on {self.device_name}>"

    @property
    def engine_name(self) -> str:
        """Former name of ``backend``."""
        return self.backend

    def settle(self) -> None:
        """Choose what is auto now, by measuring, instead of on the first image."""
        with self._lock:
            if self.backend == "auto":
                super().infer(probe_image())

    def warm_up(self, source_hw: tuple[int, int]) -> None:
        """Choose what is auto, so that the first image of (height, width) px isn't slow."""
        with self._lock:
            super().warm_up(source_hw)

    def submit(self, bgr: ImageArray) -> Ticket[TimedCandidates]:
        """Start an image; return a ticket of what ``infer`` returns."""
        with self._lock:
            ticket = super().submit(bgr)
        return Ticket(ticket.fence, lambda: self._noted(ticket.result))

    def infer_batch(self, images: Sequence[ImageArray]) -> list[TimedCandidates]:
        """Return what ``infer`` returns for each image, all run at once where that is the same."""
        with self._lock:
            return super().infer_batch(images)

    def infer(self, bgr: ImageArray) -> TimedCandidates:
        """Return the candidates of an (H, W, 3) uint8 image, and the time that each stage took."""
        run = super().infer
        return self._noted(lambda: run(bgr))

    def _noted(self, act: Callable[[], TimedCandidates]) -> TimedCandidates:
        """Return a result of the engine, and warn once if it can't be right."""
        with self._lock:
            had_warned = self._has_warned
            result = act()
            doubt, self._has_warned = self.doubt, self._has_warned or self.doubt is not None
        if doubt is not None and not had_warned:
            _log.warning("%s", doubt)
        return result


def _checked_image(image: Any) -> ImageArray:
    """Return an image that torch can read in place; copy it only if necessary."""
    if not isinstance(image, np.ndarray):
        raise InputError(
            f"An image must be a NumPy array (H, W, 3) of uint8, got {shown(image)}. "
            "Read a file with kpviewer.stream, or with cv2.imread."
        )
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise InputError(
            f"An image must be an array (H, W, 3) of uint8 in BGR order, got {image.shape} of "
            f"{image.dtype}. Convert it: channels with cv2.cvtColor, numbers with astype."
        )
    checked: ImageArray = np.require(image, requirements=["C", "W"])
    return checked
