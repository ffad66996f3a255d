"""Backends of models of torch that have a file inside, such as a box detector and RTMPose.

The parts of torch run eagerly, the files in a session of ONNX Runtime or OpenVINO.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from torch import nn

from kpviewer.errors import WeightsError
from kpviewer.models.libraries.inference import has_openvino
from kpviewer.models.networks.torch_file import TorchFileNetwork
from kpviewer.models.onnx.openvino.session import OpenVinoSession
from kpviewer.models.onnx.tensorrt_session import TensorRtSession
from kpviewer.runtime.device import reduced_precision, use_cpu_threads
from kpviewer.runtime.runners import Runner, fitting_runners
from kpviewer.runtime.torch.runner import TorchRunner, eager_network

if TYPE_CHECKING:
    from kpviewer.models.base import Detector
    from kpviewer.runtime.torch.preprocess import Preprocessor

_log = logging.getLogger(__name__)


def has_file_inside(network: nn.Module) -> bool:
    """Return whether a part of a network runs in a session."""
    return any(isinstance(module, TorchFileNetwork) for module in network.modules())


class _MixedRunner(TorchRunner):
    """Eager torch, named by the library that runs the files."""

    def __init__(
        self,
        detector: Detector,
        network: nn.Module,
        preprocess: Preprocessor,
        precision: str,
        backend: str,
    ) -> None:
        super().__init__(detector, network, preprocess, "fp32")
        self.precision, self.backend = precision, backend


def make_mixed_runners(
    detector: Detector, preprocess: Preprocessor, precision: str, backend: str
) -> list[Runner]:
    """Return the runners to choose from: the exact one first, which others must agree with.

    Raises:
        PipelineError: if none fits.
    """
    is_cpu = preprocess.device.type == "cpu"
    if is_cpu:
        use_cpu_threads()
    network = eager_network(detector, preprocess.device)
    own = _library_of(network)
    runners: list[Runner] = [_MixedRunner(detector, network, preprocess, "fp32", own)]
    if is_cpu and has_openvino():
        half = reduced_precision(preprocess.device)
        for name in (*([half] if half else []), "fp32"):
            try:
                inside = _in_openvino(eager_network(detector, preprocess.device), name)
            except WeightsError as error:
                _log.info("openvino %s isn't used: %s", name, error)
                continue
            runners.append(_MixedRunner(detector, inside, preprocess, name, "openvino"))
    return fitting_runners(runners, detector.spec.name, "fp32", backend, precision, torch_means=own)


def _library_of(network: nn.Module) -> str:
    """Return the library that runs the files of a network as they were opened."""
    inside = [each for each in network.modules() if isinstance(each, TorchFileNetwork)]
    is_engine = all(isinstance(each.session, TensorRtSession) for each in inside)
    return "tensorrt" if is_engine else "onnxruntime"


def _in_openvino(network: nn.Module, precision: str) -> nn.Module:
    """Return a copied network with its files in sessions of OpenVINO."""
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            path = child.session.facts.path if isinstance(child, TorchFileNetwork) else None
            if isinstance(child, TorchFileNetwork) and path is not None:
                session = OpenVinoSession(path, precision=precision)
                setattr(module, name, child.with_session(session))
    return network
