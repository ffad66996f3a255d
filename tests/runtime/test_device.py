import pytest
import torch

from kpviewer.errors import PipelineError
from kpviewer.runtime.device import available_devices, device_label, resolve_device


def test_each_listed_device_can_be_used():
    devices = available_devices()
    assert devices["cpu"] == "CPU"
    assert {name: device_label(resolve_device(name)) for name in devices} == devices


def test_a_mac_s_gpu_that_is_absent_is_not_called_one_of_cuda(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(PipelineError, match="'mps' isn't there: torch sees no GPU of Apple"):
        resolve_device("mps")
