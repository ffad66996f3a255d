"""The benchmark of the GPU path goes through its steps where there is no GPU."""

import importlib.util
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "gpu.py"


@pytest.mark.slow
def test_every_step_runs_on_the_cpu(tmp_path):
    spec = importlib.util.spec_from_file_location("gpu_benchmark", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    report = tmp_path / "gpu.json"
    given = ["--device", "cpu", "--models", "face-points", "--json", str(report)]
    result = CliRunner().invoke(module.main, given)
    assert result.exit_code == 0, result.output
    figures = json.loads(report.read_text("utf-8"))
    compared = figures["Against the CPU"]
    assert {row["images alike"] for row in compared} == {"1 of 1"}
    assert set(figures) > {"Uploads", "Ways to run a model", "Batches", "Streams"}
