"""Backends: which library runs a model, on which device, at which precision.

A network of torch runs in torch, or compiled by OpenVINO (``torch_backends``). The graph of a file
runs in a session: of ONNX Runtime, OpenVINO or TensorRT (``file_backends``). The first runner of
each list is the exact one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpviewer.errors import PipelineError
from kpviewer.models.onnx.network import OnnxNetwork
from kpviewer.runtime.file_backends import make_file_runners
from kpviewer.runtime.file_runners import FileModel
from kpviewer.runtime.runners import PRECISIONS, Runner

if TYPE_CHECKING:
    from kpviewer.models.base import AnyDetector


def make_runners(detector: AnyDetector, device: str, precision: str, backend: str) -> list[Runner]:
    """Return the runners to choose from: the exact one first, which others must agree with.

    Args:
        detector: network, description and decoding.
        device: name of the device: auto, cpu, cuda, cuda:N, mps; for files also others.
        precision: auto, or one of PRECISIONS.
        backend: auto, or one of ``inference_libraries.BACKENDS``.

    Raises:
        PipelineError: if no runner fits.
    """
    if precision not in ("auto", *PRECISIONS):
        raise PipelineError(f"A precision is auto, {', '.join(PRECISIONS)}, got {precision!r}.")
    if isinstance(detector.network, OnnxNetwork):
        model = FileModel.of(detector, detector.network)
        return make_file_runners(model, device, precision, backend)
    from kpviewer.runtime.torch_backends import make_torch_runners  # noqa: PLC0415

    return make_torch_runners(detector, device, precision, backend)
