"""The backend of TensorRT engines, which run on NVIDIA GPUs in memory of torch's."""

from __future__ import annotations

import torch

from kpviewer.models.onnx.session import Session
from kpviewer.models.onnx.tensorrt_session import TensorRtSession
from kpviewer.runtime.device import cuda_label
from kpviewer.runtime.runners import Runner
from kpviewer.runtime.sessions.runners import FileModel, SessionRunner


def make_tensorrt_runners(model: FileModel, own: str, index: int | None) -> list[Runner]:
    """Return the runner of an engine; none where there is no such GPU."""
    session = model.network.session
    path = session.facts.path
    if path is None or index is None or (index > 0 and index >= torch.cuda.device_count()):
        return []

    def opened() -> Session:
        return session if index == 0 else TensorRtSession(path, torch.device("cuda", index))

    where = {"device": cuda_label(index), "place": f"cuda:{index}"}
    return [SessionRunner(model, opened, backend="tensorrt", precision=own, **where)]


def no_gpu(name: str, device: str) -> str:
    """Return why an engine can't run on a device, and what to do."""
    return (
        f"{name} is a TensorRT engine, which runs on NVIDIA GPUs only: torch sees "
        f"{torch.cuda.device_count()}, got {device!r}. Use --device auto, or the ONNX file."
    )
