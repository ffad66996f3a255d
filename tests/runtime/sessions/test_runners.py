"""Models in files on each backend: the same detections, whatever the form of the input."""

import gc
import weakref
from pathlib import Path

import numpy as np
import pytest

from kpviewer.errors import PipelineError, WeightsError
from kpviewer.models.libraries.inference import has_openvino
from kpviewer.models.libraries.openvino_requests import IN_FLIGHT
from kpviewer.models.onnx.openvino import graph as openvino_graph
from kpviewer.models.onnx.openvino import session as openvino_session
from kpviewer.models.onnx.openvino.session import OpenVinoSession
from kpviewer.models.opening.onnx_file import open_onnx
from kpviewer.runtime.backends import file_backends
from kpviewer.runtime.batches import is_same
from kpviewer.runtime.executor import Executor
from kpviewer.runtime.openvino.runner import OpenVinoRunner
from kpviewer.runtime.sessions.pixel_graph import PixelGraph
from kpviewer.runtime.sessions.runners import FileModel
from kpviewer.system.cpu_threads import cpu_threads

pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")
pytestmark = pytest.mark.skipif(not has_openvino(), reason="OpenVINO isn't installed")

IMAGE = np.full((64, 96, 3), (51, 102, 204), np.uint8)
"""Blue 0.2, green 0.4, red 0.8."""
FORM = 'classes = ["a"]\npadding = [0, 0, 0]\n'
BOXES = '[output]\nkind = "boxes"\n'


def red_mean(path: Path, shape=(1, 3, 64, 96), element: str = "float32", text: str = FORM) -> Path:
    """Write a model of one box whose score is the mean of its first channel.

    Computed as a half of the channel plus a half of it, so that there is more than one operation.
    """
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(element))
    is_last = shape[-1] == 3
    axes = [1, 2] if is_last else [2, 3]
    batch = shape[0]
    constants = {
        "box": np.tile(np.float32([[[8, 8, 40, 40]]]), (batch, 1, 1)),
        "class": np.zeros((batch, 1, 1), np.float32),
        "first": np.array([0]),
        "form": np.array([batch, 1, 1]),
    }
    nodes = [
        helper.make_node("Cast", ["image"], ["numbers"], to=onnx.TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["numbers"], ["means"], axes=axes, keepdims=0),
        helper.make_node("Gather", ["means", "first"], ["red"], axis=1),
        helper.make_node("Reshape", ["red", "form"], ["score"]),
        helper.make_node("Concat", ["box", "score", "class"], ["out"], axis=2),
    ]
    graph = helper.make_graph(
        nodes,
        "red mean",
        [helper.make_tensor_value_info("image", kind, list(shape))],
        [helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, [batch, 1, 6])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(path))
    path.with_suffix(".toml").write_text(text + BOXES)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


def score(path: Path, backend: str, precision: str = "auto") -> float:
    executor = Executor(open_onnx(path), "cpu", precision, backend)
    candidates, _ = executor.infer(IMAGE)
    assert candidates.xyxy[0].tolist() == [8, 8, 40, 40]
    return float(candidates.scores[0, 0])


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
@pytest.mark.parametrize(
    ("shape", "element", "text", "expected"),
    [
        ((1, 3, 64, 96), "float32", "", 0.8),
        ((1, 3, 64, 96), "float16", "", 0.8),
        ((1, 3, 64, 96), "float32", 'channels = "bgr"\n', 0.2),
        # (0.8 - 0.5) / 0.6, and (0.2 - 0.1) / 0.5 of blue, which comes first
        ((1, 3, 64, 96), "float32", "mean = [0.5, 0, 0]\nstd = [0.6, 1, 1]\n", 0.5),
        (
            (1, 3, 64, 96), "float32",
            'channels = "bgr"\nmean = [0.1, 0, 0]\nstd = [0.5, 1, 1]\n', 0.2,
        ),
        ((1, 3, 64, 96), "uint8", "", 204.0),  # 0.8 * 255: whole numbers can't be shares
        ((1, 64, 96, 3), "float32", "", 0.8),
        ((2, 3, 64, 96), "float32", "", 0.8),
        ((1, 3, "h", "w"), "float32", "input = [64, 96]\nstride = 32\n", 0.8),
    ],
)  # fmt: skip
def test_each_backend_gets_the_same_numbers(path, backend, shape, element, text, expected):
    red_mean(path, shape, element, FORM + text)
    precision = "auto" if element == "float16" else "fp32"
    assert score(path, backend, precision) == pytest.approx(expected, abs=1e-3)


def test_auto_measures_all_backends_and_says_which_it_chose(path, monkeypatch):
    monkeypatch.setattr(file_backends, "computes_bf16", lambda: True)
    executor = Executor(open_onnx(red_mean(path)), "cpu")
    assert (executor.backend, executor.precision) == ("auto", "auto")
    executor.warm_up(IMAGE.shape[:2])
    assert executor.backend in {"onnxruntime", "openvino"}
    assert executor.precision in {"fp32", "bf16"}


