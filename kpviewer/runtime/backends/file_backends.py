"""Backends of models in files: sessions on the CPU and on what the installed libraries reach.

ONNX Runtime has a *provider* for each kind of device; which of them there are depends on the
installed distribution. OpenVINO lists its devices: CPU, GPU of Intel, NPU.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from kpviewer.errors import PipelineError
from kpviewer.models.libraries.inference import has_openvino, library, openvino_core
from kpviewer.models.names.models import is_engine
from kpviewer.models.onnx.openvino.session import OpenVinoSession
from kpviewer.models.onnx.session import OrtSession, Session
from kpviewer.runtime.device import cuda_label
from kpviewer.runtime.openvino.runner import OpenVinoRunner
from kpviewer.runtime.runners import Runner, fitting_runners
from kpviewer.runtime.sessions.pixel_graph import PixelGraph
from kpviewer.runtime.sessions.runners import FileModel, SessionRunner, own_precision
from kpviewer.system.processor import computes_bf16, computes_int8

_CUDA = re.compile(r"cuda(?::(\d+))?")


class _Provider(NamedTuple):
    """A kind of device that ONNX Runtime reaches."""

    name: str
    device: str
    """Device as ``--device`` names it."""
    label: str
    """Device for users."""
    backend: str = "onnxruntime"


_PROVIDERS = (
    _Provider("CUDAExecutionProvider", "cuda", "CUDA GPU"),
    _Provider("TensorrtExecutionProvider", "cuda", "CUDA GPU", "tensorrt"),
    _Provider("DmlExecutionProvider", "directml", "GPU (DirectML)"),
    _Provider("CoreMLExecutionProvider", "mps", "Core ML"),
)


def onnxruntime_providers() -> tuple[str, ...]:
    """Return the providers of the installed ONNX Runtime; none if it isn't installed."""
    try:
        return tuple(library("onnxruntime").get_available_providers())
    except ImportError:
        return ()


def openvino_devices() -> tuple[str, ...]:
    """Return OpenVINO's devices, such as CPU, GPU.0 and NPU; none if it isn't installed."""
    return tuple(openvino_core().available_devices) if has_openvino() else ()


def make_file_runners(model: FileModel, device: str, precision: str, backend: str) -> list[Runner]:
    """Return the runners to choose from: the exact one first, which others must agree with.

    Args:
        model: the model.
        device: auto, cpu, cuda, cuda:N, mps, directml, or a device of OpenVINO: gpu, gpu.1, npu.
        precision: auto, or a precision.
        backend: auto, or one of ``libraries.inference.BACKENDS``.

    Raises:
        PipelineError: if nothing that is installed fits.
    """
    own = own_precision(model.network)
    if _is_engine(model):
        runners = _in_tensorrt(model, own, device)
    else:
        runners = _on_cpu(model, own) if device in ("auto", "cpu") else []
        if device != "cpu":
            runners += _in_providers(model, own, device, backend)
            runners += _in_openvino_devices(model, own, device)
    if not runners:
        raise PipelineError(_absent(model, device))
    return fitting_runners(runners, model.detector.spec.name, own, backend, precision)


def _on_cpu(model: FileModel, own: str) -> list[Runner]:
    session, runners = model.network.session, list[Runner]()
    if not isinstance(session, OpenVinoSession):
        runners.append(SessionRunner(model, lambda: session, backend="onnxruntime", precision=own))
    if has_openvino():
        names = ["int8"] if own == "int8" else ["bf16", "fp32"] if computes_bf16() else ["fp32"]
        if own == "fp32" and model.ranges and computes_int8():
            names.insert(0, "int8")
        runners += [_in_openvino(model, name, "CPU") for name in names]
    return runners


