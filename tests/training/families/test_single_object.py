"""Training of single-object models: both orders, the losses by hand, images left out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from training.coloured_blocks import BLOCK_NAMES, write_blocks

from kpviewer.annotations.derived.single import with_one_object
from kpviewer.annotations.formats.voc.reader import read_voc
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.geometry import iou_matrix
from kpviewer.models.base import Detector
from kpviewer.models.weights import load_model, save_weights
from kpviewer.runtime.executor import Executor
from kpviewer.sources.images.source import load_image
from kpviewer.training.config import TrainConfig, load_config
from kpviewer.training.data.datasets import Batch
from kpviewer.training.families.registry import make_objective
from kpviewer.training.families.single_object import (
    SingleObjectLossOptions,
    SingleObjectObjective,
    single_object_losses,
)
from kpviewer.training.loop import StepReport, Trainer

STILL = {"scale": 0.1, "shift": 0.05, "rotate_deg": 0.0, "mirror": 0.5, "colours": False}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Write images to train on, two without exactly one object, and others to score on."""
    folder = tmp_path_factory.mktemp("single")
    one = [[BLOCK_NAMES[number % 3]] for number in range(48)]
    train = write_blocks(folder / "train", [*one, [], ["red", "blue"]], 0)
    return train, write_blocks(folder / "val", one[:24], 1)


def small(**changes: object) -> TrainConfig:
    base = {
        "family": "single", "model": "single-object-light", "steps": 80, "batch": 8,
        "inputs": (64,), "input_shares": (1.0,), "workers": 0, "warmup_steps": 5,
        "ema_decay": 0.8, "learning_rate": 3e-3, "options": {"jitter": STILL},
    }  # fmt: skip
    return TrainConfig(**{**base, **changes})


def answers(detector: Detector, data: AnnotationSet) -> tuple[float, float]:
    """Return the class accuracy and the mean IoU."""
    detector.network.eval()
    engine = Executor(detector, "cpu", "fp32", "torch")
    right, overlaps = [], []
    for image in data.images:
        bgr = load_image(image.path)
        assert bgr is not None
        seen, _ = engine.infer(bgr)
        assert len(seen) == 1
        right.append(seen.scores[0].argmax() == image.targets.class_ids[0])
        overlaps.append(iou_matrix(seen.xyxy, image.targets.xyxy)[0, 0])
    return float(np.mean(right)), float(np.mean(overlaps))


def trained(folder: Path, config: TrainConfig) -> tuple[Detector, list[StepReport]]:
    torch.manual_seed(0)
    objective = make_objective(config, [f"voc:{folder}"])
    trainer, reports = Trainer(objective, config), []
    trainer.run(reports.append)
    objective.detector.network.load_state_dict(trainer.averaged.state_dict())
    return objective.detector, reports


def test_together_it_learns_what_the_block_is_and_where(folders):
    detector, _ = trained(folders[0], small())
    accuracy, overlap = answers(detector, read_voc(folders[1]))
    assert accuracy > 0.8  # chance is a third
    assert overlap > 0.3  # that of a box in the centre is 0.2


def test_backbone_first_it_learns_what_the_block_is_and_then_where(folders):
    options = {"jitter": STILL, "order": "backbone-first", "class_share": 0.4}
    detector, reports = trained(folders[0], small(steps=100, options=options))
    accuracy, _ = answers(detector, read_voc(folders[1]))
    assert accuracy > 0.8
    where = [sum(report.losses[1:]) for report in reports[40:]]
    assert np.mean(where[-8:]) < 0.9 * np.mean(where[:8])


def test_with_backbone_first_the_box_head_learns_on_a_frozen_backbone(folders):
    options = {"jitter": STILL, "order": "backbone-first", "class_share": 0.5}
    config = small(steps=6, batch=4, options=options)
    objective = make_objective(config, [f"voc:{folders[0]}"])
    network = objective.detector.network
    seen: list[dict[str, torch.Tensor]] = []
    reports: list[StepReport] = []

    def look(report: StepReport) -> None:
        reports.append(report)
        seen.append({name: value.clone() for name, value in network.state_dict().items()})

    Trainer(objective, config).run(look)

    def moved(part: str, start: int, end: int) -> bool:
        names = [name for name in seen[0] if name.startswith(part)]
        return any(not torch.equal(seen[start][name], seen[end][name]) for name in names)

    assert moved("backbone", 0, 2) and moved("classes", 0, 2) and not moved("box", 0, 2)
    assert not moved("backbone", 2, 5) and not moved("classes", 2, 5) and moved("box", 2, 5)
    assert all(report.losses[1:] == (0, 0) for report in reports[:3])
    assert all(report.losses[0] == 0 and min(report.losses[1:]) > 0 for report in reports[3:])


