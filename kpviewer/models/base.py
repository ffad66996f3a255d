"""The Detector protocols: a network with its description and decoding, without losses or NMS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from kpviewer.models.ranking import DecodedArrays
from kpviewer.models.spec import ModelSpec

if TYPE_CHECKING:
    from torch import Tensor, nn

    from kpviewer.models.onnx.network import OnnxNetwork
    from kpviewer.models.onnx.readers.columns import Outputs


class DecodedBatch(NamedTuple):
    """Candidates of a batch in input px, padded with rows of score 0."""

    xyxy: Tensor
    """(B, M, 4) float boxes."""
    scores: Tensor
    """(B, M, C) float class scores in [0, 1]."""
    keypoints_xy: Tensor
    """(B, M, K, 2) float keypoints."""
    keypoint_scores: Tensor | None = None
    """(B, M, K) float scores of the keypoints in [0, 1]; None if the model predicts none."""
    overlaps: Tensor | None = None
    """(B, M) float, largest overlap with a better candidate of the class, in [0, 1], for rotated
    boxes, which NMS can't compare; None: NMS compares the boxes. Only without keypoints."""


class Detector(Protocol):
    """Model of torch that the engine runs: those of ``models``, or the user's own."""

    @property
    def spec(self) -> ModelSpec:
        """Description of the model."""

    @property
    def network(self) -> nn.Module:
        """Network from (B, 3, H, W) float, normalised RGB, to raw heads of any structure.

        It, or a module of it, has ``takes_seconds = True`` if a frame takes seconds.
        """

    def decode(self, raw: Any, input_hw: tuple[int, int]) -> DecodedBatch:
        """Decode raw heads to M candidates per image by descending best score.

        M depends on the input size alone.
        """


class FileDetector(Protocol):
    """Model in a file, which needs no torch: ``models.opening.onnx_file`` opens them."""

    @property
    def spec(self) -> ModelSpec:
        """Description of the model."""

    @property
    def network(self) -> OnnxNetwork:
        """Network from (B, 3, H, W) float32, normalised RGB, to outputs by name."""

    def decode(self, raw: Sequence[Outputs], input_hw: tuple[int, int]) -> DecodedArrays:
        """Decode the outputs of B images to candidates by descending best score."""


AnyDetector: TypeAlias = Detector | FileDetector


class DescribedDetector:
    """A detector with another description."""

    def __init__(self, detector: AnyDetector, spec: ModelSpec) -> None:
        self._detector, self.spec = detector, spec

    @property
    def network(self) -> Any:
        """Network of the detector."""
        return self._detector.network

    @property
    def has_nan(self) -> bool:
        """Whether outputs of a model in a file had no numbers."""
        return getattr(self._detector, "has_nan", False)

    def decode(self, raw: Any, input_hw: tuple[int, int]) -> Any:
        """Decode as the detector does."""
        return self._detector.decode(raw, input_hw)


def takes_seconds(network: nn.Module | OnnxNetwork) -> bool:
    """Return whether a network needs seconds for a frame, as it or a module of it says.

    The window pauses for such a model, and no other backends are tried.
    """
    modules = getattr(network, "modules", None)
    if modules is None:
        return False
    return any(getattr(module, "takes_seconds", False) for module in modules())
