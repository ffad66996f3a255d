"""Training of box detectors: classes from the data, the frozen phase, the command."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn
from training.data.test_scenes import blocks

from kpviewer.annotations.formats.voc.reader import read_voc
from kpviewer.cli.train import command
from kpviewer.errors import DatasetError, WeightsError
from kpviewer.models.networks.ssd.light_ssd import build_light_ssd
from kpviewer.models.weights import load_model
from kpviewer.runtime.executor import Executor
from kpviewer.sources.opencv import cv2
from kpviewer.training.config import TrainConfig, load_config
from kpviewer.training.families.objects import ObjectsObjective, ObjectsOptions
from kpviewer.training.families.registry import make_objective
from kpviewer.training.loop import StepReport, Trainer

NAMES = ("red", "blue")


@pytest.fixture(scope="module")
def voc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a LabelImg folder of four images of blocks, none of them empty."""
    folder = tmp_path_factory.mktemp("blocks")
    sample = blocks()
    for number in range(4):
        cv2.imwrite(str(folder / f"{number}.png"), np.roll(sample.rgb, number, 1)[..., ::-1])
        objects = "".join(
            f"<object><name>{NAMES[class_id]}</name><bndbox><xmin>{x1 + number}</xmin>"
            f"<ymin>{y1}</ymin><xmax>{x2 + number}</xmax><ymax>{y2}</ymax></bndbox></object>"
            for class_id, (x1, y1, x2, y2) in zip(sample.class_ids, sample.xyxy, strict=True)
        )
        (folder / f"{number}.xml").write_text(
            f"<annotation><filename>{number}.png</filename><size><width>100</width>"
            f"<height>80</height></size>{objects}</annotation>"
        )
    return folder


def small(**changes: object) -> TrainConfig:
    base = {"family": "objects", "model": "light-ssd", "steps": 4, "batch": 2, "inputs": (64,),
            "input_shares": (1.0,), "workers": 0}  # fmt: skip
    return TrainConfig(**{**base, **changes})


def written(folder: Path, box: tuple[int, int, int, int], difficult: int = 0) -> str:
    """Write a set of one image of 100x80 px with one object; return its specification."""
    cv2.imwrite(str(folder / "a.png"), np.zeros((80, 100, 3), np.uint8))
    sides = ("xmin", "ymin", "xmax", "ymax")
    edges = "".join(f"<{side}>{at}</{side}>" for side, at in zip(sides, box, strict=True))
    (folder / "a.xml").write_text(
        "<annotation><filename>a.png</filename><size><width>100</width><height>80</height></size>"
        f"<object><name>red</name><difficult>{difficult}</difficult><bndbox>{edges}</bndbox>"
        "</object></annotation>"
    )
    return f"voc:{folder}"


@pytest.mark.parametrize(("box", "is_noted"), [((10, 10, 12, 60), True), ((10, 10, 40, 60), False)])
def test_objects_too_small_for_the_input_are_noted(tmp_path, box, is_noted):
    objective = make_objective(small(), [written(tmp_path, box)])
    assert any("1 of 1 objects are below 5 px" in each for each in objective.notes) == is_noted


@pytest.mark.parametrize("mirror", [True, False])
def test_classes_of_two_sides_are_noted_where_images_are_mirrored(tmp_path, mirror):
    spec, path = written(tmp_path, (10, 10, 40, 60)), tmp_path / "a.xml"
    start, _, one = path.read_text().partition("<object>")
    path.write_text(start + "".join(
        f"<object>{one.replace('red', side).removesuffix('</annotation>')}"
        for side in ("left", "right")
    ) + "</annotation>")  # fmt: skip
    objective = make_objective(small(options={"scenes": {"mirror": mirror}}), [spec])
    assert any("may look like 'right'" in each for each in objective.notes) == mirror


def test_difficult_objects_alone_are_nothing_to_train_on(tmp_path):
    with pytest.raises(DatasetError, match="aren't difficult"):
        make_objective(small(), [written(tmp_path, (10, 10, 40, 60), difficult=1)])


def test_classes_and_the_name_come_from_the_data_and_the_recipe(voc):
    objective = make_objective(small(options={"name": "blocks"}), [f"voc:{voc}"])
    assert objective.detector.spec.class_names == ("blue", "red")
    assert objective.detector.spec.name == "blocks"
    assert objective.detector.spec.input_hw == (64, 64)
    heads = objective.detector.network.eval()(torch.zeros(1, 3, 64, 64))
    assert heads.class_logits.shape[-1] == 2


