"""What the processor computes natively. Nothing here needs torch."""

import platform
import sys
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_BF16 = {"avx512_bf16", "amx_bf16", "bf16"}
"""Flags of x86 and ARM; other processors emulate it, which is slower than single precision."""
_LINUX = Path("/proc/cpuinfo")
_FLAGS = ("flags", "Features")
"""First words of the lines with flags, on x86 and ARM."""

_INT8 = {"avx512_vnni", "avx_vnni", "amx_int8"}
"""Flags of processors that multiply 8-bit integers natively; others use 16-bit sums, which
overflow."""


@cache
def computes_bf16() -> bool:
    """Return whether this CPU has instructions for bf16; False where nothing says so."""
    return not _BF16.isdisjoint(instruction_sets())


@cache
def computes_int8() -> bool:
    """Return whether this CPU has instructions for int8; False where nothing says so."""
    return not _INT8.isdisjoint(instruction_sets())


def instruction_sets() -> set[str]:
    """Return the names of the processor's instruction sets, as Linux or torch reports them."""
    if sys.platform == "linux":
        with suppress(OSError):
            lines = _LINUX.read_text("utf-8", "replace").splitlines()
            return {word for line in lines if line.startswith(_FLAGS) for word in line.split()}
    if find_spec("torch") is None:
        return set()
    import torch  # noqa: PLC0415 - it reads the processor's registers

    has = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return {name for name, value in has.items() if value is True}


@cache
def processor_name() -> str:
    """Return the name of the CPU, as "AMD EPYC 9B45"; empty where the system doesn't report it."""
    if sys.platform == "linux":
        with suppress(OSError):
            for line in _LINUX.read_text("utf-8", "replace").splitlines():
                key, _, value = line.partition(":")
                if key.strip() == "model name":
                    return value.strip()
    return platform.processor()
