"""The window in use for a long time: memory, descriptors and threads stay constant.

``soak.py`` works it. The usual suite runs 24 laps with fake models, less than a minute; ``pytest -m
soak`` runs ten minutes or more, with shipped ones.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from gui.soak import WARM_UP_LAPS

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc"),
    pytest.mark.timeout(3600),
]
SOAK = Path(__file__).with_name("soak.py")


def growth_a_lap(*arguments: str) -> dict[str, float]:
    """Run laps in a fresh process; return how its memory grew after the first ones, by figure."""
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
    laps = [json.loads(line) for line in run.stdout.splitlines()][WARM_UP_LAPS:]
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
    growth = growth_a_lap("24")
    assert growth["memory_mb"] < 0.6
    assert growth["used_mb"] < 0.1  # 0.02 was measured
    assert growth["blocks"] < 100  # 45 were measured


@pytest.mark.soak
def test_long_work_with_shipped_models_keeps_little():
    # 0.14 MB a lap was measured over 110 laps
    assert growth_a_lap("70", "--shipped")["memory_mb"] < 0.4
