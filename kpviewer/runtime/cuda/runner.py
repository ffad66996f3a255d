"""Torch on a GPU with images in flight; what a graph can't hold runs as in ``TorchRunner``."""

from __future__ import annotations

import logging
import threading
from collections import Counter, OrderedDict
from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import nn

from kpviewer.errors import PipelineError
from kpviewer.geometry import Letterbox
from kpviewer.models.base import Detector
from kpviewer.models.tables import first_line
from kpviewer.runtime.choosing.autotune import agrees
from kpviewer.runtime.cuda.devices import CudaDevice
from kpviewer.runtime.cuda.program import Program, cast_once
from kpviewer.runtime.cuda.ring import SLOTS, Flight, Ring, Streams
from kpviewer.runtime.torch.preprocess import Preprocessor
from kpviewer.runtime.torch.runner import DTYPES, TorchRunner
from kpviewer.structures import ImageArray

_Shape: TypeAlias = tuple[int, ...]

PATIENCE = 2
"""Images of a new size that run eagerly before that size is captured: a folder has many sizes."""
MAX_RINGS = 4
"""Most sizes and numbers of images that are captured at once; each takes memory of the GPU."""
_building = threading.Lock()
"""Held during a capture, in which no thread may wait for the whole device."""

_log = logging.getLogger(__name__)


class CudaRunner(TorchRunner):
    """Runs a detector on a GPU, one captured graph for each size of image.

    Args:
        detector: network and decoding.
        network: the detector's network on its device, shared by runners.
        preprocess: preprocessor for the same device.
        precision: fp32, fp16 or bf16.
        device: the device, to be ordered; None: the one of the preprocessor.
    """

    def __init__(
        self,
        detector: Detector,
        network: nn.Module,
        preprocess: Preprocessor,
        precision: str,
        device: CudaDevice | None = None,
    ) -> None:
        super().__init__(detector, network, preprocess, precision)
        self._gpu = device or CudaDevice(preprocess.device)
        self._streams: Streams | None = None
        self._cast: nn.Module | None = None
        self._rings: OrderedDict[_Shape, Ring] = OrderedDict()
        self._seen: Counter[_Shape] = Counter()
        self.patience = PATIENCE
        """Images of a new size that run eagerly before it is captured."""
        self.notice: str | None = None
        """Reason why images of some size run eagerly, in a line for users; None if none has to."""
        self._refused: set[_Shape] = set()

    @property
    def frames_in_flight(self) -> int:
        """Most images in flight."""
        return SLOTS if self._rings else 1

    @property
    def flights(self) -> CudaRunner:
        """This runner: it submits its images itself."""
        return self

    @torch.inference_mode()
    def submit(self, images: Sequence[ImageArray], box: Letterbox, *, waits: bool) -> Flight | None:
        """Start B images of one size; None while they run eagerly.

        Args:
            images: (H, W, 3) uint8 images, which stay as they are until the fence is done.
            box: where each is in the input.
            waits: whether the caller waits for the result at once; the graph is as fast then.
        """
        shape = (len(images), *images[0].shape)
        if any(bgr.shape != shape[1:] for bgr in images):
            return None
        try:
            ring = self._rings.get(shape) or self._new_ring(images, box, shape)
            if ring is None:
                return None
            self._rings.move_to_end(shape)
            return ring.submit(images)
        except Exception as error:  # a library, a driver, or memory; eager may still do
            self._refuse(shape, error)
            return None

    def release(self) -> None:
        """Free the memory of the captured graphs."""
        self._rings.clear()
        self._seen.clear()

    def _new_ring(self, images: Sequence[ImageArray], box: Letterbox, shape: _Shape) -> Ring | None:
        """Capture the program for a size that came often enough; None before."""
        self._seen[shape] += 1
        is_due = self._seen[shape] > self.patience and shape not in self._refused
        if not is_due or not _building.acquire(blocking=False):
            return None
        try:
            ring = self._captured(images, box, shape)
        finally:
            _building.release()
        self._rings[shape] = ring
        if len(self._rings) > MAX_RINGS:
            oldest, _ = self._rings.popitem(last=False)
            del self._seen[oldest]
        return ring

    def _captured(self, images: Sequence[ImageArray], box: Letterbox, shape: _Shape) -> Ring:
        """Capture the program, and compare it with itself on the images."""
        dtype = DTYPES[self.precision]
        if self._streams is None:
            self._streams = Streams(self._gpu.stream(), self._gpu.stream())
            self._cast = cast_once(self._network, dtype)
        assert self._cast is not None
        program = Program(self._detector, self._cast, (shape[1], shape[2]), box, dtype)
        ring = Ring(self._gpu, self._streams, program, shape)
        spec = self._detector.spec
        counts = (len(spec.class_names), len(spec.keypoint_names))
        found = ring.submit(images).rows()
        expected = ring.computed_eagerly()
        if not all(agrees(one, other, *counts) for one, other in zip(expected, found, strict=True)):
            raise PipelineError("the captured graph gives other results")
        _log.info("%s %s: captured for %s", spec.name, self.precision, shape)
        return ring

    def _refuse(self, shape: _Shape, error: Exception) -> None:
        """Run a size eagerly from now on, and report it once."""
        self._rings.pop(shape, None)
        self._refused.add(shape)
        if self.notice is None:
            name, reason = self._detector.spec.name, first_line(error).rstrip(".")
            self.notice = f"{name} runs without a CUDA graph, which is slower: {reason}."
            _log.warning("%s", self.notice)
