"""The libraries that report usage are imported with reports blocked."""

import os
import sys

import pytest

from kpviewer.models.libraries.inference import block_reports, library


def test_openvino_uses_its_stub() -> None:
    pytest.importorskip("openvino")
    ovc = library("openvino.tools.ovc")
    assert type(ovc.telemetry).__module__ == "openvino.tools.ovc.telemetry_stub"


def test_reports_of_onnxruntime_stay_off_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    block_reports()
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"


def test_the_reporting_package_can_not_be_imported() -> None:
    block_reports()
    assert sys.modules["openvino_telemetry"] is None
    with pytest.raises(ImportError):
        __import__("openvino_telemetry")


def test_no_other_library_is_imported_this_way() -> None:
    with pytest.raises(ValueError, match="must be one of openvino, onnxruntime"):
        library("openvinox.core")
