"""Backends of networks of torch: eager, or compiled by OpenVINO."""

import torch

from kpviewer.errors import PipelineError
from kpviewer.models.base import Detector, takes_seconds
from kpviewer.models.libraries.inference import has_openvino
from kpviewer.runtime.cuda.runner import CudaRunner
from kpviewer.runtime.device import device_label, reduced_precision, resolve_device, use_cpu_threads
from kpviewer.runtime.openvino.runner import OpenVinoRunner
from kpviewer.runtime.runners import Runner
from kpviewer.runtime.torch.graph import TorchGraph
from kpviewer.runtime.torch.preprocess import Preprocessor
from kpviewer.runtime.torch.runner import DTYPES, TorchRunner, eager_network
from kpviewer.system.processor import computes_int8


def make_torch_runners(
    detector: Detector, device_name: str, precision: str, backend: str
) -> list[Runner]:
    """Return the runners to choose from: the exact one first, which others must agree with.

    Args:
        detector: network of torch, description and decoding.
        device_name: auto, cpu, cuda, cuda:N or mps.
        precision: auto, or one of PRECISIONS.
        backend: auto, or one of ``libraries.inference.BACKENDS``.

    Raises:
        PipelineError: if no runner fits.
    """
    device = resolve_device(device_name)
    preprocess = Preprocessor(detector.spec, device)
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
        has_graph = device.type == "cuda" and not takes_seconds(detector.network)
        kind = CudaRunner if has_graph else TorchRunner
        runners += [
            kind(detector, network, preprocess, name)
            for name in fewest_bits_first
            if name in DTYPES
        ]
    if "openvino" in backends:
        runners += [
            OpenVinoRunner(TorchGraph(detector, preprocess, name, threads), detector.spec, name)
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
