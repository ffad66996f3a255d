"""Backends: which library runs a model, on which device, at which precision.

A network of torch runs in torch, or compiled by OpenVINO (``torch_backends``). The graph of a file
runs in a session: of ONNX Runtime, OpenVINO or TensorRT (``file_backends``). A shipped model is
both: its graph runs on the CPU, its network on a GPU of torch's (docs/adr/0014). The first runner
of each list is the exact one.
"""

from collections.abc import Sequence

from kpviewer.errors import PipelineError
from kpviewer.models.base import AnyDetector
from kpviewer.models.libraries.torch_needed import INSTALL, has_torch, require_torch
from kpviewer.models.onnx.network import OnnxNetwork
from kpviewer.models.opening.shipped_graph import shipped_name
from kpviewer.models.top_down import TopDownNetwork
from kpviewer.runtime.backends.file_backends import make_file_runners
from kpviewer.runtime.choosing.choices import BackendChoice
from kpviewer.runtime.device import has_torch_gpu
from kpviewer.runtime.runners import PRECISIONS, Runner
from kpviewer.runtime.sessions.runners import FileModel
from kpviewer.runtime.top_down import make_top_down_runners
from kpviewer.system.processor import computes_bf16


def make_runners(detector: AnyDetector, device: str, precision: str, backend: str) -> list[Runner]:
    """Return the runners to choose from: the exact one first, which others must agree with.

    Args:
        detector: network, description and decoding.
        device: name of the device: auto, cpu, cuda, cuda:N, mps; for files also others.
        precision: auto, or one of PRECISIONS.
        backend: auto, or one of ``libraries.inference.BACKENDS``.

    Raises:
        PipelineError: if no runner fits.
    """
    if precision not in ("auto", *PRECISIONS):
        raise PipelineError(f"A precision is auto, {', '.join(PRECISIONS)}, got {precision!r}.")
    if isinstance(detector.network, TopDownNetwork):
        return make_top_down_runners(
            detector.network,
            detector.spec,
            lambda each, *how: make_runners(each, device, *how),
            precision,
            backend,
        )
    if isinstance(detector.network, OnnxNetwork):
        if not (shipped_name(detector) and _wants_torch(device, backend)):
            model = FileModel.of(detector, detector.network)
            try:
                return make_file_runners(model, device, precision, backend)
            except PipelineError as error:
                if shipped_name(detector) and (backend, precision) == ("auto", "fp16"):
                    cure = "" if has_torch() else f" after {INSTALL}"
                    raise PipelineError(f"{error} For fp16, --backend torch{cure}.") from error
                raise
        require_torch("--backend torch")
    from kpviewer.models.opening.torch_loading import as_torch  # noqa: PLC0415 - torch takes seconds
    from kpviewer.runtime.backends.torch_backends import make_torch_runners  # noqa: PLC0415

    return make_torch_runners(as_torch(detector), device, precision, backend)


def _wants_torch(device: str, backend: str) -> bool:
    """Return whether a shipped model runs in torch: on request, or on a GPU that torch reaches."""
    if backend != "auto" or not has_torch():
        return backend == "torch"
    return has_torch_gpu() if device == "auto" else device.startswith(("cuda", "mps"))


def choices_of(
    detector: AnyDetector, found: Sequence[BackendChoice], device: str
) -> list[BackendChoice]:
    """Return the backends that a user can choose from for a model on a device, without repeats.

    Args:
        detector: the model.
        found: backends of its runners.
        device: the device, as on the command line.
    """
    if shipped_name(detector) and has_torch() and device in ("auto", "cpu"):
        precisions = ("fp32", "bf16") if computes_bf16() else ("fp32",)
        found = [*found, *(BackendChoice("torch", each, "cpu") for each in precisions)]
    return list(dict.fromkeys(found))
