"""The Detector: a network with its description and its decoding, and nothing of losses or NMS."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from torch import Tensor, nn

from kpviewer.models.spec import ModelSpec


class DecodedBatch(NamedTuple):
    """The candidates of a batch, padded with rows of score 0. Input pixels."""

    xyxy: Tensor
    """(B, M, 4) float."""
    scores: Tensor
    """(B, M, C) float in [0, 1]."""
    keypoints_xy: Tensor
    """(B, M, K, 2) float."""
    keypoint_scores: Tensor | None = None
    """(B, M, K) float in [0, 1]; None if the model predicts none."""


class Detector(Protocol):
    """What the engine runs. Implementations stand in ``models``; people may bring their own."""

    @property
    def spec(self) -> ModelSpec:
        """What the model says of itself."""

    @property
    def network(self) -> nn.Module:
        """Maps (B, 3, H, W) float, normalised RGB, to raw heads (any structure of tensors)."""

    def decode(self, raw: Any, input_hw: tuple[int, int]) -> DecodedBatch:
        """Turn raw heads into candidates, by descending best score, M fixed by the input size."""
