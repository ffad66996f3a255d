"""Settings of the loop: accumulation, precision, epochs, memory, interruption, TensorBoard."""

import copy
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn
from training.lines import LineObjective

from kpviewer.cli.train import command
from kpviewer.errors import PipelineError, RecordingError, WeightsError
from kpviewer.models.weights import load_model
from kpviewer.training import run
from kpviewer.training.board import FOLDER
from kpviewer.training.config import SCHEDULES, TrainConfig, load_config
from kpviewer.training.families.registry import make_objective
from kpviewer.training.loop import StepReport, Trainer, read_checkpoint, save_checkpoint
from kpviewer.training.progress import Progress
from kpviewer.training.run import train
from kpviewer.training.schedule import with_steps
from kpviewer.training.updates import Precision


def small(**changes: Any) -> TrainConfig:
    base = {"steps": 6, "batch": 4, "inputs": (8,), "input_shares": (1.0,), "workers": 0}
    return TrainConfig(**{**base, "warmup_steps": 2, "save_every": 3, **changes})


def steps_of(objective: LineObjective, **changes: Any) -> list[StepReport]:
    reports: list[StepReport] = []
    Trainer(objective, small(**changes)).run(reports.append)
    return reports


def test_batches_that_are_accumulated_are_one_larger_batch():
    at_once = steps_of(LineObjective(), batch=8)
    in_parts = steps_of(LineObjective(), batch=2, accumulate=4)
    for one, other in zip(at_once, in_parts, strict=True):
        assert one.losses == pytest.approx(
            other.losses, rel=1e-4
        )  # float32, summed in another order
    assert at_once[-1].losses != pytest.approx(steps_of(LineObjective(), batch=2)[-1].losses)


def test_phases_count_steps_and_not_batches():
    objective = LineObjective()
    steps_of(objective, steps=3, accumulate=2)
    assert objective.steps == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_resumed_run_is_exact_for_every_schedule(schedule):
    def start() -> Trainer:
        return Trainer(LineObjective(), small(schedule=schedule, accumulate=2))

    whole, first, second = start(), start(), start()
    reports: list[StepReport] = []
    whole.run(reports.append)
    states: list[dict[str, Any]] = []

    def stop() -> bool:
        states.append(copy.deepcopy(first.state()))
        return True

    first.run(lambda _: None, stop)
    second.resume(states[0])
    resumed: list[StepReport] = []
    second.run(resumed.append)
    assert resumed == reports[3:]
    for name, value in whole.averaged.state_dict().items():
        assert torch.equal(second.averaged.state_dict()[name], value), name


def test_checkpoints_without_a_precision_are_read():
    states: list[dict[str, Any]] = []
    reports: list[StepReport] = []
    first = Trainer(LineObjective(), small())

    def keep() -> bool:
        states.append(copy.deepcopy(first.state()))
        return False

    first.run(reports.append, keep)
    del states[0]["precision"]
    resumed: list[StepReport] = []
    second = Trainer(LineObjective(), small())
    second.resume(states[0])
    second.run(resumed.append)
    assert resumed == reports[3:]


def test_bf16_computes_in_less_and_keeps_weights_in_fp32():
    types: list[torch.dtype] = []

    class Watched(LineObjective):
        def losses(self, network: nn.Module, batch: Any, images: Tensor) -> tuple[Tensor, Tensor]:
            types.append(network(images).dtype)
            return super().losses(network, batch, images)

    objective = Watched()
    reports = steps_of(objective, precision="bf16")
    assert set(types) == {torch.bfloat16}
    assert {p.dtype for p in objective.detector.network.parameters()} == {torch.float32}
    full = steps_of(LineObjective())
    for less, exact in zip(reports, full, strict=True):  # bf16 has 8 bits of precision
        assert less.losses == pytest.approx(exact.losses, rel=0.1)
        assert less.losses != exact.losses


def test_fp16_without_cuda_is_refused_with_the_cure():
    with pytest.raises(PipelineError, match="bf16"):
        Trainer(LineObjective(), small(precision="fp16"))


def test_gradients_are_clipped_to_a_norm_and_a_scale_of_fp16_is_ignored():
    plain = Precision("fp32", torch.device("cpu"))
    plain.resume({"scale": 2.0})  # a run that continues in fp32 after fp16
    assert plain.state() == {}
    weight = torch.ones(2, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=1.0)
    plain.backward((weight * torch.tensor([3.0, 4.0])).sum())
    plain.step(optimizer, [weight], clip_norm=1.0)
    assert weight.tolist() == pytest.approx([1 - 0.6, 1 - 0.8], abs=1e-5)  # a norm of 5, cut to 1


