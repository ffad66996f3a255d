"""Shipped models as graphs, run by ONNX Runtime or OpenVINO, whether torch is installed or not.

``weights/NAME.onnx`` holds the graph alone; its weights are those of ``NAME.safetensors``.
``scripts/shipped_graphs.py`` writes them. ``models.opening.torch_loading.as_torch`` returns such a
model as a network of torch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from kpviewer.errors import WeightsError
from kpviewer.models.files.catalogue import read_header
from kpviewer.models.names.models import TWO_STAGE, split_two_stage
from kpviewer.models.networks.points.two_stage_spec import two_stage_spec
from kpviewer.models.onnx.description import Channels
from kpviewer.models.onnx.inputs import image_input
from kpviewer.models.onnx.network import OnnxNetwork
from kpviewer.models.onnx.readers.columns import Outputs
from kpviewer.models.onnx.session import OrtSession
from kpviewer.models.ranking import DecodedArrays
from kpviewer.models.spec import ModelSpec
from kpviewer.shipped import shipped_weights_dir

IMAGES, CANDIDATES = "images", "candidates"
"""Names of the input and the output of a graph."""
WEIGHTS = "weights"
"""Key of a graph's metadata: ``headers_hash`` of the weight files that it reads from."""
REFINERS: Mapping[str, str] = {"face-ssd": "face-ssd.refiner.onnx"}
"""Files of the networks that refine points, by name of the model, whose graphs hold them, too."""
GRAPHS: Mapping[str, str] = {
    "cards-ssd": "cards-ssd.onnx",
    "face-points": "face-points.onnx",
    "face-ssd": "face-ssd.onnx",
    "strip-grid": "strip-grid.onnx",
    "two-stage:face-ssd+face-points": "face-ssd+face-points.onnx",
}
"""Files of the graphs by name of the model."""


class ShippedDetector:
    """A shipped model whose graph decodes."""

    def __init__(self, name: str, spec: ModelSpec, network: OnnxNetwork) -> None:
        self.shipped_name, self.spec, self.network = name, spec, network
        self.refiner = shipped_weights_dir() / REFINERS[name] if name in REFINERS else None
        """File of the network that refines points."""

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
    path, parts = shipped_weights_dir() / GRAPHS[name], weight_files(name)
    spec, session = _spec(parts), OrtSession(path)
    if session.facts.metadata.get(WEIGHTS) != headers_hash(parts):
        raise WeightsError(
            f"{path.name} doesn't fit {' and '.join(part.name for part in parts)}. Reinstall "
            "kpviewer; in a checkout run: python scripts/shipped_graphs.py"
        )
    network = OnnxNetwork(session, image_input(session.facts), Channels.RGB)
    return ShippedDetector(name, spec, network)


def shipped_name(detector: object) -> str | None:
    """Return the name of a shipped model, such as "face-ssd@640"; None for another."""
    name: str | None = getattr(detector, "shipped_name", None)
    return name


def weight_files(name: str) -> tuple[Path, ...]:
    """Return the weight files of a model."""
    parts = split_two_stage(name) if name.startswith(TWO_STAGE) else (name,)
    return tuple(shipped_weights_dir() / f"{part}.safetensors" for part in parts)


def headers_hash(paths: Iterable[Path]) -> str:
    """Return a hash of the headers of safetensors files, which say where each tensor is."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            length = file.read(8)
            digest.update(length + file.read(int.from_bytes(length, "little")))
    return digest.hexdigest()


def _spec(paths: tuple[Path, ...]) -> ModelSpec:
    """Return the description of a model, or of two stages as one, from the weight files."""
    specs = [read_header(path) for path in paths]
    return specs[0] if len(specs) == 1 else two_stage_spec(*specs)
