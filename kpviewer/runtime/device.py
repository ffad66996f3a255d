"""Which device runs the model, by name, and how it is called in the window."""

from __future__ import annotations

import os

import torch

from kpviewer.errors import PipelineError

MAX_CPU_THREADS = 8
"""The shipped networks are too small for more threads to help."""


def resolve_device(name: str = "auto") -> torch.device:
    """Turn a name from the command line into a device that is there.

    Args:
        name: auto, cpu, cuda, cuda:N or mps. auto takes the first GPU, else the CPU.

    Raises:
        PipelineError: if the device isn't there.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", 0)
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise PipelineError(f"A device is auto, cpu, cuda, cuda:N or mps, got {name!r}.") from error
    there = {
        "cpu": True,
        "cuda": (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there.get(device.type, False):
        raise PipelineError(
            f"Device {name!r} isn't there: torch sees {torch.cuda.device_count()} CUDA GPUs. "
            "Use --device auto."
        )
    return device


def available_devices() -> dict[str, str]:
    """Name the devices that torch sees: what ``resolve_device`` takes, and how people call it."""
    gpus = [torch.device("cuda", index) for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        gpus.append(torch.device("mps"))
    return {str(device): device_label(device) for device in (torch.device("cpu"), *gpus)}


def use_cpu_threads() -> int:
    """Let torch use the cores, up to a number that small networks profit from; return it."""
    threads = min(MAX_CPU_THREADS, len(os.sched_getaffinity(0)) if hasattr(
        os, "sched_getaffinity") else os.cpu_count() or 1)  # fmt: skip
    torch.set_num_threads(threads)
    return threads


def device_label(device: torch.device) -> str:
    """How people call a device: "CPU", or the name of the GPU."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return device.type.upper()
