"""The window in use for a long time: memory, descriptors and threads stay constant.

``soak.py`` works it. The usual suite runs 24 laps with fake models, less than a minute; ``pytest -m
soak`` runs half an hour, with shipped ones, a part of it at a user's pace.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from gui.soak import WARM_UP_LAPS, WARM_UP_MINUTES

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc"),
    pytest.mark.timeout(3600),
]
SOAK = Path(__file__).with_name("soak.py")


def readings(*arguments: str) -> list[dict[str, float]]:
    """Run laps or minutes in a fresh process; return what was read after each."""
    run = subprocess.run(
        [sys.executable, str(SOAK), *arguments],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, SOAK.parents[1:3])),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return [json.loads(line) for line in run.stdout.splitlines()]


def growth(laps: list[dict[str, float]]) -> dict[str, float]:
    """Return how much memory grew a lap, by figure; descriptors and threads didn't."""
    assert len({each["descriptors"] for each in laps}) == 1
    assert len({each["threads"] for each in laps}) == 1
    return {name: rise_of_the_floor([each[name] for each in laps]) for name in laps[0]}


def rise_of_the_floor(memory: list[float]) -> float:
    """Return how much the least of the later half lies above that of the earlier, per lap.

    Memory goes up and down by some MB as heaps are filled and trimmed; what is kept raises the
    floor of that.
    """
    half = len(memory) // 2
    return (min(memory[half:]) - min(memory[:half])) / half


def test_the_floor_rises_by_what_is_kept_and_not_by_what_comes_and_goes():
    saw = [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 4]
    assert rise_of_the_floor([200.0 + each for each in saw]) == 0
    assert rise_of_the_floor([200.0 + each + i for i, each in enumerate(saw)]) >= 1


def test_laps_of_work_leave_nothing_behind():
    grown = growth(readings("24")[WARM_UP_LAPS:])
    assert grown["memory_mb"] < 0.15  # up to 0.03 was measured
    assert grown["used_mb"] < 0.1  # 0.02 was measured
    assert grown["blocks"] < 100  # 45 were measured


@pytest.mark.soak
def test_long_work_with_shipped_models_keeps_little():
    # -0.09 and 0.21 MB a lap were measured
    assert growth(readings("70", "--shipped")[WARM_UP_LAPS:])["memory_mb"] < 0.4


@pytest.mark.soak
def test_memory_at_rest_is_the_same_each_minute():
    minutes = readings("12", "--paced")[WARM_UP_MINUTES:]
    used = [each["used_mb"] for each in minutes]
    # a graph for images in flight may come and go: 34 MB
    assert max(used) - min(used) < 40
    assert growth(minutes)["blocks"] < 3000
