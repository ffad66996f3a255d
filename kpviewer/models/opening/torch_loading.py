"""Models of torch by name: kpviewer's weights, state dicts, Darknet, torchvision, the user's code.

``models.loading`` opens all others, and imports this module only if torch is installed. Here
shipped models are networks of torch, too.
"""

from pathlib import Path
from typing import cast

from kpviewer.errors import WeightsError
from kpviewer.models.base import AnyDetector, Detector
from kpviewer.models.files.catalogue import available_models
from kpviewer.models.files.foreign import foreign_refusal
from kpviewer.models.files.paths import is_regular
from kpviewer.models.names.models import (
    DARKNET_SUFFIXES,
    STATE_DICT_SUFFIXES,
    TORCHVISION,
    code_of,
    split_input_size,
)
from kpviewer.models.networks.architectures import ARCHITECTURES
from kpviewer.models.networks.darknet.opening import open_darknet
from kpviewer.models.networks.points.network import PointDetector, without_tta
from kpviewer.models.networks.points.two_stage import TwoStageDetector
from kpviewer.models.onnx.network import OnnxNetwork
from kpviewer.models.opening.factory import open_factory
from kpviewer.models.opening.import_ssd import import_ssd300
from kpviewer.models.opening.input_size import ResizedDetector
from kpviewer.models.opening.shipped_graph import shipped_name
from kpviewer.models.opening.state_dict import open_state_dict
from kpviewer.models.opening.zoo import open_torchvision
from kpviewer.models.top_down import TopDownNetwork
from kpviewer.models.weights import load_model


def as_torch(detector: AnyDetector, cure: str = "Use --backend auto.") -> Detector:
    """Return a detector whose network is one torch module: a shipped model's own, or two stages.

    Args:
        detector: the model.
        cure: end of the message where there is none.

    Raises:
        WeightsError: if another library runs the model, or one of its stages.
    """
    network = detector.network
    if isinstance(network, TopDownNetwork) and network.boxes is not None and network.margin:
        points = cast("PointDetector", as_torch(network.reader, cure))
        return TwoStageDetector(as_torch(network.boxes, cure), points)
    if not isinstance(network, OnnxNetwork | TopDownNetwork):
        return cast("Detector", detector)
    if (name := shipped_name(detector)) is None:
        raise WeightsError(f"{detector.spec.name} is run by another library than torch. {cure}")
    in_torch = open_in_torch(name)
    if isinstance(in_torch, PointDetector) and detector.spec.tta_runs == 1:
        return without_tta(in_torch)
    return in_torch


def open_in_torch(name: str) -> Detector:
    """Open a shipped model by its weights: ``NAME`` or ``NAME@SIDE``.

    Raises:
        WeightsError: if the installation is damaged.
    """
    model, side = split_input_size(name)
    detector = load_model(model)
    return detector if side is None else ResizedDetector(detector, side)


def open_torch_model(name: str, path: Path) -> Detector:
    """Open a model of torch.

    Raises:
        WeightsError: if the model is missing, damaged, refused, or doesn't fit its description.
    """
    if name.startswith(TORCHVISION):
        return open_torchvision(name)
    if path.suffix.lower() in DARKNET_SUFFIXES:
        return open_darknet(path)
    if path.suffix.lower() in STATE_DICT_SUFFIXES:
        specs = [each.spec for each in available_models()]
        return open_state_dict(path, specs, ARCHITECTURES, [import_ssd300])
    code = code_of(name)
    if code is not None and not is_regular(path):
        return open_factory(code)
    if (refusal := foreign_refusal(path)) is not None:
        raise WeightsError(refusal)
    return load_model(name)