def test_epochs_are_steps_over_the_data():
    objective = LineObjective()  # of ten samples
    config = small(epochs=3, batch=4, accumulate=2, warmup_steps=300, steps=77)
    assert with_steps(config, objective).steps == 4  # 30 samples, 8 a step
    assert with_steps(config, objective, processes=2).steps == 2
    long = with_steps(replace(config, epochs=1000), objective)
    assert (long.steps, long.warmup_steps) == (1250, 125)
    assert with_steps(replace(config, epochs=0), objective).steps == 77


def test_families_have_the_number_of_steps_of_the_epochs(tmp_path, monkeypatch):
    steps: list[int] = []

    def build(config: TrainConfig, _: Sequence[str]) -> LineObjective:
        steps.append(config.steps)
        if len(steps) == 2:
            raise KeyboardInterrupt
        return LineObjective()

    monkeypatch.setattr(run, "make_objective", build)
    with pytest.raises(KeyboardInterrupt):
        train(small(steps=77, epochs=2), ["demo"], tmp_path)
    assert steps == [77, 5]


class Greedy(LineObjective):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def losses(self, network: nn.Module, batch: Any, images: Tensor) -> tuple[Tensor, Tensor]:
        raise self._error


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        MemoryError("Unable to allocate 3 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried ..."),
    ],
)
def test_too_little_memory_says_which_setting_to_lower(error):
    with pytest.raises(PipelineError, match=r"batch=2 --set accumulate=2.*inputs"):
        steps_of(Greedy(error))


def test_torch_s_message_without_memory_is_recognised():
    with pytest.raises(PipelineError, match="accumulate"):
        steps_of(Hungry())


class Hungry(LineObjective):
    def losses(self, network: nn.Module, batch: Any, images: Tensor) -> tuple[Tensor, Tensor]:
        return torch.empty(1 << 60).sum(), images.sum()


def test_a_killed_worker_says_which_setting_to_lower():
    error = RuntimeError("DataLoader worker (pid 24089) is killed by signal: Killed. ")
    with pytest.raises(PipelineError, match=r"was killed; .*--set workers=0.*--shm-size"):
        steps_of(Greedy(error))


def test_other_errors_are_passed_on():
    with pytest.raises(RuntimeError, match="shape"):
        steps_of(Greedy(RuntimeError("shape mismatch")))


def quick(out: Path, *changes: str) -> list[str]:
    arguments = ["strip-grid", "--data", "demo", "--out", str(out)]
    for change in ("steps=4", "batch=2", "inputs=[96]", "workers=0", "save_every=2", *changes):
        arguments += ["--set", change]
    return arguments


def test_ctrl_c_saves_and_says_so_before_it_ends(tmp_path, monkeypatch, capsys):
    def interrupt(_: Progress, step: StepReport) -> None:
        if step.step == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "report", interrupt)
    config = load_config("strip-grid", ["steps=4", "batch=2", "inputs=[96]", "workers=0"])
    with pytest.raises(KeyboardInterrupt):
        train(config, ["demo"], tmp_path)
    said = "".join(capsys.readouterr())
    assert f"Saved at step 3 in {tmp_path}. --resume continues." in said
    assert read_checkpoint(tmp_path / "last.pt")["step"] == 3
    assert load_model(tmp_path / "strip-grid.safetensors").spec.name == "strip-grid"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_a_full_disk_is_said_and_keeps_the_checkpoint_before(tmp_path):
    path, trainer = tmp_path / "last.pt", Trainer(LineObjective(), small())
    save_checkpoint(trainer, path, {})
    (tmp_path / "last.part").symlink_to("/dev/full")
    with pytest.raises(RecordingError, match=r"step 0 can't be written to .*last\.pt\. Make room"):
        save_checkpoint(trainer, path, {})
    assert read_checkpoint(path)["step"] == 0
    assert list(tmp_path.iterdir()) == [path]  # what was written in part takes no room


