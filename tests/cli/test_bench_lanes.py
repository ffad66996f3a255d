"""``kpviewer bench --lanes`` with a few frames: the output, not the speed."""

import json
from functools import partial

import numpy as np
import pytest
from click.testing import CliRunner

from kpviewer.benchmarking import lanes
from kpviewer.benchmarking.lanes import LanesPlan, simulated
from kpviewer.cli.main import main
from kpviewer.scanning.selection import survivors
from kpviewer.structures import Thresholds

TIMES = {"p50", "p95"}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = partial(
        LanesPlan, frames=(30, 300), candidates=(4, 8), repeats=2, hour_frames=500, hour_parts=2
    )
    monkeypatch.setattr(lanes, "LanesPlan", plan)


@pytest.mark.usefixtures("small")
def test_json_has_a_row_for_each_size_and_the_parts_of_the_hour():
    result = CliRunner().invoke(main, ["bench", "--lanes", "--json", "-"])
    assert result.exit_code == 0, result.output
    values = json.loads(result.stdout)
    sizes = [(row["frames"], row["candidates"]) for row in values["rows"]]
    assert sizes == [(30, 4), (30, 8), (300, 4), (300, 8)]
    for row in values["rows"]:
        for key in ("confidence_ms", "iou_ms", "chunk_ms", "scores_ms"):
            assert set(row[key]) == TIMES
        # box 16, 5 points 40, entry 16; frame 32 among its candidates, and one start of 8
        whole = row["frames"] * row["candidates"] * 72 + row["frames"] * 32 + 8
        assert row["bytes_a_candidate"] * row["frames"] * row["candidates"] == whole
    parts = values["hour"]["parts"]
    assert [part["frames"] for part in parts] == [250, 500]
    assert parts[1]["kept_mib"] == pytest.approx(2 * parts[0]["kept_mib"], rel=0.01)
    assert all(part["working_mib"] > 0 for part in parts)


@pytest.mark.usefixtures("small")
def test_the_table_has_a_line_for_each_size():
    lines = CliRunner().invoke(main, ["bench", "--lanes"]).stdout.splitlines()
    starts = [line.split()[:2] for line in lines]
    for frames in ("30", "300"):
        assert [frames, "4"] in starts
    assert any(line.startswith("A scan of 500 frames with 20 candidates each") for line in lines)
    assert [start[0] for start in starts[-2:]] == ["250", "500"]


def test_options_that_choose_a_model_are_refused():
    result = CliRunner().invoke(main, ["bench", "--lanes", "--model", "x.onnx", "--json", "-"])
    assert result.exit_code == 2
    assert "leave out --model" in result.stderr


def test_simulated_objects_are_found_and_survive_once_or_more():
    columns, truth = simulated(np.random.default_rng(0), 7, 20, 12)
    columns.check_values()
    assert columns.frame_index.tolist() == truth.frame_index.tolist() == list(range(7, 27))
    kept = survivors(columns, Thresholds(iou=0.2))
    per_frame = np.diff(kept.starts)
    assert 1 <= per_frame.min() <= per_frame.max() <= 6
