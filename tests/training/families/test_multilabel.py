"""Training of multi-label models: from objects to label sets, a run from recipe to threshold."""

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from training.coloured_blocks import BLOCK_NAMES, subsets, write_blocks

from kpviewer.annotations.derived.labels import label_set
from kpviewer.annotations.formats.voc.reader import read_voc
from kpviewer.cli.main import main
from kpviewer.errors import DatasetError, WeightsError
from kpviewer.evaluation.kinds.multilabel import label_table
from kpviewer.metrics.multilabel import multilabel_score
from kpviewer.models.spec import Task
from kpviewer.models.weights import load_model
from kpviewer.runtime.executor import Executor
from kpviewer.training.config import TrainConfig, load_config
from kpviewer.training.families.multilabel import MultilabelBatch, label_loss
from kpviewer.training.families.registry import make_objective
from kpviewer.training.loop import Trainer

STILL = {"scale": 0.0, "shift": 0.0, "rotate_deg": 0.0, "mirror": 0.5, "colours": False}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Write images to train on, and others of the same kind."""
    folder = tmp_path_factory.mktemp("labels")
    return (
        write_blocks(folder / "train", subsets(48), seed=0),
        write_blocks(folder / "val", subsets(16), seed=1),
    )


def small(**changes: object) -> TrainConfig:
    base = {
        "family": "multilabel", "model": "multilabel-light", "steps": 70, "batch": 8,
        "inputs": (64,), "input_shares": (1.0,), "workers": 0, "warmup_steps": 5,
        "ema_decay": 0.8, "learning_rate": 3e-3, "options": {"jitter": STILL},
    }  # fmt: skip
    return TrainConfig(**{**base, **changes})


def test_it_learns_which_colours_are_in_an_image(folders):
    torch.manual_seed(0)
    objective = make_objective(small(), [f"voc:{folders[0]}"])
    trainer = Trainer(objective, small())
    trainer.run(lambda report: None)
    detector = objective.detector
    detector.network.load_state_dict(trainer.averaged.state_dict())
    detector.network.eval()
    engine = Executor(detector, "cpu", "fp32", "torch")
    table = label_table(lambda bgr: engine.infer(bgr)[0], read_voc(folders[1]))
    # half of the decisions are positive: chance is 0.5
    assert multilabel_score(*table, 0.5).accuracy_multi > 0.8


def test_the_command_keeps_the_best_threshold_and_plots_the_sweep(folders, tmp_path):
    train, val = (f"voc:{folder}" for folder in folders)
    settings = ["steps=8", "save_every=4", "inputs=[64]", "workers=0", "batch=8",
                "warmup_steps=2", "ema_decay=0.5", "jitter.colours=false"]  # fmt: skip
    changes = [part for setting in settings for part in ("--set", setting)]
    arguments = ["train", "multilabel", "--data", train, "--val", val, "--out", str(tmp_path)]
    result = CliRunner().invoke(main, [*arguments, "--device", "cpu", *changes])
    assert result.exit_code == 0, result.output
    spec = load_model(tmp_path / "multilabel.safetensors").spec
    assert spec.task is Task.CLASSIFY
    assert spec.class_names == BLOCK_NAMES
    with (tmp_path / "scores.csv").open() as file:
        last = list(csv.DictReader(file))[-1]
    assert spec.score_threshold == pytest.approx(float(last["threshold"]))
    with (tmp_path / "threshold-sweep.csv").open() as file:
        rows = list(csv.DictReader(file))
    best = max(float(row["f1"]) for row in rows)
    at = {float(row["threshold"]): float(row["f1"]) for row in rows}
    assert at[spec.score_threshold] == pytest.approx(best)
    assert best == pytest.approx(float(last["F1"]), abs=1e-4)
    assert (tmp_path / "threshold-sweep.png").stat().st_size > 1000

    model = str(tmp_path / "multilabel.safetensors")
    arguments = ["eval", "--model", model, "--data", val, "--device", "cpu", "--backend", "torch"]
    result = CliRunner().invoke(main, [*arguments, "--json", str(tmp_path / "scores.json")])
    assert result.exit_code == 0, result.output
    for word in ("accuracy_multi", "mAP", "best thresholds", *BLOCK_NAMES):
        assert word in result.stdout
    scores = json.loads((tmp_path / "scores.json").read_text())
    # half precision in the file
    assert scores["map"] == pytest.approx(float(last["mAP"]), abs=0.02)
    assert scores["threshold"] == spec.score_threshold
    assert scores["classes"]["red"]["positives"] == 8


def test_a_candidate_is_the_whole_image(folders):
    detector = make_objective(small(), [f"voc:{folders[0]}"]).detector
    detector.network.eval()
    seen, _ = Executor(detector, "cpu", "fp32", "torch").infer(np.zeros((90, 160, 3), np.uint8))
    assert seen.xyxy.tolist() == [[0, 0, 160, 90]]
    assert seen.scores.shape == (1, 3)
    assert seen.keypoints_xy.shape == (1, 0, 2)


def test_a_class_of_difficult_objects_alone_is_unknown():
    ids, difficult = np.array([0, 1, 1, 2]), np.array([False, True, False, True])
    labels = label_set(ids, difficult, 4)
    assert labels.present.tolist() == [True, True, False, False]
    assert labels.known.tolist() == [True, True, False, True]


def test_the_loss_by_hand():
    batch = MultilabelBatch(
        torch.zeros(1, 3, 1, 1),
        torch.tensor([[1.0, 0.0, 1.0]]),
        torch.tensor([[True, True, False]]),
    )
    logits = torch.tensor([[0.0, math.log(3.0), 9.0]])  # scores of 0.5 and 0.75
    by_hand = (-math.log(0.5) - math.log(0.25)) / 2
    assert float(label_loss(logits, batch)) == pytest.approx(by_hand, rel=1e-5)
    weighted = (-2 * math.log(0.5) - math.log(0.25)) / 2
    assert float(label_loss(logits, batch, 2.0)) == pytest.approx(weighted, rel=1e-5)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model": "light-ssd"}, "trains .*, got"),
        ({"options": {"sweep": "ap"}}, "sweep must be one of"),
        ({"options": {"positive_weight": 0}}, "positive_weight must be a number, above 0, got 0"),
    ],
)
def test_wrong_recipes_are_refused(folders, changes, reason):
    with pytest.raises(DatasetError, match=reason):
        make_objective(small(**changes), [f"voc:{folders[0]}"])


def test_the_light_backbone_has_no_weights_of_torchvision(folders):
    with pytest.raises(WeightsError, match="Set pretrained to a model of kpviewer that has it"):
        make_objective(small(options={"pretrained": "imagenet"}), [f"voc:{folders[0]}"])


def test_the_shipped_recipe_is_one_of_this_family(folders):
    objective = make_objective(load_config("multilabel"), [f"voc:{folders[0]}"])
    assert objective.detector.spec.architecture == "multilabel-light"
    assert objective.detector.spec.name == "multilabel"
