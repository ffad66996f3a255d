"""Backends: which library runs a model, on which device, at which precision.

A network of torch runs in torch, or compiled by OpenVINO. The graph of a file runs in a session:
of ONNX Runtime, OpenVINO or TensorRT. The first runner of each list is the exact one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from kpviewer.errors import PipelineError
from kpviewer.models.inference_libraries import has_openvino
from kpviewer.models.onnx.file import OnnxNetwork
from kpviewer.runtime.autotune import reduced_precision
from kpviewer.runtime.device import device_label, use_cpu_threads
from kpviewer.runtime.file_backends import make_file_runners
from kpviewer.runtime.file_runners import FileModel
from kpviewer.runtime.int8 import computes_int8
from kpviewer.runtime.mixed_backends import has_file_inside, make_mixed_runners
from kpviewer.runtime.openvino_runner import OpenVinoRunner
from kpviewer.runtime.runners import DTYPES, PRECISIONS, Runner, TorchRunner, eager_network

if TYPE_CHECKING:
    from kpviewer.models.base import Detector
    from kpviewer.runtime.preprocess import Preprocessor


def make_runners(
    detector: Detector,
    preprocess: Preprocessor,
    device: str,
    precision: str,
    backend: str,
) -> list[Runner]:
    """Return the runners to choose from: the exact one first, which others must agree with.

    Args:
        detector: network, description and decoding.
        preprocess: preprocessor for the device.
        device: name of the device, for models in files.
        precision: auto, or one of PRECISIONS.
        backend: auto, or one of BACKENDS.

    Raises:
        PipelineError: if no runner fits.
    """
    if precision not in ("auto", *PRECISIONS):
        raise PipelineError(f"A precision is auto, {', '.join(PRECISIONS)}, got {precision!r}.")
    if isinstance(detector.network, OnnxNetwork):
        model = FileModel(detector, detector.network, preprocess)
        return make_file_runners(model, device, precision, backend)
    if has_file_inside(detector.network):
        return make_mixed_runners(detector, preprocess, precision, backend)
    return _of_network(detector, preprocess, precision, backend)


def _of_network(
    detector: Detector,
    preprocess: Preprocessor,
    precision: str,
    backend: str,
) -> list[Runner]:
    """Return the runners of a network of torch."""
    device = preprocess.device
    is_cpu = device.type == "cpu"
    threads = use_cpu_threads() if is_cpu else 0
    refusal = getattr(detector.network, "compile_refusal", None)
    if refusal and (backend == "openvino" or precision == "int8"):
        raise PipelineError(refusal)
    able = ["torch", *(["openvino"] if is_cpu and has_openvino() and not refusal else [])]
    backends = [name for name in able if backend in ("auto", name)]
    if not backends:
        raise PipelineError(
            f"A model of torch runs in {' or '.join(able)} on {device_label(device)}, got "
            f"{backend!r}. Use --backend auto."
        )
    precisions = _precisions(device) if precision == "auto" else [precision]
    fewest_bits_first = precisions[::-1]
    runners: list[Runner] = []
    if "torch" in backends:
        network = eager_network(detector, device)
        runners += [
            TorchRunner(detector, network, preprocess, name)
            for name in fewest_bits_first
            if name in DTYPES
        ]
    if "openvino" in backends:
        runners += [
            OpenVinoRunner(detector, preprocess, name, threads)
            for name in fewest_bits_first
            if name != "int8" or detector.spec.activation_ranges
        ]
    exact = next((each for each in runners if each.precision == precisions[0]), None)
    if exact is None:
        raise PipelineError(
            f"int8 requires OpenVINO on a CPU and calibrated weights (kpviewer calibrate), "
            f"got {detector.spec.name} on {', '.join(backends)}. Use --precision auto."
        )
    return [exact, *(each for each in runners if each is not exact)]


def _precisions(device: torch.device) -> list[str]:
    """Return the precisions that the device computes natively, single precision first."""
    half = reduced_precision(device)
    has_int8 = device.type == "cpu" and computes_int8()
    return ["fp32", *([half] if half else []), *(["int8"] if has_int8 else [])]