def test_a_resumed_run_continues_with_the_box_head(folders):
    options = {"jitter": STILL, "order": "backbone-first", "class_share": 0.5}
    objective = make_objective(small(steps=6, options=options), [f"voc:{folders[0]}"])
    assert isinstance(objective, SingleObjectObjective)
    objective.begin_at(4)
    network = objective.detector.network
    samples = iter(objective.dataset((64, 64), 0))
    batch = objective.collate([next(samples) for _ in range(2)])
    objective.losses(network, batch, batch.images.float())
    assert not any(p.requires_grad for p in network.backbone.parameters())
    assert all(p.requires_grad for p in network.box.parameters())


def test_losses_by_hand():
    # one object of 20 x 20 px in 40 x 80; found at half of the width, twice too narrow
    xyxy, no_points = torch.tensor([[[20.0, 10.0, 60.0, 30.0]]]), torch.zeros(1, 1, 0, 2)
    batch = Batch(
        torch.zeros(1, 3, 40, 80), xyxy, torch.tensor([[1]]), no_points, no_points[..., 0] > 0
    )
    raw = (torch.zeros(1, 4), torch.tensor([[0.5, 0.5, 0.25, 0.5]]))
    options = SingleObjectLossOptions(
        classes=2.0, box=3.0, beta=0.1, overlap=4.0, label_smoothing=0.0
    )
    found = single_object_losses(raw, batch, (40, 80), options)
    assert float(found.classes) == pytest.approx(2 * np.log(4))
    # only the width is off, by 0.25 of the image: (0.25 - 0.1 / 2) / 4
    assert float(found.box) == pytest.approx(3 * 0.2 / 4)
    # half of the box is covered, and the hull is the box: GIoU = IoU = 0.5
    assert float(found.overlap) == pytest.approx(4 * 0.5, rel=1e-4)


def test_images_without_exactly_one_object_are_left_out_and_counted(folders, caplog):
    make_objective(small(), [f"voc:{folders[0]}"])
    assert "2 of 50 images left out: not exactly one object" in caplog.text
    data = read_voc(folders[0])
    alone = with_one_object(data)
    assert len(alone) == 48
    hard = replace(alone.images[0].targets, difficult=np.ones(1, np.bool_))
    difficult = replace(alone, images=(replace(alone.images[0], targets=hard),))
    assert len(with_one_object(difficult)) == 0
    assert with_one_object(alone).notes == alone.notes


def test_weights_survive_the_file(folders, tmp_path):
    detector = make_objective(small(), [f"voc:{folders[0]}"]).detector
    nn.init.normal_(detector.network.get_submodule("box.out").weight, std=0.1)
    detector.network.eval()
    save_weights(detector, tmp_path / "one.safetensors")
    again = load_model(tmp_path / "one.safetensors")
    image = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        one = detector.decode(detector.network(image), (64, 64))
        two = again.decode(again.network(image), (64, 64))
    # the file has half precision
    torch.testing.assert_close(one.xyxy, two.xyxy, rtol=0, atol=0.3)
    torch.testing.assert_close(one.scores, two.scores, rtol=0, atol=0.01)
    assert float(one.scores.sum()) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model": "light-ssd"}, "trains .*, got"),
        ({"options": {"order": "box-first"}}, "order must be one of"),
        ({"options": {"class_share": 1.0}}, "class_share must be a number, below 1, got 1.0"),
    ],
)
def test_wrong_recipes_are_refused(folders, changes, reason):
    with pytest.raises(DatasetError, match=reason):
        make_objective(small(**changes), [f"voc:{folders[0]}"])


def test_inputs_are_multiples_of_the_stride(folders):
    objective = make_objective(small(), [f"voc:{folders[0]}"])
    with pytest.raises(DatasetError, match="multiples of 32"):
        objective.dataset((64, 80), 0)


def test_the_shipped_recipe_is_one_of_this_family(folders):
    objective = make_objective(load_config("single-object"), [f"voc:{folders[0]}"])
    assert objective.detector.spec.name == "single-object"
    assert objective.detector.spec.class_names == BLOCK_NAMES
