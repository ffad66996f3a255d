"""What the processor computes, by what Linux or torch say of it."""

from pathlib import Path

import pytest
import torch

from kpviewer.system import processor

INTEL = """processor : 0
model name : A Processor @ 2.0GHz
flags : fpu avx2 {extra}
"""


@pytest.fixture(params=["linux", "torch"])
def with_flags(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that gives this process a processor with a flag."""

    def set_flag(flag: str) -> None:
        info = tmp_path / "cpuinfo"
        info.write_text(INTEL.format(extra=flag))
        monkeypatch.setattr(processor, "_LINUX", info)
        monkeypatch.setattr(processor.sys, "platform", request.param)
        flags = {"avx2": True, "cpu_name": "A Processor @ 2.0GHz", flag: True}
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: flags, raising=False)

    return set_flag


@pytest.mark.parametrize(
    ("flag", "int8", "bf16"),
    [
        ("avx512f", False, False),
        ("avx512_vnni", True, False),
        ("avx_vnni", True, False),
        ("avx512_bf16", False, True),
    ],
)
def test_reduced_precisions_are_those_that_are_not_emulated(with_flags, flag, int8, bf16):
    with_flags(flag)
    assert processor.computes_int8.__wrapped__() is int8
    assert processor.computes_bf16.__wrapped__() is bf16


def test_the_name_is_that_of_linux(tmp_path, monkeypatch):
    info = tmp_path / "cpuinfo"
    info.write_text(INTEL)
    monkeypatch.setattr(processor, "_LINUX", info)
    monkeypatch.setattr(processor.sys, "platform", "linux")
    assert processor.processor_name.__wrapped__() == "A Processor @ 2.0GHz"
