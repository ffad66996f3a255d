"""The libraries that report usage are imported with reports blocked."""

import importlib
import os
import signal
import sys

import pytest

from kpviewer.models.libraries.inference import block_reports, library
from kpviewer.system.interrupts import Interrupted, interrupts_raised


def test_openvino_uses_its_stub():
    pytest.importorskip("openvino")
    ovc = library("openvino.tools.ovc")
    assert type(ovc.telemetry).__module__ == "openvino.tools.ovc.telemetry_stub"


def test_reports_of_onnxruntime_stay_off_whatever_the_environment_says(monkeypatch):
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    block_reports()
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"


def test_the_reporting_package_can_not_be_imported():
    block_reports()
    assert sys.modules["openvino_telemetry"] is None
    with pytest.raises(ImportError):
        __import__("openvino_telemetry")


def test_no_other_library_is_imported_this_way():
    with pytest.raises(ValueError, match="must be one of openvino, onnxruntime"):
        library("openvinox.core")


def test_a_signal_within_an_import_is_no_missing_library(monkeypatch):
    def imported_in_c(name: str) -> None:
        """Import as libraries in C do, which lose the exception of a signal."""
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError(name) from None

    monkeypatch.setattr(importlib, "import_module", imported_in_c)
    with pytest.raises(Interrupted), interrupts_raised():
        library("onnxruntime")
