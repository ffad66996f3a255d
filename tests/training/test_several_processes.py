"""``torchrun``: two processes over gloo train like one with twice the batch, and as a command."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from training.two_processes import STOP, curve

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
PROGRAM = str(Path(__file__).with_name("two_processes.py"))
SETTINGS = (
    "steps=32", "batch=4", "workers=0", "inputs=[[96, 192]]", "log_every=8", "warmup_steps=6",
)  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Run two processes; return the folder with losses.json and log.csv, and the output."""
    folder = tmp_path_factory.mktemp("run")
    command = ["train", "strip-grid", "--data", "demo", "--out", str(folder)]
    for setting in SETTINGS:
        command += ["--set", setting]
    env = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[1])}
    if sys.platform == "linux":  # the machine's name may have no address
        env["GLOO_SOCKET_IFNAME"] = "lo"
    done = subprocess.run(
        [sys.executable, PROGRAM, str(folder / "losses.json"), *command],
        env=env, capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return folder, done.stdout


def test_two_processes_take_the_steps_of_one_with_twice_the_batch(run):
    both = json.loads((run[0] / "losses.json").read_text(encoding="utf-8"))
    alone = curve(processes=1)
    assert len(both) == len(alone) == STOP
    assert alone[-1][0] < 0.9 * alone[0][0]
    # the same images in another order of summing: float32, over ten steps of Adam
    for first, second in zip(both, alone, strict=True):
        assert first == pytest.approx(second, rel=1e-4)


def test_the_command_trains_in_two_processes(run):
    """That they train like one is the other test's; a run of the command writes one log."""
    folder, said = run
    assert said.count("Weights written") == 1
    losses = class_losses(folder / "log.csv")
    assert len(losses) == 4
    assert losses[-1] < 0.6 * losses[0]


def class_losses(path: Path) -> list[float]:
    with path.open(newline="", encoding="utf-8") as file:
        return [float(row["classes"]) for row in csv.DictReader(file)]