def test_training_learns_where_the_blocks_are(voc):
    torch.manual_seed(0)
    reports: list[StepReport] = []
    options = {"scenes": {"grid_share": 0.0, "colours": False}}
    config = small(steps=40, batch=4, warmup_steps=5, inputs=(128,), options=options)
    Trainer(make_objective(config, [f"voc:{voc}"]), config).run(reports.append)
    losses = np.array([report.losses for report in reports])
    assert losses[-8:].sum(1).mean() < 0.6 * losses[:8].sum(1).mean()


def frozen_objective(voc: Path, steps: int) -> ObjectsObjective:
    data = read_voc(voc)
    built = build_light_ssd()
    detector = build_light_ssd(replace(built.spec, class_names=data.class_names))
    return ObjectsObjective(detector, data, ObjectsOptions(frozen_steps=steps))


def backbone_of(objective: ObjectsObjective) -> dict[str, Tensor]:
    backbone = objective.detector.network.backbone
    assert isinstance(backbone, nn.Module)
    return {name: value.clone() for name, value in backbone.state_dict().items()}


def test_a_frozen_backbone_stays_constant_while_the_heads_learn(voc):
    objective = frozen_objective(voc, 2)
    before = backbone_of(objective)
    head = objective.detector.network.heads[0].weight.clone()
    Trainer(objective, small(steps=2)).run(lambda _: None)
    after = backbone_of(objective)
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert not torch.equal(objective.detector.network.heads[0].weight, head)


def test_after_the_frozen_phase_everything_learns(voc):
    objective = frozen_objective(voc, 2)
    before = backbone_of(objective)
    Trainer(objective, small(steps=3)).run(lambda _: None)
    after = backbone_of(objective)
    assert not torch.equal(after["stem.0.weight"], before["stem.0.weight"])
    assert not torch.equal(after["stem.1.running_mean"], before["stem.1.running_mean"])


def test_the_command_writes_a_model_that_runs(voc, tmp_path):
    arguments = ["light-ssd", "--data", f"voc:{voc}", "--out", str(tmp_path)]
    for change in ("steps=2", "batch=2", "inputs=[64]", "input_shares=[1]", "workers=0"):
        arguments += ["--set", change]
    result = CliRunner().invoke(command, [*arguments, "--set", "name=blocks-ssd"])
    assert result.exit_code == 0, result.output
    detector = load_model(tmp_path / "blocks-ssd.safetensors")
    assert detector.spec.class_names == ("blue", "red")
    candidates, _ = Executor(detector, "cpu", "fp32", "torch").infer(
        np.ascontiguousarray(blocks().rgb[..., ::-1])
    )
    assert candidates.scores.shape[1] == 2 and len(candidates.scores) > 0


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (small(model="face-ssd"), "light-ssd"),
        (small(options={"class_weights": {"green": 0.4}}), "green"),
        (small(options={"pretrained": "none.pth"}), "none.pth"),
        (small(options={"scenes": {"colour": 1}}), "colour"),
    ],
)
def test_wrong_recipes_are_refused(voc, config, reason):
    with pytest.raises((DatasetError, WeightsError), match=reason):
        make_objective(config, [f"voc:{voc}"])


def test_inputs_that_the_architecture_does_not_support_are_refused(voc):
    light = make_objective(small(), [f"voc:{voc}"])
    with pytest.raises(DatasetError, match="multiples of 32"):
        light.dataset((100, 100), 0)


def test_class_weights_are_taken_by_name(voc):
    config = load_config("light-ssd", ["class_weights.red=0.4"])
    objective = make_objective(config, [f"voc:{voc}"])
    assert isinstance(objective, ObjectsObjective)
    assert objective.class_weights.tolist() == pytest.approx([1.0, 0.4])


def test_one_image_too_small_for_batch_normalisation_is_refused(voc):
    config = small(batch=1, inputs=(64,))
    trainer = Trainer(make_objective(config, [f"voc:{voc}"]), config)
    with pytest.raises(
        DatasetError, match=r"A batch of 1 at 64x64 px .* Set batch=2 or larger inputs\.$"
    ):
        trainer.run(lambda _: None)
