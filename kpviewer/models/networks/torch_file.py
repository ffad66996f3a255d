"""Models in files as torch networks, for torch models that contain one.

An example is the box detector before a point model of torch. Alone, a model in a file needs no
torch (``models.onnx``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from kpviewer.errors import PipelineError
from kpviewer.models.base import DecodedBatch, FileDetector
from kpviewer.models.onnx.network import OnnxNetwork
from kpviewer.models.onnx.readers.columns import Outputs
from kpviewer.models.onnx.session import Session
from kpviewer.structures import FloatArray


class FileOutputs(NamedTuple):
    """Outputs of a file for a batch of images."""

    images: Sequence[Outputs]
    device: torch.device


class TorchFileNetwork(nn.Module):
    """Adapter that runs a file's network as a torch module.

    It has no parameters: moving or copying it does nothing, and copies share the session. Tracing
    would freeze its output, and autocast has no effect on it, so both are refused.
    """

    compile_refusal = (
        "A model in a file runs in its own graph and can't be compiled by another backend. "
        "Use --backend auto."
    )

    def __init__(self, network: OnnxNetwork) -> None:
        super().__init__()
        self.file = network

    def __deepcopy__(self, memo: dict[int, Any]) -> TorchFileNetwork:
        return self

    @property
    def session(self) -> Session:
        """Session of the file."""
        return self.file.session

    def with_session(self, session: Session) -> TorchFileNetwork:
        """Return a network that runs the same graph in another session."""
        return TorchFileNetwork(self.file.with_session(session))

    def forward(self, images: Tensor) -> FileOutputs:
        """Run each image of (B, 3, H, W)."""
        if torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
            raise PipelineError(self.compile_refusal)
        if torch.is_autocast_enabled(images.device.type):
            raise PipelineError(
                "An ONNX file runs in the precision that it was exported with. "
                "Use --precision auto."
            )
        return FileOutputs(self.file(images.to("cpu", torch.float32).numpy()), images.device)


class TorchFileDetector:
    """A detector in a file, with tensors for arrays."""

    def __init__(self, detector: FileDetector) -> None:
        self.spec = detector.spec
        self.network = TorchFileNetwork(detector.network)
        self._decode = detector.decode

    def decode(self, raw: FileOutputs, input_hw: tuple[int, int]) -> DecodedBatch:
        """Decode as the detector does, to the device of the images."""
        parts = self._decode(raw.images, input_hw)
        tensors = [None if part is None else _tensor(part, raw.device) for part in parts]
        return DecodedBatch(*tensors)  # type: ignore[arg-type]


def _tensor(array: FloatArray, device: torch.device) -> Tensor:
    return torch.from_numpy(array).to(device)