def _in_tensorrt(model: FileModel, own: str, device: str) -> list[Runner]:
    """Return the runner of an engine, in memory of torch's; none where there is no such GPU."""
    import torch  # noqa: PLC0415 - takes seconds

    from kpviewer.models.onnx.tensorrt_session import TensorRtSession  # noqa: PLC0415 - as above

    match = _CUDA.fullmatch("cuda" if device == "auto" else device)
    index = int(match[1] or 0) if match else None
    session = model.network.session
    path = session.facts.path
    if path is None or index is None or (index > 0 and index >= torch.cuda.device_count()):
        return []

    def opened() -> Session:
        return session if index == 0 else TensorRtSession(path, torch.device("cuda", index))

    where = {"device": cuda_label(index), "place": f"cuda:{index}"}
    return [SessionRunner(model, opened, backend="tensorrt", precision=own, **where)]


def _in_providers(model: FileModel, own: str, device: str, backend: str) -> list[Runner]:
    """Return the runners of ONNX Runtime on devices other than the CPU."""
    path = model.network.session.facts.path
    if path is None or isinstance(model.network.session, OpenVinoSession):
        return []
    match = _CUDA.fullmatch(device)
    kind, index = ("cuda", int(match[1] or 0)) if match else (device, 0)
    installed = onnxruntime_providers()
    runners: list[Runner] = []
    for each in _PROVIDERS:
        if each.name not in installed or kind not in ("auto", each.device):
            continue
        if each.backend == "tensorrt" and backend != "tensorrt":
            continue  # it builds an engine for minutes, so it must be asked for
        options, where = {}, {"device": each.label, "place": each.device}
        if each.device == "cuda":
            options = {"device_id": str(index)}
            where = {"device": cuda_label(index), "place": f"cuda:{index}"}
        opens: Callable[[], Session] = partial(OrtSession, path, each.name, options)
        runners.append(SessionRunner(model, opens, backend=each.backend, precision=own, **where))
    return runners


def _in_openvino_devices(model: FileModel, own: str, device: str) -> list[Runner]:
    """Return the runners of OpenVINO on devices other than the CPU, half precision first."""
    if device.startswith(("cuda", "mps", "directml")):
        return []
    found = [
        name
        for name in openvino_devices()
        if name != "CPU" and device.lower() in ("auto", name.lower(), name.lower().split(".")[0])
    ]
    runners: list[Runner] = []
    for name in found:
        names = ["int8"] if own == "int8" else ["fp16"] if name == "NPU" else ["fp16", "fp32"]
        runners += [_in_openvino(model, each, name) for each in names]
    return runners


def _in_openvino(model: FileModel, precision: str, device: str) -> Runner:
    if model.network.image.takes_planes:
        graph = PixelGraph(model, precision, device)
        return OpenVinoRunner(graph, model.detector.spec, precision, device)
    path = model.network.session.facts.path
    assert path is not None, "the session was opened from a file"
    opens = partial(OpenVinoSession, path, device, precision)
    where = {"device": device, "place": device.lower()}
    return SessionRunner(model, opens, backend="openvino", precision=precision, **where)


def _is_engine(model: FileModel) -> bool:
    path = model.network.session.facts.path
    return path is not None and is_engine(path)


def _absent(model: FileModel, device: str) -> str:
    name = model.detector.spec.name
    if _is_engine(model):
        import torch  # noqa: PLC0415 - as above

        return (
            f"{name} is a TensorRT engine, which runs on NVIDIA GPUs only: torch sees "
            f"{torch.cuda.device_count()}, got {device!r}. Use --device auto, or the ONNX file."
        )
    if _CUDA.fullmatch(device):
        return (
            f"{name} is a file that runs on {device} only with onnxruntime-gpu, which isn't "
            'installed: pip install "kpviewer[gpu]". Or use --device auto.'
        )
    known: dict[str, Any] = {"cpu": None}
    installed = onnxruntime_providers()
    known |= {each.device: None for each in _PROVIDERS if each.name in installed}
    known |= {each.lower(): None for each in openvino_devices()}
    return (
        f"{name} is a file that runs here on {', '.join(known)}, got {device!r}. Use --device auto."
    )
