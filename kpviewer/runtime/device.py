"""Devices that run a model: by name, and with their labels in the window.

Importing this module doesn't import torch.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kpviewer.errors import PipelineError
from kpviewer.models.libraries.torch_needed import has_torch
from kpviewer.system.cpu_threads import cpu_threads
from kpviewer.system.processor import computes_bf16

if TYPE_CHECKING:
    import torch


_AMD = Path("/dev/kfd")


def has_torch_gpu() -> bool:
    """Return whether torch can use a GPU. Without a driver for one, torch isn't imported."""
    if not has_torch() or not _has_gpu_driver():
        return False
    import torch  # noqa: PLC0415 - it is an extra, and takes seconds

    return torch.cuda.is_available() or torch.backends.mps.is_available()


def _has_gpu_driver() -> bool:
    """Return whether there is a driver for a GPU of NVIDIA, AMD (Linux) or Apple."""
    if sys.platform == "darwin":
        return True  # Metal, which every system has
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return _AMD.exists()
    return True


def resolve_device(name: str = "auto") -> torch.device:
    """Return the device of a name: auto (the first GPU, else the CPU), cpu, cuda, cuda:N or mps.

    Raises:
        PipelineError: if the device isn't available.
    """
    import torch  # noqa: PLC0415 - it is an extra, and takes seconds

    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", 0)
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise PipelineError(f"A device is auto, cpu, cuda, cuda:N or mps, got {name!r}.") from error
    is_available = {
        "cpu": True,
        "cuda": (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not is_available.get(device.type, False):
        seen = f"{torch.cuda.device_count()} CUDA GPUs"
        seen = "no GPU of Apple (Metal)" if device.type == "mps" else seen
        raise PipelineError(f"Device {name!r} isn't there: torch sees {seen}. Use --device auto.")
    return device


def available_devices() -> dict[str, str]:
    """Return the devices of models: names for ``resolve_device``, and labels for users.

    Without torch or a GPU, that is the CPU.
    """
    if not has_torch_gpu():
        return {"cpu": "CPU"}
    import torch  # noqa: PLC0415 - it is an extra, and takes seconds

    gpus = [torch.device("cuda", index) for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        gpus.append(torch.device("mps"))
    return {str(device): device_label(device) for device in (torch.device("cpu"), *gpus)}


def use_cpu_threads() -> int:
    """Set torch's number of threads to that of every library here (``cpu_threads``); return it."""
    import torch  # noqa: PLC0415 - it is an extra, and takes seconds

    threads = cpu_threads()
    torch.set_num_threads(threads)
    return threads


def reduced_precision(device: torch.device) -> str | None:
    """Return the half precision that a device computes natively; None if there is none.

    A processor without bf16 instructions emulates them, which is slower. On a busy machine a
    measurement alone might not show that.
    """
    if device.type == "cuda":
        return "fp16"
    return "bf16" if device.type == "cpu" and computes_bf16() else None


def cuda_label(index: int) -> str:
    """Return the name of a GPU for users; its number where torch doesn't see it."""
    if not has_torch():
        return f"CUDA GPU {index}"
    import torch  # noqa: PLC0415 - it is an extra, and takes seconds

    if torch.cuda.is_available() and index < torch.cuda.device_count():
        return str(torch.cuda.get_device_name(index))
    return f"CUDA GPU {index}"


def device_label(device: torch.device) -> str:
    """Return the label of a device for users: "CPU", or the name of the GPU."""
    if device.type == "cuda":
        import torch  # noqa: PLC0415 - as above

        return str(torch.cuda.get_device_name(device))
    return device.type.upper()
