"""Tracing by one thread at a time, as torch's globals hold one trace's state."""

import threading
from types import SimpleNamespace

import pytest
import torch
from fakes import FAKE_SPEC
from torch import nn

from kpviewer.models.libraries import tracing
from kpviewer.models.networks.dry_run import check_runs, planned
from kpviewer.runtime.torch import conversion


def others_must_wait() -> bool:
    """Return whether another thread would have to wait now."""
    free: list[bool] = []

    def look() -> None:
        if tracing._lock.acquire(blocking=False):  # noqa: SLF001 (what is tested is that it's held)
            tracing._lock.release()  # noqa: SLF001
            free.append(True)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return not free


class Noting(nn.Module):
    """A network that notes whether others would have to wait, and fails."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = [others_must_wait()]

    def forward(self, _images: torch.Tensor) -> None:
        self.waiting.append(others_must_wait())
        raise RuntimeError("enough")


def test_a_dry_run_holds_the_lock():
    detector = planned(lambda spec: SimpleNamespace(spec=spec, network=Noting()), FAKE_SPEC)
    with pytest.raises(ValueError, match="enough"):
        check_runs(detector)
    assert detector.network.waiting == [True, True]
    assert not others_must_wait()


def test_an_export_holds_the_lock(monkeypatch):
    pytest.importorskip("openvino")
    waiting: list[bool] = []
    export = torch.export.export

    def noted(*given, **more):
        waiting.append(others_must_wait())
        return export(*given, **more)

    monkeypatch.setattr(torch.export, "export", noted)
    conversion.openvino_model(nn.Conv2d(3, 4, 1).eval(), torch.zeros(1, 3, 8, 8))
    assert waiting and all(waiting)  # the first one imports the exporter by an export of its own
    assert not others_must_wait()


def test_a_hanging_trace_is_not_waited_for_forever(monkeypatch):
    monkeypatch.setattr(tracing, "PATIENCE_S", 0.01)
    hangs, go_on = threading.Event(), threading.Event()

    def hang() -> None:
        with tracing.tracing_alone():
            hangs.set()
            go_on.wait(60)

    thread = threading.Thread(target=hang)
    thread.start()
    assert hangs.wait(60)
    with tracing.tracing_alone():  # no dead lock
        go_on.set()
    thread.join(60)
    assert not thread.is_alive()
