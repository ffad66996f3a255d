"""``kpviewer models``: the lists of models, layouts and backends."""

import json

from click.testing import CliRunner

from kpviewer.cli import models
from kpviewer.models.libraries import inference as inference_libraries
from kpviewer.models.libraries.inference import BACKENDS


def run(*words: str) -> str:
    result = CliRunner().invoke(models.command, words)
    assert result.exit_code == 0, result.output
    return result.output


def test_backends_are_listed_with_what_is_installed(monkeypatch):
    there = {"torch", "onnxruntime"}
    monkeypatch.setattr(
        inference_libraries.importlib.util,
        "find_spec",
        lambda name: object() if name in there else None,
    )
    assert json.loads(run("--backends", "--json")) == {name: name in there for name in BACKENDS}
    lines = run("--backends").splitlines()
    assert [line.split()[0] for line in lines[: len(BACKENDS)]] == list(BACKENDS)
    assert lines[0].endswith("(installed)")
    assert lines[1].endswith("(pip install openvino)")
    assert "--backends all" in lines[-1]


def test_two_lists_at_once_are_refused():
    result = CliRunner().invoke(models.command, ["--backends", "--layouts"])
    assert result.exit_code == 2
    assert "Ask for one" in result.output