def test_a_folder_whose_name_is_not_utf8_holds_a_run(tmp_path):
    out = tmp_path / os.fsdecode(b"run\xff")
    try:
        out.mkdir()
    except OSError:
        pytest.skip("the file system takes UTF-8 alone")
    config = load_config("strip-grid", ["steps=1", "batch=2", "inputs=[96]", "workers=0"])
    assert train(config, ["demo"], out).exists()
    assert read_checkpoint(out / "last.pt")["step"] == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_workers_that_are_ended_with_the_group_are_no_error():
    config = load_config("strip-grid", ["steps=9", "batch=1", "inputs=[96]", "workers=1"])

    def end(_: StepReport) -> None:
        (worker,) = multiprocessing.active_children()
        subprocess.run(["kill", str(worker.pid)], check=True)  # torch forgives the parent alone
        os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)  # torch's handler reaps it
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Trainer(make_objective(config, ["demo"]), config).run(end)


def test_the_log_of_an_interrupted_run_has_each_step_once(tmp_path):
    config = small(steps=100, log_every=10)
    for begin, end in ((0, 70), (40, 100)):
        with Progress(config, ("loss",), tmp_path, begin) as progress:
            for step in range(begin + 1, end + 1):
                progress.report(StepReport(step, 1e-3, (0.5,)))
    steps = [line.split(",")[0] for line in (tmp_path / "log.csv").read_text().split()[1:]]
    assert steps == [str(step) for step in range(10, 101, 10)]


def test_a_run_shorter_than_the_log_interval_has_a_line_and_a_plot(tmp_path):
    with Progress(small(steps=3, log_every=10), ("loss",), tmp_path, 0) as progress:
        for step in range(1, 4):
            progress.report(StepReport(step, 1e-3, (0.5,)))
        progress.plot()
    assert (tmp_path / "log.csv").read_text().split()[1:] == ["3,0.001,0.5000"]
    assert (tmp_path / "progress.png").exists()


def test_workers_end_with_their_leg_even_if_its_stack_frame_lives():
    config = load_config(
        "strip-grid", ["steps=2", "save_every=1", "batch=1", "inputs=[96]", "workers=1"]
    )
    frames, workers = [], []

    def checkpoint() -> bool:
        workers.append(len(multiprocessing.active_children()))
        return False

    trainer = Trainer(make_objective(config, ["demo"]), config)
    trainer.run(lambda _: frames.append(sys._getframe()), checkpoint)  # noqa: SLF001
    assert workers == [0, 0]


def test_a_checkpoint_of_another_model_is_refused_with_the_cure(tmp_path):
    changes = ["steps=1", "batch=2", "inputs=[96]", "workers=0"]
    train(load_config("strip-grid", changes), ["demo"], tmp_path)
    other = load_config("strip-grid", [*changes, "model=strip-grid-single"])
    state = read_checkpoint(tmp_path / "last.pt")
    with pytest.raises(RecordingError, match="holds a run"):
        train(other, ["demo"], tmp_path)  # it would replace these weights
    train(other, ["demo"], tmp_path, resume=True)  # the same network, decoded in another way
    name = next(iter(state["network"]))
    state["network"][name] = state["network"][name][:1]
    torch.save(state, tmp_path / "last.pt")
    with pytest.raises(WeightsError, match="Give another folder"):
        train(other, ["demo"], tmp_path, resume=True)


def test_a_used_folder_is_refused_before_the_data_are_read(tmp_path):
    (tmp_path / "last.pt").touch()
    arguments = ["strip-grid", "--data", "coco:nowhere.json", "--out", str(tmp_path)]
    result = CliRunner().invoke(command, arguments)
    assert isinstance(result.exception, RecordingError)
    assert "holds a run" in str(result.exception)
    result = CliRunner().invoke(command, [*arguments[:-1], str(tmp_path / "new"), "--resume"])
    assert isinstance(result.exception, WeightsError)
    assert "Nothing to resume" in str(result.exception)


def test_weights_without_a_checkpoint_are_not_replaced(tmp_path):
    config = load_config("strip-grid", ["steps=1", "batch=2", "inputs=[96]", "workers=0"])
    weights = train(config, ["demo"], tmp_path)
    before = weights.read_bytes()
    (tmp_path / "last.pt").unlink()
    with pytest.raises(RecordingError, match="would replace it"):
        train(config, ["demo"], tmp_path)
    assert weights.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows locks no folders")
def test_two_runs_in_one_folder_are_refused(tmp_path):
    changes = ["steps=1", "batch=2", "inputs=[96]", "workers=0"]
    config, refused = load_config("strip-grid", changes), []

    def second(_detector: object) -> None:
        (tmp_path / "last.pt").unlink()  # as before the first checkpoint
        with pytest.raises(RecordingError, match="Another training writes"):
            train(config, ["demo"], tmp_path)
        refused.append(True)

    train(config, ["demo"], tmp_path, show=second)
    assert refused == [True]


