"""Shipped models as graphs, run by ONNX Runtime or OpenVINO, whether torch is installed or not.

``weights/NAME.onnx`` holds the graph alone; its weights are those of ``NAME.safetensors``.
``scripts/shipped_graphs.py`` writes them. ``models.opening.torch_loading.as_torch`` returns such a
model as a network of torch.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from kpviewer.errors import WeightsError
from kpviewer.models.files.catalogue import read_header
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
"""Key of a graph's metadata: ``header_hash`` of the weight file that it reads from."""
MARGIN = "crop_margin"
"""Key of the metadata of a graph that reads crops of boxes: side of a crop over that of the box."""
REFINERS: Mapping[str, str] = {"face-ssd": "face-ssd.refiner.onnx"}
"""Files of the networks that refine points, by name of the model, whose graphs hold them, too."""
GRAPHS: Mapping[str, str] = {
    "cards-ssd": "cards-ssd.onnx",
    "face-points": "face-points.onnx",
    "face-ssd": "face-ssd.onnx",
    "strip-grid": "strip-grid.onnx",
}
"""Files of the graphs by name of the model."""
READERS: Mapping[str, str] = {"face-points": "face-points.crop.onnx"}
"""Files of the graphs that read crops of boxes, each once: test-time augmentation would take long
in a crowd."""


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


def open_shipped(name: str, files: Mapping[str, str] = GRAPHS) -> ShippedDetector | None:
    """Open a shipped model; None if no graph of that name comes with kpviewer.

    Args:
        name: name of the model.
        files: GRAPHS or READERS.

    Raises:
        WeightsError: if the installation is damaged, or lacks ONNX Runtime.
    """
    if name not in files:
        return None
    path, weights = shipped_weights_dir() / files[name], weight_file(name)
    spec, session = read_header(weights), OrtSession(path)
    if session.facts.metadata.get(WEIGHTS) != header_hash(weights):
        raise WeightsError(
            f"{path.name} doesn't fit {weights.name}. Reinstall kpviewer; in a checkout run: "
            "python scripts/shipped_graphs.py"
        )
    network = OnnxNetwork(session, image_input(session.facts), Channels.RGB)
    return ShippedDetector(name, spec if files is GRAPHS else replace(spec, tta_runs=1), network)


def shipped_name(detector: object) -> str | None:
    """Return the name of a shipped model, such as "face-ssd@640"; None for another."""
    name: str | None = getattr(detector, "shipped_name", None)
    return name


def weight_file(name: str) -> Path:
    """Return the weight file of a model."""
    return shipped_weights_dir() / f"{name}.safetensors"


def header_hash(path: Path) -> str:
    """Return a hash of the header of a safetensors file, which says where each tensor is."""
    with path.open("rb") as file:
        length = file.read(8)
        return hashlib.sha256(length + file.read(int.from_bytes(length, "little"))).hexdigest()