@pytest.mark.parametrize(
    ("backend", "precision"), [("torch", "auto"), ("onnxruntime", "bf16"), ("auto", "int8")]
)
def test_what_can_not_run_a_file_is_refused_with_what_can(path, backend, precision):
    with pytest.raises(PipelineError, match=r"onnxruntime fp32.*openvino fp32.*--backend auto"):
        Executor(open_onnx(red_mean(path)), "cpu", precision, backend)


def test_images_of_a_new_size_run_at_once_and_are_compiled_later(path, monkeypatch):
    red_mean(path, (1, 3, "h", "w"), text=FORM + "input = [128, 128]\nstride = 32\n")
    compiled = []
    original = openvino_session.CompiledModel

    def compile_one(compiler, settings, values):
        compiled.append(values(1)[0].shape)
        return original(compiler, settings, values)

    monkeypatch.setattr(openvino_session, "CompiledModel", compile_one)
    executor = Executor(open_onnx(path), "cpu", "fp32", "openvino")
    executor.infer(np.zeros((128, 128, 3), np.uint8))
    assert compiled == [(1, 128, 128, 3)]
    scores = [executor.infer(np.ascontiguousarray(IMAGE))[0].scores for _ in range(9)]
    assert compiled[1:] == [(1, 96, 128, 3)]  # the ninth image of that size
    assert np.ptp(scores) == pytest.approx(0, abs=1e-5)


def test_threads_of_several_processes_are_not_pinned_to_the_same_cores(path):
    session = OpenVinoSession(red_mean(path))
    compiled = session.compiled({"image": np.zeros((1, 3, 64, 96), np.float32)})
    assert compiled.request.get_compiled_model().get_property("ENABLE_CPU_PINNING") is False


def test_openvino_runs_no_graph_that_may_need_any_memory(path, monkeypatch):
    red_mean(path)
    feeds = {"image": np.zeros((1, 3, 64, 96), np.float32)}
    limit = 64 * 96 * 3 * 4
    monkeypatch.setattr(openvino_graph, "MAX_TENSOR_BYTES", limit - 1)
    with pytest.raises(WeightsError, match=r"model\.onnx may need more than"):
        OpenVinoSession(path).run(feeds)
    monkeypatch.setattr(openvino_graph, "MAX_TENSOR_BYTES", limit)
    assert OpenVinoSession(path).run(feeds)["out"].shape == (1, 1, 6)


def test_openvino_runs_no_graph_whose_size_depends_on_the_image(path):
    helper = onnx.helper
    nodes = [
        helper.make_node("ReduceMax", ["image"], ["most"], axes=[0, 1, 2, 3], keepdims=0),
        helper.make_node("Cast", ["most"], ["whole"], to=onnx.TensorProto.INT64),
        helper.make_node("Unsqueeze", ["whole", "zero"], ["size"]),
        helper.make_node("ConstantOfShape", ["size"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "bomb",
        [helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, [1, 3, 4, 4])],
        [helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, ["n"])],
        [onnx.numpy_helper.from_array(np.array([0]), "zero")],
    )
    opsets = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(path))
    with pytest.raises(WeightsError, match=r"branches, loops or values of unknown size.*auto"):
        OpenVinoSession(path).run({"image": np.ones((1, 3, 4, 4), np.float32)})


@pytest.mark.parametrize("batch", [1, 2])
def test_images_in_flight_get_their_own_scores(path, monkeypatch, batch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    executor = Executor(open_onnx(red_mean(path, (batch, 3, 64, 96))), "cpu", "fp32", "openvino")
    executor.compile_at_once()
    images = [np.full_like(IMAGE, level) for level in (51, 102, 153, 204, 255)]
    alone = [executor.infer(bgr)[0] for bgr in images]
    assert executor.frames_in_flight == (IN_FLIGHT if cpu_threads() > 1 else 1)
    tickets = [executor.submit(bgr) for bgr in images]
    found = [ticket.result()[0] for ticket in tickets]
    assert all(is_same(one, other) for one, other in zip(alone, found, strict=True))
    assert len({float(each.scores[0, 0]) for each in found}) == len(images)


def test_a_runner_goes_without_the_collector(path):
    detector = open_onnx(red_mean(path))
    gc.collect()
    gc.disable()  # a collection would free graphs on whichever thread begins it: the window's
    try:
        graph = PixelGraph(FileModel.of(detector, detector.network), "fp32", "CPU")
        runner = OpenVinoRunner(graph, detector.spec, "fp32")
        del graph
        runner.prepare((64, 96))
        gone = weakref.ref(runner)
        del runner
        assert gone() is None
    finally:
        gc.enable()
