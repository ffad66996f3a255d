"""No work of the window's thread takes so long that a person feels it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BLOCKS = Path(__file__).with_name("blocks.py")
LONGEST_MS = 50.0


@pytest.mark.slow
def test_the_window_answers_while_it_plays_seeks_swaps_models_and_scans():
    run = subprocess.run(
        [sys.executable, str(BLOCKS)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, BLOCKS.parents[1:3]))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    steps = [json.loads(line) for line in run.stdout.splitlines()]
    assert {each["step"] for each in steps} >= {"begin", "seek", "swap", "confidence", "scan"}
    assert [each for each in steps if each["longest_ms"] > LONGEST_MS] == []
