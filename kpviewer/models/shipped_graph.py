"""Shipped models without torch: their graphs, run by ONNX Runtime or OpenVINO.

``weights/NAME.onnx`` holds the graph alone; its weights are those of ``NAME.safetensors``.
``scripts/shipped_graphs.py`` writes them. With torch installed they aren't used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from kpviewer.models.catalogue import read_header
from kpviewer.models.names import TWO_STAGE, split_two_stage
from kpviewer.models.onnx.description import Channels
from kpviewer.models.onnx.inputs import image_input
from kpviewer.models.onnx.network import OnnxNetwork
from kpviewer.models.onnx.readers.base import Outputs
from kpviewer.models.onnx.session import OrtSession
from kpviewer.models.ranking import DecodedArrays
from kpviewer.models.spec import ModelSpec
from kpviewer.models.two_stage_spec import two_stage_spec
from kpviewer.shipped import shipped_weights_dir

IMAGES, CANDIDATES = "images", "candidates"
"""Names of the input and the output of a graph."""
GRAPHS: Mapping[str, str] = {
    "cards-ssd": "cards-ssd.onnx",
    "face-points": "face-points.onnx",
    "face-ssd": "face-ssd.onnx",
    "strip-grid": "strip-grid.onnx",
    "two-stage:face-ssd+face-points": "face-ssd+face-points.onnx",
}
"""Files of the graphs by name of the model."""


class ShippedDetector:
    """A shipped model whose graph decodes.

    Args:
        spec: description of the model.
        network: its graph in a session.
    """

    is_shipped = True
    """Whether it is evaluated in each precision, as results may differ slightly."""

    def __init__(self, spec: ModelSpec, network: OnnxNetwork) -> None:
        self.spec, self.network = spec, network

    def decode(self, raw: Sequence[Outputs], input_hw: tuple[int, int]) -> DecodedArrays:
        """Return the candidates of each image; the graph has decoded them."""
        packed = np.concatenate([outputs[CANDIDATES] for outputs in raw])  # (B, M, 4 + C + 2K)
        corners, points = 4, len(self.spec.keypoint_names)
        classes = corners + len(self.spec.class_names)
        return DecodedArrays(
            packed[..., :corners],
            packed[..., corners:classes],
            packed[..., classes:].reshape(*packed.shape[:2], points, 2),
        )


def open_shipped(name: str) -> ShippedDetector | None:
    """Open a shipped model; None if no graph of that name comes with kpviewer.

    Raises:
        WeightsError: if the installation is damaged, or lacks ONNX Runtime.
    """
    if name not in GRAPHS:
        return None
    folder = shipped_weights_dir()
    session = OrtSession(folder / GRAPHS[name])
    session.facts = replace(session.facts, parts=_weights(folder, name))
    network = OnnxNetwork(session, image_input(session.facts), Channels.RGB)
    return ShippedDetector(_spec(session.facts.parts), network)


def _weights(folder: Path, name: str) -> tuple[Path, ...]:
    """Return the weight files of a model."""
    parts = split_two_stage(name) if name.startswith(TWO_STAGE) else (name,)
    return tuple(folder / f"{part}.safetensors" for part in parts)


def _spec(paths: tuple[Path, ...]) -> ModelSpec:
    """Return the description of a model, or of two stages as one, from the weight files."""
    specs = [read_header(path) for path in paths]
    return specs[0] if len(specs) == 1 else two_stage_spec(*specs)
