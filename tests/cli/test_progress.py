"""Progress for the program that runs a command."""

import io
import json

import pytest

from kpviewer.cli.process_console import ProgressLines
from kpviewer.system.interrupts import Interrupted


def test_lines_come_four_times_a_second():
    stream, now = io.StringIO(), [10.0]
    progress = ProgressLines(stream, lambda: now[0])
    for now_s, frames in ((10.0, 0), (10.1, 7), (10.25, 20), (10.3, 21)):
        now[0] = now_s
        progress.report(frames, 90)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert lines == [{"frames": 0, "total": 90}, {"frames": 20, "total": 90}]


class ClosedStream(io.StringIO):
    def write(self, _text: str) -> int:
        raise BrokenPipeError


def test_a_job_ends_with_the_program_that_ran_it():
    with pytest.raises(Interrupted):
        ProgressLines(ClosedStream()).report(1, None)