def test_a_run_continues_only_with_its_own_classes(tmp_path):
    changes = ["steps=1", "batch=2", "inputs=[96]", "workers=0"]
    config = load_config("strip-grid", changes)
    train(config, ["demo"], tmp_path)
    state = read_checkpoint(tmp_path / "last.pt")
    torch.save({**state, "names": state["names"][::-1]}, tmp_path / "last.pt")
    with pytest.raises(WeightsError, match="same names in the same order"):
        train(config, ["demo"], tmp_path, resume=True)
    del state["names"]  # of an older version
    torch.save(state, tmp_path / "last.pt")
    train(config, ["demo"], tmp_path, resume=True)


def test_a_run_that_continues_otherwise_says_so(tmp_path, capsys):
    changes = ["steps=1", "batch=2", "inputs=[96]", "workers=0"]
    train(load_config("strip-grid", changes), ["demo"], tmp_path)
    capsys.readouterr()
    train(load_config("strip-grid", [*changes, "steps=2"]), ["demo"], tmp_path, resume=True)
    assert "Continues with other settings: steps = 2 (was 1).\n" in capsys.readouterr().out
    other = [*changes, "steps=2", "batch=1", "inputs=[[96, 128]]", "images.scale=0.2"]
    train(load_config("strip-grid", other), ["demo"], tmp_path, resume=True)
    said = capsys.readouterr().out
    assert "batch = 1 (was 2), images.scale = 0.2 (was not set), inputs = [[96, 128]]" in said
    assert "All 2 steps were done before." in said
    train(load_config("strip-grid", other), ["demo"], tmp_path, resume=True)
    assert "settings" not in capsys.readouterr().out
    train(load_config("strip-grid", other), ["demo"], tmp_path, resume=True, val_spec="voc:b")
    assert 'Continues with other settings: val = "voc:b" (was null)' in capsys.readouterr().out


def test_patience_without_scores_is_refused(tmp_path):
    arguments = ["strip-grid", "--data", "demo", "--set", "patience=2", "--out", str(tmp_path)]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert "--val" in result.output


def test_tensorboard_has_the_numbers_of_the_log(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import (  # noqa: PLC0415
        EventAccumulator,
    )

    config = small(steps=4, log_every=2, tensorboard=True)
    with Progress(config, ("square",), tmp_path, 0) as progress:
        for step in range(1, 5):
            progress.report(StepReport(step, 1e-3, (2.0,)))
        progress.add_scores(4, {"AP": 0.25})
    events = EventAccumulator(str(tmp_path / FOLDER))
    events.Reload()
    assert {(e.step, e.value) for e in events.Scalars("loss/square")} == {(2, 2.0), (4, 2.0)}
    assert [e.value for e in events.Scalars("run/learning_rate")] == pytest.approx([1e-3] * 2)
    assert [(e.step, e.value) for e in events.Scalars("score/AP")] == [(4, 0.25)]


@pytest.fixture
def without_tensorboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in sys.modules if name.startswith("torch.utils.tensorboard")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    yield


@pytest.mark.usefixtures("without_tensorboard")
def test_tensorboard_is_left_out_if_it_is_not_installed(tmp_path):
    with Progress(small(), ("square",), tmp_path, 0):
        assert not (tmp_path / FOLDER).exists()
    with pytest.raises(PipelineError, match=r"pip install kpviewer\[tensorboard\]"):
        Progress(small(tensorboard=True), ("square",), tmp_path, 0)


@pytest.mark.slow
@pytest.mark.timeout(250)
def test_the_strip_demo_trains_for_one_and_a_half_epochs(tmp_path):
    arguments = ["strip-grid", "--data", "demo", "--set", "epochs=1.5", "--out", str(tmp_path)]
    arguments += ["--set", "log_every=10", "--set", "inputs=[128]"]  # a seventh of the work
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    assert read_checkpoint(tmp_path / "last.pt")["step"] == 94  # 1.5 x 500 scenes, 8 a step
    losses = np.loadtxt(tmp_path / "log.csv", delimiter=",", skiprows=1)[:, 2:].sum(1)
    assert losses[-1] < 0.5 * losses[0]
    assert load_model(tmp_path / "strip-grid.safetensors").spec.class_names
