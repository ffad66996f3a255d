"""Comparison of backends with fake executors: order, failures, scores and differences."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import FAKE_SPEC, FakeSource, FakeTimings
from sample_results import objects

from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.errors import DatasetError, PipelineError, SourceError
from kpviewer.evaluation import backends
from kpviewer.evaluation.backends import BackendPlan, chosen_backends, compare_backends
from kpviewer.pipeline.measuring.benchmark import Plan
from kpviewer.runtime.choosing.choices import BackendChoice
from kpviewer.structures import Candidates

FP32, BF16 = BackendChoice("torch", "fp32"), BackendChoice("openvino", "bf16")
INT8 = BackendChoice("x", "int8")
AVAILABLE = [FP32, BF16, BackendChoice("openvino", "fp32")]


class FakeExecutor:
    """Executor that detects one box, ``shift`` px beside (10, 10, 20, 20)."""

    turns: list[str] = []  # noqa: RUF012 - emptied by the fixture
    spec = FAKE_SPEC
    device_name = "CPU"

    def __init__(self, detector, device, precision, backend):
        if backend == "none":
            raise PipelineError("none isn't installed.\nInstall it.")
        self.backend, self.precision = backend, precision
        self.shift, self.score = {"fp32": (0, 0.9), "bf16": (0.5, 0.88)}.get(precision, (50, 0.9))

    def warm_up(self, source_hw):
        self.precision = "bf16" if self.precision == "auto" else self.precision
        if self.precision == "fp16":
            raise RuntimeError("can't compile: no fp16\nat line 3")

    def infer(self, bgr):
        self.turns.append(self.precision)
        box = np.array([[10, 10, 20, 20]], np.float32) + np.float32(self.shift)
        scores = np.full((1, 1), self.score, np.float32)
        return Candidates(box, scores, np.zeros((1, 0, 2), np.float32)), FakeTimings(1, 2, 3)


@pytest.fixture(autouse=True)
def executor(monkeypatch):
    FakeExecutor.turns.clear()
    monkeypatch.setattr(backends, "Executor", FakeExecutor)
    monkeypatch.setattr(backends, "probe_image", lambda: np.zeros((24, 32, 3), np.uint8))


@pytest.fixture
def data(monkeypatch):
    """Return four images with an object at (10, 10, 20, 20) each."""
    monkeypatch.setattr(
        "kpviewer.evaluation.timing.load_image",
        lambda path: np.zeros((24, 32, 3), np.uint8),
    )
    ground_truth = objects([[10, 10, 20, 20]])
    pseudo, labelled = np.zeros(1, np.bool_), np.zeros((1, 0), np.bool_)
    images = tuple(
        AnnotatedImage(Path(f"{n}.png"), (32, 24), ground_truth, "", pseudo, labelled, n)
        for n in range(4)
    )
    return AnnotationSet(images, ("thing",), ())


def run(*chosen, data=None, plan=None, source=None):
    plan = plan or Plan(2, warm_up=1, blocks=3)
    make = source or (lambda: FakeSource(4))
    return compare_backends(FakeExecutor, chosen, BackendPlan(make, plan, data=data))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all", AVAILABLE),
        ("openvino", [FP32, BF16, BackendChoice("openvino", "fp32")]),
        ("openvino:bf16", [FP32, BF16]),
        ("openvino:bf16, torch", [FP32, BF16]),
        ("tensorrt", [FP32, BackendChoice("tensorrt", "auto")]),
        ("openvino:int8,all", [FP32, BackendChoice("openvino", "int8"), *AVAILABLE[1:]]),
    ],
)
def test_names_choose_backends_and_the_reference_is_first(text, expected):
    assert chosen_backends(text, AVAILABLE) == expected


@pytest.mark.parametrize("text", ["", "torch,,openvino", ":fp32", "tensorflow", "openvino:fp31"])
def test_an_empty_or_unknown_name_is_refused(text):
    with pytest.raises(ValueError, match="must be all, or one of torch, openvino"):
        chosen_backends(text, AVAILABLE)


def test_backends_take_turns_block_by_block():
    figures = run(FP32, BF16)
    turns = [turn for at, turn in enumerate(FakeExecutor.turns)
             if at == 0 or FakeExecutor.turns[at - 1] != turn]  # fmt: skip
    assert turns == ["fp32", "bf16"] * 3
    assert [len(row.blocks) for row in figures] == [3, 3]
    median, high = figures[0].frame_ms
    assert 6 <= median <= high, "upload, forward and postprocess are 6 ms, selecting more"
    assert figures[0].fps > 0
    assert (figures[0].scores, figures[1].agreement) == ({}, None)


def test_a_backend_that_cannot_run_says_why_in_one_line_and_the_others_run():
    figures = run(FP32, BackendChoice("none", "auto"), BackendChoice("x", "fp16"), BF16)
    assert [row.failure for row in figures] == [
        None,
        "none isn't installed.",
        "can't compile: no fp16",
        None,
    ]
    assert [len(row.blocks) for row in figures] == [3, 0, 0, 3]
    assert (figures[1].frame_ms, figures[1].fps) == (None, None)


def test_a_row_names_the_precision_that_was_chosen():
    figures = run(FP32, BackendChoice("torch", "auto"))
    assert [row.backend for row in figures] == [FP32, BackendChoice("torch", "bf16")]
    assert [len(row.blocks) for row in figures] == [3, 3]


def test_scores_and_differences_are_those_of_the_data(data):
    reference, close, far = run(FP32, BF16, INT8, data=data)
    assert reference.scores == {"AP": 1.0, "AP50": 1.0}
    assert reference.agreement is None
    assert (close.agreement.box_px, close.agreement.detections) == (0.5, 4)
    assert close.agreement.score == pytest.approx(0.02, abs=1e-6)
    assert close.agreement.unmatched == 0
    assert far.scores["AP50"] == 0
    assert (far.agreement.unmatched, far.agreement.box_px) == (8, None)


def test_differences_from_a_reference_that_cannot_run_are_unknown(data):
    reference, other = run(BackendChoice("none", "auto"), BF16, data=data)
    assert reference.failure is not None
    assert other.scores["AP50"] == 1
    assert other.agreement is None


def test_progress_counts_every_frame_and_image(data):
    counted = []
    plan = BackendPlan(
        lambda: FakeSource(4), Plan(2, warm_up=1, blocks=3), data=data, progress=counted.append
    )
    compare_backends(FakeExecutor, [FP32, BF16], plan)
    assert sum(counted) >= plan.steps(2) == 2 * (3 * 3 + 4)


def test_a_fault_of_the_source_is_not_one_of_a_backend():
    with pytest.raises(SourceError):
        run(FP32, source=lambda: FakeSource(0))


def test_a_model_of_points_is_not_scored(data, monkeypatch):
    spec = replace(FAKE_SPEC, architecture="points-light")
    with pytest.raises(DatasetError, match="Leave out --data"):
        backends.check_scorable(spec, data)
