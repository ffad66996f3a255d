"""Batches of images: order, sizes, and that they change no bit of a result."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.models.loading import open_model
from kpviewer.models.networks.ssd.light_ssd import LIGHT_SPEC, build_light_ssd
from kpviewer.runtime.batches import Batches, is_same
from kpviewer.runtime.executor import Executor
from kpviewer.structures import Candidates

SMALL, LARGE = (32, 32), (64, 64)


def image(number):
    return np.full((4, 4, 3), number, np.uint8)


def result(bgr, error=0.0):
    """Return candidates that carry the number of the image."""
    box = np.full((1, 4), bgr[0, 0, 0] + error, np.float32)
    return Candidates(box, np.ones((1, 1), np.float32), np.zeros((1, 0, 2), np.float32)), "time"


class Model:
    """Runs images alone or together, and records the calls."""

    def __init__(self, error=0.0, failure=None, absent=False):
        self.calls = []
        self._error, self._failure, self._absent = error, failure, absent
        self.batches = Batches("fake")

    def alone(self, bgr):
        self.calls.append(1)
        return result(bgr)

    def together(self, images):
        self.calls.append(len(images))
        if self._failure:
            raise self._failure
        return None if self._absent else [result(bgr, self._error) for bgr in images]

    def run(self, numbers, sizes):
        """Return the numbers of the images of the results."""
        images = [image(number) for number in numbers]
        found = self.batches.run(images, sizes, self.alone, self.together)
        return [int(candidates.xyxy[0, 0]) for candidates, _ in found]


def test_the_first_batch_is_checked_and_later_ones_run_at_once():
    model = Model()
    assert model.run([1, 2, 3, 4], [SMALL] * 4) == [1, 2, 3, 4]
    assert model.calls == [4, 1, 1, 1, 1]
    assert model.run([5, 6, 7, 8], [SMALL] * 4) == [5, 6, 7, 8]
    assert model.calls[5:] == [4]


def test_other_numbers_of_images_are_split_into_few_numbers():
    model = Model()
    for _ in range(2):
        model.calls.clear()
        assert model.run(range(7), [SMALL] * 7) == list(range(7))
    assert model.calls == [4, 2, 1]


def test_images_of_other_sizes_form_their_own_batch_and_keep_their_places():
    model = Model()
    for _ in range(2):
        model.calls.clear()
        numbers = model.run([1, 2, 3, 4, 5], [SMALL, LARGE, SMALL, LARGE, (8, 8)])
        assert numbers == [1, 2, 3, 4, 5]
    assert model.calls == [2, 2, 1]


@pytest.mark.parametrize("model", [Model(error=1e-6), Model(failure=RuntimeError("for one image"))])
def test_a_batch_that_fails_or_changes_a_bit_is_not_run_again(model):
    model.run([1, 2], [SMALL] * 2)
    model.calls.clear()
    assert model.run([3, 4], [SMALL] * 2) == [3, 4]
    assert model.calls == [1, 1]


def test_another_number_of_images_is_checked_on_its_own():
    model = Model()
    model.run([1, 2], [SMALL] * 2)
    model.calls.clear()
    model.run([1, 2, 3, 4], [SMALL] * 4)
    assert model.calls == [4, 1, 1, 1, 1]


def test_a_batch_that_is_not_possible_yet_is_tried_again():
    model = Model(absent=True)
    assert model.run([1, 2], [SMALL] * 2) == [1, 2]
    model.run([1, 2], [SMALL] * 2)
    assert model.calls == [2, 1, 1] * 2


def test_one_image_is_no_batch():
    model = Model()
    assert model.run([7], [SMALL]) == [7]
    assert model.calls == [1]


@pytest.fixture(scope="module")
def detector():
    torch.manual_seed(0)
    return build_light_ssd(replace(LIGHT_SPEC, input_hw=(64, 64)))


def pictures(count):
    return list(np.random.default_rng(0).integers(0, 256, (count, 48, 60, 3), np.uint8))


@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_a_model_gives_the_same_bits_in_batches(detector, backend, monkeypatch):
    pytest.importorskip(backend)
    monkeypatch.setattr("kpviewer.runtime.openvino.runner.PATIENCE", 0)
    engine = Executor(detector, "cpu", "fp32", backend)
    images = [*pictures(3), np.full((30, 64, 3), 90, np.uint8)]
    expected = [engine.infer(bgr)[0] for bgr in images]
    for _ in range(3):
        found = engine.infer_batch(images)
        assert all(is_same(one, other[0]) for one, other in zip(expected, found, strict=True))


def test_openvino_runs_a_batch_once_its_size_came_often(detector, monkeypatch):
    pytest.importorskip("openvino")
    monkeypatch.setattr("kpviewer.runtime.openvino.runner.PATIENCE", 2)
    engine = Executor(detector, "cpu", "fp32", "openvino")
    (runner,) = engine._runners  # noqa: SLF001
    images = pictures(3)
    box = letterbox_of(engine.spec, (48, 60))
    loaded = runner.load_batch(images, [box] * 3)
    assert runner.run_batch(loaded) is None, "images alone run eagerly, with other digits"
    runner.prepare((64, 64))
    assert [runner.run_batch(loaded) is None for _ in range(3)] == [True, True, False]


@pytest.fixture
def dynamic(tmp_path, monkeypatch) -> Executor:
    """Run a file with a dynamic batch in OpenVINO, which compiles a size when it first comes."""
    pytest.importorskip("openvino")
    monkeypatch.setattr("kpviewer.runtime.openvino.runner.PATIENCE", 0)
    path = tmp_path / "dynamic.onnx"
    write_dynamic(path)
    return Executor(open_model(str(path)), "cpu", "fp32", "openvino")


def test_a_file_with_a_dynamic_batch_gives_the_same_bits(dynamic):
    images = pictures(4)
    expected = [dynamic.infer(bgr)[0] for bgr in images]
    assert not is_same(expected[0], expected[1])
    for _ in range(2):
        found = dynamic.infer_batch(images)
        assert all(is_same(one, other[0]) for one, other in zip(expected, found, strict=True))
    (runner,) = dynamic._runners  # noqa: SLF001
    box = letterbox_of(dynamic.spec, (48, 60))
    assert runner.run_batch(runner.load_batch(images, [box] * 4)) is not None


def test_images_of_which_one_has_fewer_candidates_run_at_once(dynamic):
    images = [np.full((64, 64, 3), level, np.uint8) for level in (0, 1, 90, 200)]
    for _ in range(3):  # compiled, compared, run at once
        found = dynamic.infer_batch(images)
    counts = [len(candidates) for candidates, _ in found]
    assert counts[0] == 0 < counts[1] < counts[2] == counts[3] == 84
    assert len({timings for _, timings in found}) == 1, "shares of one batch"


def write_dynamic(path):
    """Write a detector for any number of 64x64 px images; its output is scaled by their mean."""
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    rows = np.random.default_rng(1).uniform(0, 0.9, (1, 6, 84)).astype(np.float32)
    rows[:, :4] *= 64
    shape, scale = np.array([-1, 1, 1]), onnx.numpy_helper.from_array(rows, "rows")
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], axes=[1, 2, 3]),
        helper.make_node("Reshape", ["mean", "shape"], ["one"]),
        helper.make_node("Mul", ["one", "rows"], ["output0"]),
    ]
    graph = helper.make_graph(
        nodes,
        "dynamic",
        [helper.make_tensor_value_info("images", kind, ["batch", 3, 64, 64])],
        [helper.make_tensor_value_info("output0", kind, ["batch", 6, 84])],
        [scale, onnx.numpy_helper.from_array(shape, "shape")],
    )
    opsets = [helper.make_opsetid("", 13)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    names = {"task": "detect", "names": "{0: 'a', 1: 'b'}", "stride": "32", "imgsz": "[64, 64]"}
    helper.set_model_props(model, names)
    onnx.save(model, str(path))
