"""TensorRT engines, run by a stand-in for the package ``tensorrt`` in the CPU's memory.

It has the calls of TensorRT 10 and 11 that kpviewer makes. No test here runs a real engine.
"""

import ctypes
import enum
import json
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
import torch

from kpviewer.errors import PipelineError, WeightsError
from kpviewer.models.loading import open_model
from kpviewer.models.names.models import code_in
from kpviewer.models.onnx import tensorrt_session
from kpviewer.runtime.executor import Executor

SIDE = 64
PORTS = [
    ["images", [1, 3, SIDE, SIDE], "FLOAT", "INPUT"],
    ["output0", [1, 2, 6], "FLOAT", "OUTPUT"],
]
ROWS = [[8.0, 16, 40, 48, 0.9, 1], [1.0, 2, 30, 40, 0.6, 0]]
METADATA = {
    "task": "detect",
    "stride": 32,
    "imgsz": [SIDE, SIDE],
    "names": {"0": "crow", "1": "gull"},
    "batch": 1,
    "args": {"batch": 1, "half": True, "int8": False, "nms": True},
}


class DataType(enum.Enum):
    FLOAT, HALF, BF16 = range(3)


class Mode(enum.Enum):
    INPUT, OUTPUT = range(2)


class Context:
    """Copies the rows of the plan into the output, for inputs of the engine's own shapes."""

    def __init__(self, engine) -> None:
        self.engine, self.shapes, self.addresses = engine, {}, {}

    def set_input_shape(self, name, shape):
        own = self.engine.get_tensor_shape(name)
        self.shapes[name] = shape
        return all(side in (-1, got) for side, got in zip(own, shape, strict=True))

    def get_tensor_shape(self, name):
        return self.shapes.get(name, self.engine.get_tensor_shape(name))

    def set_tensor_address(self, name, address):
        self.addresses[name] = address

    def execute_async_v3(self, _stream):
        assert set(self.addresses) == set(self.engine.ports)
        rows = np.array(self.engine.rows, np.float32)
        ctypes.memmove(self.addresses["output0"], rows.ctypes.data, rows.nbytes)
        return True


class Engine:
    def __init__(self, ports, rows) -> None:
        self.ports = {name: each for name, *each in ports}
        self.rows, self.num_io_tensors = rows, len(ports)

    def get_tensor_name(self, index):
        return list(self.ports)[index]

    def get_tensor_shape(self, name):
        return tuple(self.ports[name][0])

    def get_tensor_dtype(self, name):
        return DataType[self.ports[name][1]]

    def get_tensor_mode(self, name):
        return Mode[self.ports[name][2]]

    def create_execution_context(self):
        return Context(self)


class Runtime:
    opened: ClassVar[list[bytes]] = []

    def __init__(self, _logger) -> None:
        pass

    def deserialize_cuda_engine(self, plan):
        self.opened.append(plan)
        if not plan.startswith(b"ftrt"):
            return None  # as TensorRT does
        return Engine(**json.loads(plan[8:]))


class Logger:
    ERROR = 1

    def __init__(self, _level) -> None:
        pass


