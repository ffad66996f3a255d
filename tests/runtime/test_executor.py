"""The engine on the CPU, with detectors of known results."""

import gc
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from kpviewer.errors import PipelineError
from kpviewer.geometry import Letterbox
from kpviewer.models.base import DecodedBatch
from kpviewer.models.libraries.inference import has_openvino
from kpviewer.models.loading import open_model
from kpviewer.models.networks.ssd.face_ssd import build_face_ssd
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.runtime import device, executor
from kpviewer.runtime.backends import torch_backends
from kpviewer.runtime.choosing import autotune, choosing
from kpviewer.runtime.choosing.autotune import Choice, agrees, choose_runner, tolerance_for
from kpviewer.runtime.device import reduced_precision, resolve_device
from kpviewer.runtime.executor import Executor
from kpviewer.runtime.runners import StageClock
from kpviewer.runtime.torch.fusion import fused
from kpviewer.sources.base import first_image
from kpviewer.sources.open import make_source
from kpviewer.system.processor import computes_int8


@dataclass
class BrightestPixel:
    """A detector that boxes the brightest pixel of its input: it shows where images land."""

    spec: ModelSpec
    network: nn.Module

    def decode(self, raw: Tensor, input_hw: tuple[int, int]) -> DecodedBatch:
        flat = raw.sum(1).flatten(1).argmax(1)
        x, y = (flat % input_hw[1]).float(), (flat // input_hw[1]).float()
        corner = torch.stack([x, y], -1)
        box = torch.cat([corner, corner + 1], -1)[:, None]
        return DecodedBatch(box, torch.ones(1, 1, 1), (corner + 0.5)[:, None, None])


def spec(**changes: object) -> ModelSpec:
    base = {
        "name": "probe",
        "architecture": "probe",
        "task": Task.DETECT,
        "class_names": ("spot",),
        "keypoint_names": ("middle",),
        "input_hw": (320, 320),
        "stride": 64,
    }
    return ModelSpec(**{**base, **changes})


@pytest.mark.parametrize("hw", [(480, 640), (1080, 1920), (320, 320), (300, 400), (641, 479)])
def test_detections_are_at_their_position_in_the_image(hw):
    engine = Executor(BrightestPixel(spec(), nn.Identity()), "cpu", "fp32", "torch")
    scale = max(hw) / 320
    for x, y in ((0.2, 0.3), (0.85, 0.15), (0.5, 0.9)):
        image = np.zeros((*hw, 3), np.uint8)
        column, row = int(hw[1] * x), int(hw[0] * y)
        reach = max(1, int(scale))
        image[row - reach : row + reach, column - reach : column + reach] = 255
        candidates, _ = engine.infer(image)
        # the blob's middle is (column, row); an input pixel is `scale` source px wide
        middle = candidates.keypoints_xy[0, 0]
        assert np.abs(middle - [column, row]).max() <= scale


def test_channels_arrive_as_rgb_normalised():
    seen: list[Tensor] = []

    class Watch(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            seen.append(images.clone())
            return images

    plain = spec(mean=(0.5, 0.25, 0.0), std=(0.5, 0.25, 1.0))
    image = np.zeros((320, 320, 3), np.uint8)
    image[..., 0], image[..., 2] = 51, 255  # blue 0.2, green 0, red 1
    Executor(BrightestPixel(plain, Watch()), "cpu", "fp32", "torch").infer(image)
    assert seen[0].shape == (1, 3, 320, 320)
    assert seen[0][0, :, 100, 100].tolist() == pytest.approx([1.0, -1.0, 0.2], abs=1e-5)


def test_padding_has_the_mean_colour():
    seen: list[Tensor] = []

    class Watch(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            seen.append(images.clone())
            return images

    image = np.full((160, 320, 3), 255, np.uint8)
    Executor(BrightestPixel(spec(stride=None), Watch()), "cpu", "fp32", "torch").infer(image)
    assert seen[0].shape[2:] == (320, 320)
    # the mean, 123.675 of red, is 124 in an image of whole numbers
    half_a_level = 0.5 / 255 / min(spec().std)
    assert seen[0][0, :, :80].abs().max() <= half_a_level
    assert seen[0][0, :, 240:].abs().max() <= half_a_level
    assert (seen[0][0, :, 80:240] > 0).all()


def test_folding_batch_normalisation_changes_nothing():
    torch.manual_seed(1)
    network = build_face_ssd().network
    network.train()
    with torch.no_grad():
        network(torch.randn(8, 3, 128, 128))  # gives the norms statistics that aren't 0 and 1
    network.eval()
    folded = fused(network)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    assert any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    image = torch.randn(1, 3, 128, 128)
    with torch.inference_mode():
        for mine, plain in zip(folded(image), network(image), strict=True):
            # the same sums in float32, rounded once less a layer
            torch.testing.assert_close(mine, plain, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("openvino", "half", "is_settled"),
    [(False, None, True), (True, None, False), (False, "bf16", False), (True, "bf16", False)],
)
def test_auto_is_undecided_while_there_is_a_choice(openvino, half, is_settled, monkeypatch):
    monkeypatch.setattr(torch_backends, "has_openvino", lambda: openvino)
    monkeypatch.setattr(torch_backends, "reduced_precision", lambda _device: half)
    monkeypatch.setattr(torch_backends, "computes_int8", lambda: False)
    engine = Executor(BrightestPixel(spec(), nn.Identity()), "cpu")
    expected = ("fp32", "torch") if is_settled else ("auto", "auto")
    assert (engine.precision, engine.backend) == expected


def test_auto_settles_on_a_precision():
    engine = Executor(BrightestPixel(spec(), nn.Conv2d(3, 3, 1)), "cpu")
    engine.warm_up((120, 160))
    assert engine.precision in {"fp32", "bf16"}
    assert engine.backend in {"torch", "openvino"}
    assert engine.device_name == "CPU"


@dataclass
class Answer:
    """Runner with a given score and speed."""

    precision: str
    score: float
    steps: int
    ticks: Iterator[int]
    backend: str = "torch"
    breaks: bool = False
    device: str = "CPU"

    def prepare(self, input_hw: tuple[int, int]) -> None:
        if self.breaks:
            raise RuntimeError("an operation isn't known")

    def load(self, bgr: np.ndarray, box: Letterbox) -> np.ndarray:
        return bgr

    def forward(self, loaded: np.ndarray) -> np.ndarray:
        for _ in range(self.steps):
            next(self.ticks)
        return np.array([[0.0, 0.0, 10.0, 10.0, self.score]], np.float32)

    def decode(self, raw: np.ndarray, input_hw: tuple[int, int]) -> np.ndarray:
        return raw


@dataclass
class Prepared(Answer):
    """Runner that notes the sizes that it was prepared for."""

    place: str = "cpu"
    clock = StageClock

    def __post_init__(self) -> None:
        self.sizes: set[tuple[int, int]] = set()

    def prepare(self, input_hw: tuple[int, int]) -> None:
        self.sizes.add(input_hw)


@pytest.mark.parametrize(
    ("score", "steps", "breaks", "taken"),
    [
        (0.9, 4, False, "bf16"),
        (0.5, 4, False, "fp32"),  # its detections differ
        (0.9, 20, False, "fp32"),  # it is slower
        (0.9, 4, True, "fp32"),  # it can't run the model
    ],
)
def test_the_fastest_runner_that_agrees_is_chosen(score, steps, breaks, taken, monkeypatch):
    ticks = iter(range(10_000))
    monkeypatch.setattr(autotune.time, "perf_counter", lambda: next(ticks))
    exact = Answer("fp32", 0.9, 10, ticks)
    rival = Answer("bf16", score, steps, ticks, breaks=breaks)
    box = Letterbox.fit((10, 10), (10, 10))
    chosen = choose_runner([exact, rival], np.zeros((10, 10, 3), np.uint8), box, 1)
    assert (chosen.runner.precision, chosen.lead) == (taken, 1)


@pytest.mark.parametrize(
    ("exact", "rivals", "is_shipped", "taken"),
    [
        ("fp32", ("bf16",), False, ("onnxruntime", "fp32")),
        ("fp32", ("bf16", "fp32"), False, ("openvino", "fp32")),
        ("int8", ("int8",), False, ("onnxruntime", "int8")),  # rounded in another way
        ("fp32", ("bf16",), True, ("openvino", "bf16")),  # evaluated in each precision
    ],
)
def test_an_image_that_shows_a_model_nothing_proves_no_precision(
    exact, rivals, is_shipped, taken, monkeypatch
):
    # a graph with NMS inside gives no row below its confidence, and one of padding is left
    monkeypatch.setattr(autotune, "candidates_of", lambda *_: np.zeros((1, 5), np.float32))
    times_s = {"onnxruntime": 2.0, "openvino": 1.0}
    monkeypatch.setattr(autotune, "_seconds", lambda runner, *_: times_s[runner.backend])
    ways = [Answer(exact, 0.9, 1, iter(()), backend="onnxruntime")]
    ways += [Answer(each, 0.9, 1, iter(()), backend="openvino") for each in rivals]
    box = Letterbox.fit((10, 10), (10, 10))
    tolerance = tolerance_for(spec(), is_file=True, is_shipped=is_shipped)
    choice = choose_runner(ways, np.zeros((10, 10, 3), np.uint8), box, 1, 0, tolerance)
    assert (choice.runner.backend, choice.runner.precision) == taken
    assert choice.lead == is_shipped, "it is measured again at a later start"


@pytest.mark.parametrize(("in_flight", "taken"), [(1, "fp32"), (3, "bf16")])
def test_a_runner_that_takes_images_in_flight_must_only_be_as_fast(in_flight, taken, monkeypatch):
    ticks = iter(range(10_000))
    monkeypatch.setattr(autotune.time, "perf_counter", lambda: next(ticks))
    exact, rival = (Answer(name, 0.9, steps, ticks) for name, steps in (("fp32", 99), ("bf16", 94)))
    rival.flights = SimpleNamespace(
        frames_in_flight=in_flight, submit=lambda images, box, *, waits: None
    )
    box = Letterbox.fit((10, 10), (10, 10))
    chosen = choose_runner([exact, rival], np.zeros((10, 10, 3), np.uint8), box, 1)
    assert chosen.runner.precision == taken


def test_one_lucky_run_on_a_busy_machine_decides_nothing(monkeypatch):
    exact, rival = (Answer(name, 0.9, 1, iter(range(100))) for name in ("fp32", "int8"))
    times_s = {  # as measured beside eight other programs
        "fp32": iter([124.1, 107.1, 130.8, 167.1, 48.7, 15.1, 78.7]),
        "int8": iter([43.8, 37.8, 37.5, 82.3, 17.8, 15.3, 65.7]),
    }
    monkeypatch.setattr(autotune, "_seconds", lambda runner, *_: next(times_s[runner.precision]))
    box = Letterbox.fit((10, 10), (10, 10))
    chosen = choose_runner([exact, rival], np.zeros((10, 10, 3), np.uint8), box, 1)
    assert chosen.runner is rival


def test_each_engine_takes_part_with_its_first_runner_that_agrees(monkeypatch):
    ticks = iter(range(10_000))
    monkeypatch.setattr(autotune.time, "perf_counter", lambda: next(ticks))
    exact = Answer("fp32", 0.9, 10, ticks)
    wrong, right, spared = (
        Answer(name, score, 4, ticks, backend="openvino")
        for name, score in (("int8", 0.5), ("bf16", 0.9), ("fp32", 0.9))
    )
    prepared: list[str] = []
    for runner in (wrong, right, spared):
        monkeypatch.setattr(
            runner, "prepare", lambda _hw, name=runner.precision: prepared.append(name)
        )
    box = Letterbox.fit((10, 10), (10, 10))
    ways = [exact, wrong, right, spared]
    assert choose_runner(ways, np.zeros((10, 10, 3), np.uint8), box, 1).runner is right
    assert prepared == ["int8", "bf16"]


def test_a_precision_that_the_processor_only_emulates_is_not_tried(monkeypatch):
    for able, expected in ((False, None), (True, "bf16")):
        monkeypatch.setattr(device, "computes_bf16", lambda able=able: able)
        assert reduced_precision(torch.device("cpu")) == expected


def rows_of(rows: list[list[float]]) -> np.ndarray:
    return np.array(rows, np.float32)


def test_agreement_covers_score_box_and_points():
    exact = rows_of([[0.0, 0.0, 10.0, 10.0, 0.9, 5.0, 5.0]])
    assert agrees(exact, exact.copy(), 1, 1)
    for column, change in ((0, 0.6), (4, 0.03), (6, 0.6)):
        moved = exact.copy()
        moved[0, column] += change
        assert not agrees(exact, moved, 1, 1)
    assert not agrees(exact, exact[:0], 1, 1)
    assert not agrees(exact[:0], exact, 1, 1)
    assert agrees(exact[:0], exact[:0], 1, 1), "nothing was found by either"
    large = rows_of([[0.0, 0.0, 200.0, 100.0, 0.9, 5.0, 5.0]])
    for change, same in ((0.9, True), (1.1, False)):  # of 200 px, 1.0
        moved = large.copy()
        moved[0, 6] += change
        assert agrees(large, moved, 1, 1) is same


BOX = [0.0, 0.0, 10.0, 10.0]
OTHER = [50.0, 50.0, 60.0, 60.0]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([[*OTHER, 0.8], [*BOX, 0.9]], True),  # near-ties may swap ranks
        ([[*BOX, 0.9], [*OTHER, 0.8], [*BOX, 0.1]], True),  # another number of candidates
        ([[*BOX, 0.9]], False),  # an object is gone
        ([[*BOX, 0.9], [50.0, 50.0, 60.0, 61.0, 0.8]], False),  # the second best moved
    ],
)
def test_each_of_the_best_candidates_must_have_a_counterpart(rows, expected):
    exact = rows_of([[*BOX, 0.9], [*OTHER, 0.8], [*OTHER, 0.02]])
    assert agrees(exact, rows_of(rows), 1) is expected


@pytest.mark.parametrize(
    ("box", "score", "of_file", "of_own"),
    [
        (BOX, 0.307, True, True),
        (BOX, 0.315, False, True),  # a file's scores must be its maker's
        ([0.0, 0.0, 10.0, 10.6], 0.3, False, True),  # all detections count, not the best alone
        (BOX, 0.2, False, True),
    ],
)
def test_all_detections_of_a_file_must_agree(box, score, of_file, of_own):
    large = [0.0, 0.0, 900.0, 600.0, 0.9]
    exact = rows_of([large, *[[*OTHER, 0.8]] * 40, [*BOX, 0.3], [*BOX, 0.1]])
    other = rows_of([large, [*OTHER, 0.8], [*box, score], [*BOX, 0.05]])
    spec = ModelSpec("m", "onnx", Task.DETECT, ("a",), (640, 640), score_threshold=0.25)
    assert agrees(exact, other, 1, 0, tolerance_for(spec, is_file=True)) is of_file
    assert agrees(exact, other, 1, 0, tolerance_for(spec, is_file=False)) is of_own


@pytest.mark.parametrize(("moved", "of_own"), [(0.9, True), (4.0, True), (4.6, False)])
def test_edges_of_large_boxes_of_a_file_move_less_than_a_pixel(moved, of_own):
    exact = rows_of([[0.0, 0.0, 900.0, 600.0, 0.9]])
    other = rows_of([[0.0, 0.0, 900.0, 600.0 + moved, 0.9]])
    spec = ModelSpec("m", "onnx", Task.DETECT, ("a",), (640, 640))
    assert not agrees(exact, other, 1, 0, tolerance_for(spec, is_file=True))
    assert agrees(exact, other, 1, 0, tolerance_for(spec, is_file=False)) is of_own


@pytest.mark.parametrize(
    ("moved", "score", "expected"), [(25.0, 0.82, True), (35.0, 0.9, False), (0.0, 0.75, False)]
)
def test_a_shipped_model_need_only_be_computed_without_a_fault(moved, score, expected):
    exact, other = (
        rows_of([[0.0, 0.0, 600.0, 600.0, 0.9]]),
        rows_of([[0.0, 0.0, 600.0, 600.0 + moved, score]]),
    )
    spec = ModelSpec("m", "onnx", Task.DETECT, ("a",), (640, 640))
    tolerance = tolerance_for(spec, is_file=True, is_shipped=True)
    assert agrees(exact, other, 1, 0, tolerance) is expected


@pytest.mark.skipif(
    not (has_openvino() and computes_int8()), reason="needs OpenVINO on a CPU with int8"
)
def test_a_shipped_model_runs_in_int8_whatever_its_first_image():
    detector = open_model("face-ssd")
    image = first_image(make_source("synthetic:1280x720"))
    assert image is not None
    engine = Executor(detector, "cpu")
    engine.infer(image)  # int8 moves a point by more than half a pixel
    assert (engine.backend, engine.precision) == ("openvino", "int8")


@pytest.mark.parametrize("scores", [(0.02, 0.01), (0.24, 0.235)])
def test_a_file_that_finds_nothing_is_compared_by_its_best(scores):
    exact = rows_of([[*BOX, scores[0]], [*OTHER, scores[0] / 3]])
    spec = ModelSpec("m", "onnx", Task.DETECT, ("a",), (640, 640), score_threshold=0.25)
    tolerance = tolerance_for(spec, is_file=True)
    assert agrees(exact, rows_of([[*BOX, scores[1]]]), 1, 0, tolerance)
    assert not agrees(exact, rows_of([[*OTHER, scores[1]]]), 1, 0, tolerance)


@pytest.mark.parametrize(
    ("x", "confidence", "expected"),
    [(5.4, 0.9, True), (5.6, 0.9, False), (5.0, 0.8, False), (30.0, 0.1, True)],
)
def test_keypoints_that_are_seen_must_agree(x, confidence, expected):
    is_seen = confidence > 0.5
    exact = rows_of([[*BOX, 0.9, 5.0, 5.0, 0.9 if is_seen else 0.1]])
    other = rows_of([[*BOX, 0.9, x, 5.0, confidence]])
    assert agrees(exact, other, 1, 1) is expected


@pytest.mark.parametrize("name", ["cuda:7", "toaster", "xpu"])
def test_an_unavailable_device_is_refused_with_advice(name):
    with pytest.raises(PipelineError, match="auto"):
        resolve_device(name)


def test_an_unavailable_engine_is_refused(monkeypatch):
    with pytest.raises(PipelineError, match="--backend auto"):
        Executor(build_face_ssd(), "cpu", backend="abacus")
    monkeypatch.setattr(torch_backends, "has_openvino", lambda: False)
    with pytest.raises(PipelineError, match="--backend auto"):
        Executor(build_face_ssd(), "cpu", backend="openvino")
    # in one precision, as a CPU with bf16 has two ways in torch alone
    assert Executor(build_face_ssd(), "cpu", "fp32").backend == "torch"


def test_a_precision_that_does_not_exist_is_refused():
    with pytest.raises(PipelineError, match="fp32"):
        Executor(build_face_ssd(), "cpu", "int3")


class SlowNetwork(nn.Module):
    """A network whose part says that a frame takes seconds; it notes its runs, in copies too."""

    def __init__(self, runs: list[int]) -> None:
        super().__init__()
        self.part = nn.Identity()
        self.part.takes_seconds = True  # type: ignore[assignment]
        self._note = runs.append

    def forward(self, images: Tensor) -> Tensor:
        self._note(1)
        return images


def test_a_model_that_takes_seconds_is_neither_warmed_up_nor_measured():
    runs: list[int] = []
    engine = Executor(BrightestPixel(spec(), SlowNetwork(runs)), "cpu")
    assert engine.takes_seconds
    engine.warm_up((240, 320))
    assert len(runs) == 0
    engine.infer(np.zeros((240, 320, 3), np.uint8))
    assert len(runs) == 1
    assert engine.backend == "torch"


def test_other_models_do_not_take_seconds():
    assert not Executor(BrightestPixel(spec(), nn.Identity()), "cpu", "fp32").takes_seconds


def test_what_was_compiled_to_choose_is_freed(monkeypatch):
    ticks, made = iter(range(10_000)), list[list[weakref.ref[Prepared]]]()

    def make(*_: object) -> list[Prepared]:
        runners = [Prepared(name, 0.9, 9, ticks) for name in ("fp32", "bf16")]
        made.append([weakref.ref(each) for each in runners])
        return runners

    monkeypatch.setattr(executor, "make_runners", make)
    monkeypatch.setattr(choosing, "share_of_cores", lambda: 1.0)
    monkeypatch.setattr(choosing, "choose_runner", lambda runners, *_: Choice(runners[-1]))
    detector = BrightestPixel(spec(keypoint_names=(), stride=32), nn.Conv2d(3, 3, 1))
    for is_remembered in (False, True):
        made.clear()
        engine = Executor(detector, "cpu")
        engine.warm_up((180, 320))  # the image that is chosen on has another shape
        kept = [runner for runners in made for each in runners if (runner := each()) is not None]
        assert [(each.precision, each.sizes) for each in kept] == [("bf16", {(192, 320)})]
        assert len(made) == (1 if is_remembered else 2)
        assert engine.choices == [("torch", "fp32"), ("torch", "bf16")]


def test_executor_is_freed_with_its_last_reference():
    engine = Executor(build_face_ssd(), "cpu", "fp32", "torch")
    engine.infer(np.zeros((48, 64, 3), np.uint8))
    freed = weakref.ref(engine)
    gc.disable()  # a collector would free it late, on any thread
    try:
        del engine
        assert freed() is None
    finally:
        gc.enable()
