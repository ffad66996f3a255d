"""The runner of a GPU, on a fake one: what it captures, when, and what it does if that fails."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from fake_gpu import FakeDevice
from torch import nn

from kpviewer.models.base import DecodedBatch
from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.runtime.cuda.runner import MAX_RINGS, PATIENCE, CudaRunner
from kpviewer.runtime.executor import Executor
from kpviewer.runtime.torch.preprocess import Preprocessor
from kpviewer.runtime.torch.runner import eager_network
from kpviewer.structures import ImageArray

SPEC = ModelSpec(
    "brightness", "fake", Task.DETECT, ("thing",), (32, 32), stride=32, mean=(0.0,) * 3,
    std=(1.0,) * 3, score_threshold=0.3, iou_threshold=0.4,
)  # fmt: skip


class Brightness:
    """Detector whose only box ends at the mean brightness of the image in [0, 255]."""

    def __init__(self, spec: ModelSpec = SPEC) -> None:
        self.spec = spec
        self.network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(3, 1, 1, bias=False))
        nn.init.constant_(self.network[1].weight, 255 / 3)

    def decode(self, raw: torch.Tensor, input_hw: tuple[int, int]) -> DecodedBatch:
        mean = raw.float().reshape(-1, 1, 1)
        zero = torch.zeros_like(mean)
        xyxy = torch.cat([zero, zero, mean, zero + 10], -1)
        return DecodedBatch(xyxy, zero + 0.9, mean.new_zeros(len(mean), 1, 0, 2))


class Branching(Brightness):
    """Detector that looks at its values on the host."""

    def decode(self, raw, input_hw):
        return super().decode(raw.clamp(max=raw.max().item()), input_hw)


def runner_of(detector: Brightness, device: FakeDevice) -> CudaRunner:
    cpu = torch.device("cpu")
    network = eager_network(detector, cpu)
    return CudaRunner(detector, network, Preprocessor(detector.spec, cpu), "fp32", device)


def image(level: int, height: int = 32, width: int = 32) -> ImageArray:
    return np.full((height, width, 3), level, np.uint8)


def submitted(runner: CudaRunner, bgr: ImageArray):
    return runner.submit([bgr], letterbox_of(SPEC, (bgr.shape[0], bgr.shape[1])), waits=True)


@pytest.fixture
def executor_on(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Executor]:
    """Return a function that makes an executor on a fake GPU."""

    def make(detector: Brightness, device: FakeDevice) -> Executor:
        monkeypatch.setattr(
            "kpviewer.runtime.executor.make_runners",
            lambda *given: [runner_of(detector, device)],
        )
        return Executor(detector)

    return make


def test_a_size_is_captured_once_it_came_often_enough():
    device = FakeDevice()
    runner = runner_of(Brightness(), device)
    assert [submitted(runner, image(9)) for _ in range(PATIENCE)] == [None] * PATIENCE
    assert runner.frames_in_flight == 1
    flight = submitted(runner, image(50))
    assert flight is not None
    assert flight.rows()[0, 0, 2] == pytest.approx(50, abs=0.01)
    for level in (1, 2, 3):
        assert submitted(runner, image(level)) is not None
    assert device.captures == 1
    assert runner.frames_in_flight == 2
    assert runner.notice is None


def test_few_sizes_are_kept_at_once():
    device = FakeDevice()
    runner = runner_of(Brightness(), device)
    for side in range(32, 32 + MAX_RINGS + 1):
        for _ in range(PATIENCE + 1):
            found = submitted(runner, image(side, side, side))
        assert found.rows()[0, 0, 2] == pytest.approx(side, abs=0.01)
    assert device.captures == MAX_RINGS + 1
    assert submitted(runner, image(1)) is None, "the oldest was given up"
    assert submitted(runner, image(1, 36, 36)) is not None


def test_an_executor_gives_the_results_of_each_image(executor_on):
    executor = executor_on(Brightness(), FakeDevice())
    levels = [10, 20, 30, 40, 50, 60]
    found = [executor.infer(image(level))[0].xyxy[0, 2] for level in levels]
    assert found == pytest.approx(levels, abs=0.01)
    tickets = [executor.submit(image(level)) for level in levels]
    results = [ticket.result() for ticket in tickets]
    assert [each.xyxy[0, 2] for each, _ in results] == pytest.approx(levels, abs=0.01)
    assert all(len(timings) == 3 for _, timings in results)
    assert executor.frames_in_flight == 2
    batch = executor.infer_batch([image(level) for level in levels])
    assert [each.xyxy[0, 2] for each, _ in batch] == pytest.approx(levels, abs=0.01)


def test_a_model_that_no_graph_holds_runs_eagerly_and_says_so_once(executor_on, caplog):
    device = FakeDevice()
    executor = executor_on(Branching(), device)
    for level in (10, 20, 30, 40, 50):
        assert executor.infer(image(level))[0].xyxy[0, 2] == pytest.approx(level, abs=0.01)
        assert executor.submit(image(level)).result()[0].xyxy[0, 2] == pytest.approx(
            level, abs=0.01
        )
    assert executor.frames_in_flight == 1
    assert "without a CUDA graph" in executor.notice
    assert "reads a value on the host" in executor.notice
    assert sum("without a CUDA graph" in line for line in caplog.messages) == 1
    assert device.captures == 0


def test_a_graph_that_changes_results_is_not_used():
    class Wrong(FakeDevice):
        def capture(self, function, argument, stream):
            result, _ = super().capture(function, argument, stream)
            return result, lambda: result.fill_(3)

    runner = runner_of(Brightness(), Wrong())
    for _ in range(PATIENCE + 2):
        assert submitted(runner, image(200)) is None
    assert "other results" in runner.notice


def test_an_error_of_a_graph_leads_back_to_eager_torch(executor_on):
    class Failing(FakeDevice):
        def capture(self, function, argument, stream):
            result, replay = super().capture(function, argument, stream)
            runs = iter(range(3))

            def run():
                if next(runs, None) is None:
                    raise RuntimeError("CUDA error: out of memory\nmore lines")
                replay()

            return result, run

    executor = executor_on(Brightness(), Failing((False, False)))
    levels = list(range(10, 90, 10))
    found = [executor.infer(image(level))[0].xyxy[0, 2] for level in levels]
    assert found == pytest.approx(levels, abs=0.01)
    assert executor.notice.endswith("CUDA error: out of memory.")


def test_released_memory_is_captured_anew():
    device = FakeDevice()
    runner = runner_of(Brightness(), device)
    for _ in range(PATIENCE + 1):
        submitted(runner, image(9))
    runner.release()
    assert runner.frames_in_flight == 1
    assert submitted(runner, image(9)) is None
