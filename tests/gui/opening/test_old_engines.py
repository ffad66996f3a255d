"""Engines of programs that were written for version 0.1 are still named in the status bar."""

from types import SimpleNamespace

from kpviewer.gui.opening.loaders import backend_of


def test_an_engine_is_named_by_backend_and_precision():
    assert backend_of(SimpleNamespace(backend="openvino", precision="bf16")) == "openvino bf16"
    assert backend_of(SimpleNamespace(engine_name="torch", precision="fp32")) == "torch fp32"
