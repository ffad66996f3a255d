"""Which backend a run takes from the earlier runs of its folder."""

import pytest
from fakes import FakeEngine

from kpviewer.processing.backend_choice import ChosenBackend, recorded
from kpviewer.processing.manifest import Record
from kpviewer.processing.options import ProcessOptions
from kpviewer.runtime.choosing.choices import BackendChoice

MODEL = "a" * 64
GPU = "NVIDIA H200"


@pytest.mark.parametrize(
    ("before", "here", "asked", "used"),
    [
        ("CPU", "CPU", "auto", "CPU"),
        ("CPU", GPU, "auto", "CPU"),  # the folder is finished as it was begun
        ("CPU", GPU, "cuda", None),
        (GPU, GPU, "auto", GPU),
        ("NVIDIA A100", GPU, "cuda", GPU),
        (GPU, "CPU", "auto", None),
        (GPU, "CPU", "cpu", None),
    ],
)
def test_a_choice_holds_for_its_kind_of_device(before, here, asked, used, tmp_path):
    record = Record(
        source="a", name="a", status="ok", model=MODEL, backend="openvino:fp32", device=before
    )
    options = ProcessOptions(tmp_path, device=asked)
    chosen = ChosenBackend(BackendChoice("openvino", "fp32"), used) if used is not None else None
    assert recorded([record], options, MODEL, here) == chosen


def test_options_that_are_named_and_other_models_have_no_choice(tmp_path):
    record = Record(
        source="a", name="a", status="ok", model=MODEL, backend="openvino:fp32", device="CPU"
    )
    options = ProcessOptions(tmp_path, precision="int8")
    assert recorded([record], options, MODEL, "CPU") is None
    assert recorded([record], ProcessOptions(tmp_path), "b" * 64, "CPU") is None
    assert recorded([record], ProcessOptions(tmp_path), None, "CPU") is None


@pytest.mark.parametrize(
    ("device", "backend", "is_of"),
    [("CPU", "torch", True), (GPU, "torch", False), ("CPU", "openvino", False)],
)
def test_an_engine_is_used_as_it_is_if_it_runs_like_that(device, backend, is_of):
    engine = FakeEngine()
    vars(engine).update(device_name=device, backend=backend, precision="fp32")
    assert ChosenBackend(BackendChoice("torch", "fp32"), "CPU").is_of(engine) is is_of


def test_an_engine_without_backends_is_used_as_it_is():
    assert ChosenBackend(BackendChoice("", ""), "CPU").is_of(FakeEngine())
