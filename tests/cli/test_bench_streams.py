"""``kpviewer bench --streams`` with a few frames: the output, not the speed."""

import json

import pytest
from click.testing import CliRunner
from fakes import FAKE_SPEC, FakeSource, FakeTimings

from kpviewer.benchmarking.streams import cameras
from kpviewer.cli.main import main
from kpviewer.sources.synthetic.simulated_camera import SimulatedCamera
from kpviewer.structures import Candidates, ImageArray


class InstantExecutor:
    """Executor without a network, which finds nothing."""

    spec, device_name, backend, precision = FAKE_SPEC, "CPU", "torch", "fp32"

    def __init__(self, *_options: object) -> None:
        pass

    def warm_up(self, source_hw: tuple[int, int]) -> None:
        assert source_hw == (480, 640)

    def infer(self, bgr: ImageArray) -> tuple[Candidates, FakeTimings]:
        return Candidates.empty(), FakeTimings()


def fast_cameras(count: int) -> list[SimulatedCamera]:
    return [SimulatedCamera(FakeSource(100, fps=200.0)) for _ in range(count)]


def test_json_has_a_row_for_each_number_of_streams(monkeypatch):
    monkeypatch.setattr("kpviewer.benchmarking.streams.Executor", InstantExecutor)
    monkeypatch.setattr("kpviewer.benchmarking.streams.open_model", lambda name: name)
    monkeypatch.setattr("kpviewer.benchmarking.streams.cameras", fast_cameras)
    args = ["bench", "--streams", "1, 3", "--frames", "2", "--json", "-"]
    result = CliRunner().invoke(main, args)
    assert result.exit_code == 0, result.output
    values = json.loads(result.stdout)
    assert (values["model"], values["backend"], values["frames"]) == ("fake", "torch", 2)
    assert [row["streams"] for row in values["rows"]] == [1, 3]
    for row in values["rows"]:
        for key in ("fps_by_stream", "p50_ms_by_stream", "p95_ms_by_stream"):
            assert len(row[key]) == row["streams"]
        assert row["fps"] == pytest.approx(sum(row["fps_by_stream"]))
        assert row["fairness"] == max(row["fps_by_stream"]) / min(row["fps_by_stream"])
        assert 0 <= row["dropped"] < 1
    lines = result.stderr.splitlines()
    assert any(line.startswith("fake on CPU, torch fp32; simulated") for line in lines)
    assert {line.split()[0] for line in lines if line} >= {"streams", "1", "3"}


@pytest.mark.parametrize("counts", ["0", "1,", "1;2", "65", "-1", "two"])
def test_numbers_of_streams_that_cannot_be_are_refused(counts):
    result = CliRunner().invoke(main, ["bench", "--streams", counts])
    assert result.exit_code == 2
    assert "--streams takes numbers of streams from 1 to 64" in result.stderr


def test_options_that_choose_a_source_are_refused():
    result = CliRunner().invoke(main, ["bench", "--streams", "1", "--source", "demo"])
    assert result.exit_code == 2
    assert "leave out --source" in result.stderr


def test_cameras_are_live_and_of_vga_size():
    sources = cameras(3)
    infos = [source.open() for source in sources]
    assert all(info.is_live and (info.width, info.height) == (640, 480) for info in infos)
    for source in sources:
        source.close()
