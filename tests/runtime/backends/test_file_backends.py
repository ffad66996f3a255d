"""Backends, devices and precisions that a model in a file is offered, by what is installed."""

from pathlib import Path

import numpy as np
import pytest
from onnx_files import constant_model

from kpviewer.errors import PipelineError, WeightsError
from kpviewer.models.onnx.session import OrtSession
from kpviewer.models.opening.onnx_file import open_onnx
from kpviewer.runtime.backends import file_backends
from kpviewer.runtime.executor import Executor

pytest.importorskip("onnxruntime")
CPU, CUDA, TENSORRT, DML, COREML = (
    f"{name}ExecutionProvider" for name in ("CPU", "CUDA", "Tensorrt", "Dml", "CoreML")
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = constant_model(tmp_path / "m.onnx", {"out": np.array([[[1, 2, 30, 40, 0.5, 0]]])})
    path.with_suffix(".toml").write_text('classes = ["a"]\n[output]\nkind = "boxes"\n')
    return path


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    """Return a function that pretends to have providers and devices."""

    def pretend(providers: tuple[str, ...] = (), devices: tuple[str, ...] = ()) -> None:
        monkeypatch.setattr(file_backends, "onnxruntime_providers", lambda: (*providers, CPU))
        monkeypatch.setattr(file_backends, "openvino_devices", lambda: ("CPU", *devices))
        monkeypatch.setattr(file_backends, "has_openvino", lambda: True)
        monkeypatch.setattr(file_backends, "computes_bf16", lambda: True)

    return pretend


def offered(path: Path, device: str = "auto", precision: str = "auto", backend: str = "auto"):
    runners = Executor(open_onnx(path), device, precision, backend)._runners  # noqa: SLF001 - all
    return [f"{each.backend} {each.device} {each.precision}" for each in runners]


ON_CPU = ["onnxruntime CPU fp32", "openvino CPU bf16", "openvino CPU fp32"]


@pytest.mark.parametrize(
    ("providers", "devices", "device", "backend", "expected"),
    [
        ((), (), "auto", "auto", ON_CPU),
        ((CUDA, TENSORRT), (), "cpu", "auto", ON_CPU),
        ((CUDA, TENSORRT), (), "auto", "auto", [*ON_CPU, "onnxruntime CUDA GPU 0 fp32"]),
        ((CUDA, TENSORRT), (), "cuda:1", "auto", ["onnxruntime CUDA GPU 1 fp32"]),
        ((CUDA, TENSORRT), (), "cuda", "tensorrt", ["tensorrt CUDA GPU 0 fp32"]),
        ((DML,), (), "directml", "auto", ["onnxruntime GPU (DirectML) fp32"]),
        ((COREML,), (), "mps", "auto", ["onnxruntime Core ML fp32"]),
        ((), ("GPU", "NPU"), "gpu", "auto", ["openvino GPU fp32", "openvino GPU fp16"]),
        ((), ("GPU.0", "GPU.1"), "gpu.1", "auto", ["openvino GPU.1 fp32", "openvino GPU.1 fp16"]),
        ((), ("NPU",), "npu", "auto", ["openvino NPU fp16"]),
        ((), ("NPU",), "auto", "openvino",
         ["openvino CPU fp32", "openvino CPU bf16", "openvino NPU fp16"]),
    ],
)  # fmt: skip
def test_what_is_installed_is_offered(
    path, machine, *, providers, devices, device, backend, expected
):
    machine(providers, devices)
    assert offered(path, device, backend=backend) == expected


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("cuda", r"pip install .kpviewer\[gpu\].*--device auto"),
        ("directml", r"runs here on cpu, npu, got 'directml'"),
        ("toaster", r"runs here on cpu, npu, got 'toaster'"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(path, machine, device, message):
    machine((), ("NPU",))
    with pytest.raises(PipelineError, match=message):
        offered(path, device)


def test_a_quantised_file_runs_at_int8_alone(path, machine):
    machine()
    detector = open_onnx(path)
    with path.open("ab") as file:
        file.write(b"QLinearConv")
    runners = Executor(detector, "cpu")._runners  # noqa: SLF001 - all of them
    assert [each.precision for each in runners] == ["int8", "int8"]


def test_a_provider_gets_its_device_and_one_that_can_not_start_says_so(path, machine, monkeypatch):
    ort = pytest.importorskip("onnxruntime")
    real, asked = ort.InferenceSession, []

    def on_cpu(name, options, providers):
        asked.append(providers)
        return real(name, options, providers=[CPU])  # as ONNX Runtime falls back

    detector = open_onnx(path)
    monkeypatch.setattr(ort, "InferenceSession", on_cpu)
    machine((CUDA,))
    with pytest.raises(WeightsError, match="CUDAExecutionProvider can't start here"):
        Executor(detector, "cuda:1").infer(np.zeros((64, 96, 3), np.uint8))
    assert asked == [[(CUDA, {"device_id": "1"})]]


def test_auto_goes_on_without_a_provider_that_can_not_start(path, machine):
    machine((CUDA,))
    executor = Executor(open_onnx(path), "auto")
    executor.infer(np.zeros((64, 96, 3), np.uint8))
    assert executor.device_name == "CPU"
    assert executor.on_cpu() is None


def test_a_model_on_another_device_goes_on_on_the_cpu_when_that_fails(path, machine):
    machine((CUDA,))
    moved = Executor(open_onnx(path), "cuda").on_cpu()
    assert moved is not None
    moved.infer(np.zeros((64, 96, 3), np.uint8))
    assert (moved.backend, moved.device_name) == ("onnxruntime", "CPU")


def test_a_session_names_its_provider(path):
    assert OrtSession(path).facts.stem == "m"


def test_backends_are_listed_with_the_devices_that_choose_them(path, machine):
    machine((CUDA, DML), ("GPU.1",))
    detector = open_onnx(path)
    listed = Executor(detector).backends("auto")
    assert [str(each) for each in listed] == [
        "onnxruntime:fp32@cpu", "openvino:bf16@cpu", "openvino:fp32@cpu",
        "onnxruntime:fp32@cuda:0", "onnxruntime:fp32@directml",
        "openvino:fp16@gpu.1", "openvino:fp32@gpu.1",
    ]  # fmt: skip
    for backend, precision, device in listed:
        chosen = Executor(detector, device, precision, backend)
        assert chosen.choices == [(backend, precision)]
        assert chosen.backends("auto") == listed
    assert [str(each) for each in Executor(detector).backends("cuda:2")] == [
        "onnxruntime:fp32@cuda:2"
    ]