@pytest.fixture
def tensorrt(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    module = SimpleNamespace(
        Logger=Logger,
        Runtime=Runtime,
        TensorIOMode=Mode,
        init_libnvinfer_plugins=lambda _logger, _space: True,
        __version__="10.0",
    )
    monkeypatch.setattr(tensorrt_session, "library", lambda _name: module)
    monkeypatch.setattr(tensorrt_session, "_first_gpu", lambda _path: torch.device("cpu"))
    monkeypatch.setattr(Runtime, "opened", [])
    return module


def plan(ports=PORTS, rows=ROWS) -> bytes:
    return b"ftrt\0\0\0\0" + json.dumps({"ports": ports, "rows": rows}).encode()


def engine(path: Path, content: bytes | None = None, metadata: dict | None = METADATA) -> Path:
    """Write an engine as Ultralytics does: a length, JSON, the plan; without metadata the plan."""
    text = json.dumps(metadata).encode() if metadata is not None else b""
    head = len(text).to_bytes(4, "little") + text if metadata is not None else b""
    path.write_bytes(head + (plan() if content is None else content))
    return path


def test_an_engine_runs_with_its_own_names_and_boxes(tensorrt, tmp_path):
    executor = Executor(open_model(engine(tmp_path / "best.engine")))
    candidates, _ = executor.infer(np.zeros((2 * SIDE, 2 * SIDE, 3), np.uint8))
    assert executor.spec.class_names == ("crow", "gull")
    best = candidates.xyxy[candidates.scores[:, 1].argmax()]
    assert best.tolist() == [16, 32, 80, 96]  # of an image twice as large as the input
    assert candidates.scores.max() == pytest.approx(0.9)
    assert (executor.backend, executor.precision) == ("tensorrt", "fp16")
    assert executor.choices == [("tensorrt", "fp16")]


def test_a_plan_without_metadata_is_read_by_its_description(tensorrt, tmp_path):
    path = engine(tmp_path / "own.trt", metadata=None)
    path.with_suffix(".toml").write_text('classes = ["a", "b"]\n[output]\nkind = "boxes"\n')
    assert open_model(path).spec.class_names == ("a", "b")
    assert Runtime.opened == [plan()]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "holds no engine"),
        (b"junk" * 9, "damaged, or was built for another GPU or another TensorRT than 10.0"),
        (b"\xff\xff\xff\x7f{}", "cut off, or larger than 1 MB"),
        (b"\x02\x00\x00\x00{}", "holds no engine"),
        (b"\x04\x00\x00\x00{\xff\xff}" + plan(), "Export the engine again"),
        (b"\x02\x00\x00\x00{]" + plan(), "Export the engine again"),
        ((200_000).to_bytes(4, "little") + b'{"a":' * 40_000 + plan(), "Export the engine again"),
    ],
)
def test_a_damaged_engine_is_refused_in_a_line(tensorrt, tmp_path, content, reason):
    path = tmp_path / "best.engine"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=reason) as error:
        open_model(path)
    assert str(error.value).startswith("best.engine")


@pytest.mark.parametrize(
    ("ports", "reason"),
    [
        ([PORTS[0], ["output0", [1, -1, 6], "FLOAT", "OUTPUT"]], "output of unknown size"),
        ([PORTS[0], ["output0", [1, 2**30, 6], "FLOAT", "OUTPUT"]], "more than 2 GB"),
        ([PORTS[0], ["output0", [1, 2, 6], "BF16", "OUTPUT"]], "of type BF16"),
        ([["images", [1, 5, SIDE, SIDE], "FLOAT", "INPUT"], PORTS[1]], "must take one image"),
    ],
)
def test_an_engine_that_kpviewer_can_not_feed_or_read_is_refused(tensorrt, tmp_path, ports, reason):
    path = engine(tmp_path / "best.engine", plan(ports))
    with pytest.raises(WeightsError, match=reason):
        open_model(path)


def test_without_tensorrt_a_line_says_what_to_install(tmp_path, monkeypatch):
    def missing(_name):
        raise ImportError

    monkeypatch.setattr(tensorrt_session, "library", missing)
    with pytest.raises(WeightsError, match=r"pip install tensorrt.* model=best.pt format=onnx"):
        open_model(engine(tmp_path / "best.engine"))


def test_an_engine_never_runs_on_a_cpu(tensorrt, tmp_path):
    detector = open_model(engine(tmp_path / "best.engine"))
    with pytest.raises(PipelineError, match=r"runs on NVIDIA GPUs only.*Use --device auto"):
        Executor(detector, "cpu")
    assert Executor(detector).on_cpu() is None


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("best.engine", ("best.engine",)),
        ("/a/best.ENGINE/", ("/a/best.ENGINE/",)),
        ("best.trt@yolox@640", ("best.trt",)),
        ("two-stage:face-ssd+b.plan", ("b.plan",)),
        ("best.onnx@yolox", ()),
    ],
)
def test_the_name_of_an_engine_counts_as_code(name, code):
    assert code_in(name) == code
