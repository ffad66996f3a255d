"""``kpviewer eval`` and ``train --val`` with single-object models."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from training.coloured_blocks import BLOCK_COLOURS, BLOCK_NAMES, write_blocks

from kpviewer.cli.main import main
from kpviewer.evaluation.page import PAGE
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.structures import Candidates


class BlockEngine:
    """Model that detects the coloured block of an image; red ones as green, with half their box."""

    spec = ModelSpec("blocks", "single-object-light", Task.DETECT, BLOCK_NAMES, (64, 64))
    device_name = "paper"
    backend = "torch"
    precision = "fp32"

    def warm_up(self, source_hw):
        self.warmed_up = source_hw

    def infer(self, bgr):
        masks = [(bgr[..., ::-1] == rgb).all(-1) for rgb in BLOCK_COLOURS.values()]
        class_id = int(np.argmax([mask.sum() for mask in masks]))
        rows, columns = np.nonzero(masks[class_id])
        left, top, right, bottom = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        scores = np.full((1, 3), 0.05, np.float32)
        if BLOCK_NAMES[class_id] == "red":
            scores[0, BLOCK_NAMES.index("green")], right = 0.9, left + (right - left) / 2
            scores[0, class_id] = 0.06
        else:
            scores[0, class_id] = 0.9
        box = np.array([[left, top, right, bottom]], np.float32)
        return Candidates(box, scores, np.zeros((1, 0, 2), np.float32)), None


@pytest.fixture
def blocks(tmp_path: Path) -> str:
    """Write two blue images, a green and a red one, and two without exactly one object."""
    names = [["blue"], ["blue"], ["green"], ["red"], [], ["red", "blue"]]
    return f"voc:{write_blocks(tmp_path / 'blocks', names)}"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, blocks: str):
    monkeypatch.setattr("kpviewer.models.loading.open_model", lambda _: BlockEngine())
    return lambda *args: CliRunner().invoke(main, ["eval", "--data", blocks, *map(str, args)])


def test_class_accuracy_and_mean_iou_are_added_to_average_precision(run):
    result = run("--json", "-")
    assert result.exit_code == 0, result.output
    scores = json.loads(result.stdout)
    assert scores["overall"]["images"] == 4
    assert "2 of 6 images left out: not exactly one object" in scores["notes"]
    assert scores["single_object"] == {
        "pictures": 4,
        "accuracy": 0.75,
        "mean_iou": pytest.approx(3.5 / 4),
        "by_class": {
            "blue": {"pictures": 2, "accuracy": 1.0, "mean_iou": pytest.approx(1.0)},
            "green": {"pictures": 1, "accuracy": 1.0, "mean_iou": pytest.approx(1.0)},
            "red": {"pictures": 1, "accuracy": 0.0, "mean_iou": pytest.approx(0.5)},
        },
    }
    assert scores["confusion"]["names"] == list(BLOCK_NAMES)
    counts = scores["confusion"]["counts"]  # rows: classes of the ground truth, then background
    assert [row[:2] for row in counts] == [[2, 0], [0, 1], [0, counts[2][1]], [0, 1 - counts[2][1]]]


class UnsureEngine(BlockEngine):
    """Model of 200 more classes, whose best score is below 0.01."""

    spec = replace(
        BlockEngine.spec, class_names=(*BLOCK_NAMES, *(f"shade {row}" for row in range(200)))
    )

    def infer(self, bgr):
        found, timings = super().infer(bgr)
        scores = np.full((1, 203), 0.0049, np.float32)
        scores[0, found.scores.argmax()] = 0.0051
        return replace(found, scores=scores), timings


def test_a_best_score_counts_however_low_it_is_among_many_classes(run, monkeypatch):
    monkeypatch.setattr("kpviewer.models.loading.open_model", lambda _: UnsureEngine())
    single = json.loads(run("--json", "-").stdout)["single_object"]
    assert (single["accuracy"], single["mean_iou"]) == (0.75, pytest.approx(3.5 / 4))


def test_a_class_that_the_data_do_not_label_is_a_wrong_one(run, tmp_path):
    folder = write_blocks(tmp_path / "reds", [["red"], ["blue"]])  # no green: red is taken for it
    scores = json.loads(run("--data", f"voc:{folder}", "--json", "-").stdout)
    assert scores["single_object"]["by_class"]["red"] == {
        "pictures": 1, "accuracy": 0.0, "mean_iou": pytest.approx(0.5)
    }  # fmt: skip
    assert scores["single_object"]["accuracy"] == 0.5
    assert scores["confusion"]["counts"][-1] == [0, 0, 0, 0]


def test_the_table_and_the_page_have_them_too(run, tmp_path, qapp):
    result = run("--report", tmp_path / "page")
    assert result.exit_code == 0, result.output
    assert "class accuracy" in result.stdout and "0.875" in result.stdout
    page = (tmp_path / "page" / PAGE).read_text()
    assert "<th>class accuracy</th>" in page and "<td>0.875</td>" in page


def test_a_run_logs_them_at_each_checkpoint(blocks, tmp_path, qapp):
    words = ["train", "single-object", "--data", blocks, "--val", blocks, "--device", "cpu"]
    words += ["--out", str(tmp_path / "out")]
    small = {"steps": 1, "batch": 2, "workers": 0, "inputs": [64], "tensorboard": False}
    for key, value in small.items():
        words += ["--set", f"{key}={json.dumps(value)}"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    head = (tmp_path / "out" / "scores.csv").read_text().splitlines()[0]
    assert head == "step,AP@[.5:.95],AP@0.5,class accuracy,mean IoU"


@pytest.mark.parametrize("more", [[], ["--find-lr"]])
def test_data_without_single_objects_are_refused_before_the_first_step(blocks, tmp_path, more):
    empty = write_blocks(tmp_path / "empty", [[], ["red", "blue"]])
    words = ["train", "single-object", "--data", blocks, "--val", f"voc:{empty}"]
    result = CliRunner().invoke(main, [*words, "--out", str(tmp_path / "out"), "--skip-bad", *more])
    assert result.exit_code == 5
    assert "exactly one object" in result.stderr
    assert not (tmp_path / "out").exists()
