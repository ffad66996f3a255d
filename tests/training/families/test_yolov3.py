"""Training of YOLOv3: anchors of the data, of the recipe and of a file; learning; the command."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from training.coloured_blocks import BLOCK_NAMES, subsets, write_blocks

from kpviewer.annotations.formats.voc.reader import read_voc
from kpviewer.errors import DatasetError, WeightsError
from kpviewer.models.networks.darknet.network import DarknetNetwork
from kpviewer.models.networks.darknet.standard import tiny
from kpviewer.models.networks.darknet.weights import save_weights as save_darknet_weights
from kpviewer.models.networks.ssd.light_ssd import build_light_ssd
from kpviewer.models.networks.yolov3.heads import COCO_ANCHORS
from kpviewer.models.selection import select
from kpviewer.models.weights import load_model, save_weights
from kpviewer.runtime.executor import Executor
from kpviewer.sources.images.source import load_image
from kpviewer.training.config import TrainConfig, load_config
from kpviewer.training.families.registry import make_objective
from kpviewer.training.loop import StepReport, Trainer
from kpviewer.training.run import train

PLAIN = {"zoom": [1.0, 1.0], "grid_share": 0.0, "mirror": False, "colours": False}
"""Images as they are."""


@pytest.fixture(scope="module")
def voc(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = write_blocks(tmp_path_factory.mktemp("blocks"), subsets(16))
    return f"voc:{folder}"


def small(**changes: object) -> TrainConfig:
    base = {"family": "yolov3", "model": "yolov3-light", "steps": 4, "batch": 2, "inputs": (64,),
            "input_shares": (1.0,), "workers": 0}  # fmt: skip
    return TrainConfig(**{**base, **changes})


def anchors_of(objective: object) -> torch.Tensor:
    return objective.detector.network.anchors_wh


def test_anchors_are_clusters_of_the_boxes_at_the_input_size(voc):
    objective = make_objective(small(inputs=(128,)), [voc])
    sizes = anchors_of(objective).flatten(0, 1)
    # blocks have sides of 14 to 29 px in images of 64 px, twice that in the input
    assert sizes.min() >= 28 and sizes.max() <= 58
    assert (sizes.prod(1).diff() >= 0).all()
    assert objective.detector.spec.class_names == BLOCK_NAMES
    (note,) = objective.notes
    ours, theirs = re.search(r"mean best IoU (0\.\d+); COCO's: (0\.\d+)", note).groups()
    assert float(ours) > float(theirs)
    assert anchors_of(make_objective(small(inputs=(128,)), [voc])).equal(anchors_of(objective))


def test_anchors_may_be_listed_in_any_order(voc):
    sizes = [[side, 2 * side] for side in (90, 80, 70, 60, 50, 40, 30, 20, 10)]
    objective = make_objective(small(options={"anchors": sizes}), [voc])
    assert anchors_of(objective)[0].tolist() == [[10, 20], [20, 40], [30, 60]]
    assert "10x20" in objective.notes[0]
    coco = make_objective(load_config("yolov3", ["anchors=coco"]), [voc])
    assert anchors_of(coco).flatten(0, 1).tolist() == [list(size) for size in COCO_ANCHORS]


def test_init_brings_its_anchors_to_the_heads_that_they_belong_to(voc, tmp_path):
    first = make_objective(small(options={"anchors": [[21, 35]] * 9}), [voc])
    save_weights(first.detector, tmp_path / "first.safetensors")
    config = small(init=str(tmp_path / "first.safetensors"))
    assert anchors_of(make_objective(config, [voc])).equal(anchors_of(first))
    listed = small(init=config.init, options={"anchors": [[9, 9]] * 9})
    with pytest.raises(DatasetError, match="Leave out anchors or init"):
        make_objective(listed, [voc])


def test_the_light_backbone_starts_from_another_model_with_it(voc, tmp_path):
    ssd = build_light_ssd()
    save_weights(ssd, tmp_path / "ssd.safetensors")
    options = {"pretrained": str(tmp_path / "ssd.safetensors")}
    own = make_objective(small(options=options), [voc]).detector.network.backbone.state_dict()
    given = ssd.network.backbone.state_dict()
    assert own.keys() == given.keys()
    assert all(value.half().equal(given[name].half()) for name, value in own.items())


def test_tiny_has_six_anchors_and_starts_from_a_file_of_darknet(voc, tmp_path):
    torch.manual_seed(1)
    whole = DarknetNetwork(tiny(80))
    save_darknet_weights(whole, tmp_path / "tiny.weights")
    options = {"pretrained": str(tmp_path / "tiny.weights")}
    objective = make_objective(small(model="yolov3-tiny", options=options), [voc])
    network = objective.detector.network
    assert network.anchors_wh.shape == (2, 3, 2)
    assert network.anchors_wh.max() < 40
    first, last = (next(iter(each.convolutions()))[1].conv.weight for each in (network, whole))
    assert torch.equal(first, last)
    assert "9 of 13 convolutions" in objective.notes[0]


@pytest.mark.parametrize("model", ["yolov3-tiny", "yolov3-light"])
def test_every_model_takes_a_step(voc, model):
    config = small(model=model, steps=1)
    reports: list[StepReport] = []
    Trainer(make_objective(config, [voc]), config).run(reports.append)
    assert np.isfinite(reports[0].losses).all()


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (small(model="light-ssd"), "yolov3-light"),
        (small(options={"anchors": [[10, 20], [30, 40]]}), "anchors must be 9 pairs"),
        (small(options={"anchors": [[0, 20]] * 9}), "anchors"),
        (small(options={"anchors": "voc"}), "anchors"),
        (small(options={"loss": {"ignore_iou": 2}}), "ignore_iou"),
        (small(options={"pretrained": "imagenet"}), "light backbone"),
    ],
)
def test_wrong_recipes_are_refused(voc, config, reason):
    with pytest.raises((DatasetError, WeightsError), match=reason):
        make_objective(config, [voc])


def test_inputs_that_the_network_does_not_support_are_refused(voc):
    with pytest.raises(DatasetError, match="multiples of 32"):
        make_objective(small(), [voc]).dataset((100, 100), 0)


def test_training_learns(voc):
    reports: list[StepReport] = []
    config = small(steps=30, batch=8, warmup_steps=4, options={"scenes": PLAIN})
    Trainer(make_objective(config, [voc]), config).run(reports.append)
    losses = np.array([report.losses for report in reports])
    assert losses[-6:].sum(1).mean() < 0.6 * losses[:6].sum(1).mean()


def test_a_run_prints_the_anchors_and_writes_a_model_that_runs(voc, tmp_path, capsys):
    path = train(small(steps=2), [voc], tmp_path, device="cpu")
    assert "Anchors, px: " in capsys.readouterr().out
    detector = load_model(path)
    assert detector.spec.class_names == BLOCK_NAMES
    candidates, _ = Executor(detector, "cpu", "fp32", "torch").infer(np.zeros((64, 64, 3), "u1"))
    assert candidates.scores.shape[1] == 3


@pytest.mark.slow
def test_a_few_images_are_learned_by_heart(voc):
    torch.manual_seed(0)
    config = small(steps=240, batch=8, warmup_steps=20, ema_decay=0.9, options={"scenes": PLAIN})
    trainer = Trainer(make_objective(config, [voc]), config)
    trainer.run(lambda _: None)
    objective = make_objective(config, [voc])
    objective.detector.network.load_state_dict(trainer.averaged.state_dict())
    objective.detector.network.eval()
    engine = Executor(objective.detector, "cpu", "fp32", "torch")
    data = read_voc(Path(voc.removeprefix("voc:")))
    for image in data.images:
        found = select(engine.infer(load_image(image.path))[0], objective.detector.spec.thresholds)
        assert sorted(found.class_ids) == sorted(image.targets.class_ids)
