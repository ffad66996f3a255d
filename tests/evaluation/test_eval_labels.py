"""``kpviewer eval`` with a multi-label model: scores, table, page."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from training.coloured_blocks import BLOCK_COLOURS, BLOCK_NAMES, write_blocks

from kpviewer.cli.main import main
from kpviewer.evaluation.kinds.multilabel import SWEEP_CSV, SWEEP_PNG, LabelTable, decision_errors
from kpviewer.evaluation.page import PAGE
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.structures import Candidates


class ColourEngine:
    """Model that scores the colours of an image with 0.9, others with 0.1, but red with 0.4."""

    spec = ModelSpec("colours", "multilabel-light", Task.CLASSIFY, BLOCK_NAMES, (64, 64))
    device_name = "paper"
    backend = "torch"
    precision = "fp32"

    def infer(self, bgr):
        there = [(bgr[..., ::-1] == rgb).all(-1).any() for rgb in BLOCK_COLOURS.values()]
        scores = np.where(there, np.array([0.9, 0.9, 0.4]), 0.1).astype(np.float32)
        box = np.array([[0, 0, 64, 64]], np.float32)
        return Candidates(box, scores[None], np.zeros((1, 0, 2), np.float32)), None


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    names = [["blue"], ["green"], ["red"], []]
    data = f"voc:{write_blocks(tmp_path / 'blocks', names)}"
    monkeypatch.setattr("kpviewer.models.loading.open_model", lambda _: ColourEngine())
    monkeypatch.setattr("kpviewer.evaluation.report.cpu_threads", lambda: 2)
    return lambda *args: CliRunner().invoke(main, ["eval", "--data", data, *map(str, args)])


def test_scores_are_written_as_json_alone(run):
    result = run("--json", "-")
    assert result.exit_code == 0, result.output
    scores = json.loads(result.stdout)
    # of 12 decisions only red is a false negative; at a lower threshold all are correct
    assert scores["accuracy_multi"] == pytest.approx(11 / 12)
    assert scores["map"] == 1.0
    assert scores["classes"]["red"] == {
        "positives": 1, "average_precision": 1.0, "precision": 0.0, "recall": 0.0, "f1": 0.0,
    }  # fmt: skip
    assert 0.1 < scores["best_threshold"]["f1"] <= 0.4
    assert (scores["pictures"], scores["threads"], scores["device"]) == (4, 2, "paper")
    # correct: nine absent classes at 0.1, present ones at 0.9, 0.9 and 0.4
    expected = (9 * 0.1 + 2 * 0.1 + 0.6) / 12
    assert scores["calibration"]["expected_error"] == pytest.approx(expected)
    assert scores["calibration"]["bins"][9]["decisions"] == 2
    assert set(scores["ms_per_frame"]) == {"mean", "p50", "p95"}


def test_a_class_that_the_data_do_not_label_has_no_scores(run, tmp_path):
    folder = write_blocks(tmp_path / "blues", [["blue"], []])
    scores = json.loads(run("--data", f"voc:{folder}", "--json", "-").stdout)
    assert scores["classes"]["green"] == {
        "positives": 0, "average_precision": None, "precision": None, "recall": None, "f1": None,
    }  # fmt: skip
    assert (scores["accuracy_multi"], scores["f1"], scores["map"]) == (1.0, 1.0, 1.0)


def test_the_page_holds_table_sweep_and_worst_images(run, tmp_path):
    result = run("--report", tmp_path / "page")
    assert result.exit_code == 0, result.output
    assert "best thresholds" in result.stdout and "ms a frame" in result.stdout
    page = (tmp_path / "page" / PAGE).read_text()
    assert "002.png, 1 wrong" in page and "000.png" not in page
    assert page.count("data:image/png") == 2 and page.count("data:image/jpeg") == 1
    assert all((tmp_path / "page" / name).is_file() for name in (SWEEP_CSV, SWEEP_PNG))


def test_a_page_that_cannot_be_written_exits_with_six(run, tmp_path):
    (tmp_path / "file").write_text("")
    result = run("--report", tmp_path / "file/page")
    assert result.exit_code == 6
    assert "can't be created as a folder" in result.stderr


def test_the_worst_images_have_most_wrong_decisions_then_the_most_confident():
    scores = np.array([[0.9, 0.9], [0.6, 0.1], [0.9, 0.1], [0.1, 0.1]], np.float32)
    present = np.zeros((4, 2), np.bool_)
    known = np.ones((4, 2), np.bool_)
    badness = decision_errors(LabelTable(scores, present, known), 0.5)
    assert (np.argsort(-badness).tolist(), badness.astype(int).tolist()) == (
        [0, 2, 1, 3],
        [2, 1, 1, 0],
    )
    known[2] = False
    assert decision_errors(LabelTable(scores, present, known), 0.5).astype(int).tolist() == [
        2,
        1,
        0,
        0,
    ]
