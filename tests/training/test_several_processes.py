"""``torchrun``: two processes over gloo train like one with twice the batch."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from training.two_processes import STOP, curve

LAUNCHER = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def torchrun(*arguments: str) -> str:
    """Run two processes; return their output."""
    done = subprocess.run(
        [*LAUNCHER, *arguments], capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(autouse=True)
def one_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    if sys.platform == "linux":  # the machine's name may have no address
        monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")


@pytest.mark.slow
@pytest.mark.timeout(250)
def test_two_processes_take_the_steps_of_one_with_twice_the_batch(tmp_path: Path) -> None:
    torchrun(str(Path(__file__).with_name("two_processes.py")), str(tmp_path / "losses.json"))
    both = json.loads((tmp_path / "losses.json").read_text(encoding="utf-8"))
    alone = curve(processes=1)
    assert len(both) == len(alone) == STOP
    assert alone[-1][0] < 0.9 * alone[0][0]
    # the same images in another order of summing: float32, over ten steps of Adam
    for first, second in zip(both, alone, strict=True):
        assert first == pytest.approx(second, rel=1e-4)


@pytest.mark.slow
@pytest.mark.timeout(250)
def test_the_command_trains_in_two_processes(tmp_path: Path) -> None:
    """That they train like one is the other test's; a run of the command writes one log."""
    settings = [
        "steps=32", "batch=4", "workers=0", "inputs=[[96, 192]]", "log_every=8", "warmup_steps=6",
    ]  # fmt: skip
    arguments = ["-m", "kpviewer", "train", "strip-grid", "--data", "demo"]
    for setting in settings:
        arguments += ["--set", setting]
    said = torchrun(*arguments, "--out", str(tmp_path))
    assert said.count("Weights written") == 1
    losses = class_losses(tmp_path / "log.csv")
    assert len(losses) == 4
    assert losses[-1] < 0.6 * losses[0]


def class_losses(path: Path) -> list[float]:
    with path.open(newline="", encoding="utf-8") as file:
        return [float(row["classes"]) for row in csv.DictReader(file)]
