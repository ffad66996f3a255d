"""Recipes, the loop and the command, on a handful of generated images."""

import copy
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from matplotlib.image import imread
from safetensors.torch import save_file
from training.images import background, dotted_face

from kpviewer.annotations.formats.coco.reader import read_coco
from kpviewer.cli.main import main
from kpviewer.cli.train import command
from kpviewer.errors import DatasetError, PipelineError, WeightsError
from kpviewer.models.base import Detector
from kpviewer.models.networks.ssd.detector import SsdDetector
from kpviewer.models.networks.ssd.face_ssd import build_face_ssd
from kpviewer.models.weights import find_weights, load_model
from kpviewer.sources.opencv import cv2
from kpviewer.training.config import TrainConfig, family_options, load_config
from kpviewer.training.data.datasets import (
    PADDED,
    MosaicStream,
    StreamOptions,
    collate,
    source_weights,
)
from kpviewer.training.data.merging import without_pseudo_points
from kpviewer.training.data.mosaic import MosaicOptions
from kpviewer.training.families.registry import make_objective
from kpviewer.training.families.ssd import SsdObjective, SsdOptions
from kpviewer.training.loop import StepReport, Trainer, read_checkpoint
from kpviewer.training.progress import Progress
from kpviewer.training.run import train
from kpviewer.training.schedule import with_steps

NAMES = ["left_eye", "right_eye", "nose", "left_mouth", "right_mouth"]


@pytest.fixture(scope="module")
def dots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a COCO file of six dotted faces and two empty images."""
    return write_dots(tmp_path_factory.mktemp("dots"), range(6), empty=2)


def write_dots(folder: Path, seeds: Sequence[int], empty: int = 0) -> Path:
    """Write dotted faces and empty images with a COCO file, and return its path."""
    (folder / "images").mkdir()
    images, annotations = [], []
    samples = [*(dotted_face(seed=seed) for seed in seeds), *(background() for _ in range(empty))]
    for number, sample in enumerate(samples):
        name = f"{number}.png"
        cv2.imwrite(str(folder / "images" / name), sample.rgb[..., ::-1])
        height, width = sample.hw
        images.append({"id": number, "file_name": name, "width": width, "height": height})
        for box, points in zip(sample.xyxy.tolist(), sample.points_xy.tolist(), strict=True):
            annotations.append(
                {
                    "id": number,
                    "image_id": number,
                    "category_id": 1,
                    "iscrowd": 0,
                    "bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]],
                    "keypoints": [value for x, y in points for value in (x, y, 2)],
                }
            )
    categories = [{"id": 1, "name": "face", "keypoints": NAMES, "skeleton": []}]
    path = folder / "annotations.json"
    document = {"images": images, "annotations": annotations, "categories": categories}
    path.write_text(json.dumps(document))
    return path


def small(**changes: object) -> TrainConfig:
    base = {"steps": 4, "batch": 2, "inputs": (64, 128), "input_shares": (0.5, 0.5), "workers": 0}
    return TrainConfig(**{**base, **changes})


def objective(dots: Path, detector: SsdDetector | None = None) -> SsdObjective:
    return SsdObjective(detector or build_face_ssd(), read_coco(dots), SsdOptions())


def test_the_same_seed_gives_the_same_images(dots):
    data = read_coco(dots)

    def first(seed: int) -> np.ndarray:
        options = StreamOptions((64, 64), seed, (1, 0, 2, 4, 3), MosaicOptions())
        return next(iter(MosaicStream(data, options))).rgb

    assert (first(1) == first(1)).all()
    assert (first(1) != first(2)).any()


def test_batches_pad_to_the_longest_list():
    batch = collate([dotted_face(96), background(96)])
    assert batch.images.shape == (2, 3, 96, 96)
    assert batch.class_ids.tolist() == [[0], [PADDED]]
    assert batch.labelled[0].all() and not batch.labelled[1].any()


def test_a_set_without_empty_images_is_refused_with_the_cure(dots):
    data = read_coco(dots)
    full = replace(data, images=tuple(i for i in data.images if len(i.targets)))
    with pytest.raises(DatasetError, match="without any object"):
        MosaicStream(full, StreamOptions((64, 64), 0, (), MosaicOptions()))


def test_named_sources_get_their_share_of_the_draws():
    # roots of the others' counts are 1 and 3: three quarters in the ratio of 1 to 3
    counts = {"crowds": 50, "few": 1, "many": 9}
    weights = source_weights(counts, {"crowds": 0.25})
    assert weights == pytest.approx({"crowds": 0.25, "few": 0.1875, "many": 0.5625})
    assert source_weights(counts, {})["many"] == pytest.approx(3 / (50**0.5 + 1 + 3))
    assert source_weights({"a": 4, "b": 4}, {"a": 0.2, "b": 0.6})["b"] == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("shares", "reason"),
    [
        ({"nowhere": 0.5}, "got 'nowhere'"),
        ({"a": 0.6, "b": 0.6}, "sum to 1 or less, got 1.2"),
        ({"a": 0.0, "b": 0.0}, "some source"),
    ],
)
def test_impossible_shares_are_refused(shares, reason):
    with pytest.raises(DatasetError, match=reason):
        source_weights({"a": 4, "b": 4}, shares)


def test_training_learns_what_a_face_is(dots):
    torch.manual_seed(0)
    reports: list[StepReport] = []
    config = small(steps=30, batch=4, inputs=(64,), input_shares=(1.0,), warmup_steps=5)
    Trainer(objective(dots), config).run(reports.append)
    losses = [report.losses[0] for report in reports]
    # points take thousands of steps; classification improves within dozens: 0.42 to 0.47 were
    # measured with three seeds
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])


def test_a_run_trains_at_each_input_size_and_can_be_resumed(dots):
    reports: list[StepReport] = []
    trainer = Trainer(objective(dots), small())
    saved: list[int] = []

    def checkpoint() -> bool:
        saved.append(trainer.step)
        return False

    trainer.run(reports.append, checkpoint)
    assert [report.step for report in reports] == [1, 2, 3, 4]
    assert saved == [4]
    again = Trainer(objective(dots), small(steps=6))
    again.resume(trainer.state())
    for name, value in trainer.averaged.state_dict().items():
        assert torch.equal(again.averaged.state_dict()[name], value)
    again.run(reports.append)
    assert reports[-1].step == 6


def test_a_resumed_run_repeats_the_uninterrupted_one(dots):
    def start() -> Trainer:
        torch.manual_seed(3)
        config = small(steps=4, save_every=2, inputs=(64,), input_shares=(1.0,))
        return Trainer(objective(dots), config)

    whole = start()
    whole.run(lambda _: None)
    first, states = start(), []

    def stop_after_two() -> bool:
        states.append(copy.deepcopy(first.state()))
        return True

    first.run(lambda _: None, stop_after_two)
    assert [state["step"] for state in states] == [2]
    second = start()
    second.resume(states[0])
    torch.rand(7)  # other random numbers drawn meanwhile
    second.run(lambda _: None)
    for name, value in whole.averaged.state_dict().items():
        assert torch.equal(second.averaged.state_dict()[name], value), name


@pytest.mark.parametrize("recipe", ["face-ssd", "face-refiner", "light-ssd", "face-points"])
def test_losses_can_be_computed_in_bf16_from_accumulated_batches(recipe, dots):
    changes = ["precision=bf16", "accumulate=2", "batch=2", "workers=0", "epochs=0.5"]
    changes += ["inputs=[64]", "input_shares=[1.0]"]
    config = load_config(recipe, changes)
    trained = make_objective(config, [f"coco:{dots}"])
    config = with_steps(config, trained)
    reports: list[StepReport] = []
    Trainer(trained, config).run(reports.append)
    assert len(reports) == 1 and all(np.isfinite(report.losses).all() for report in reports)


def weights_that_changed(recipe: str, dots: Path) -> set[str]:
    """Train for one step; return the parts of the network that it changed."""
    config = load_config(
        recipe, ["steps=1", "batch=2", "workers=0", "inputs=[64]", "input_shares=[1.0]"]
    )
    trained = make_objective(config, [f"coco:{dots}"])
    before = copy.deepcopy(trained.detector.network.state_dict())
    Trainer(trained, config).run(lambda _: None)
    after = dict(trained.detector.network.named_parameters())
    return {name.split(".")[0] for name in after if not torch.equal(after[name], before[name])}


def test_the_refiner_is_trained_separately(dots):
    assert weights_that_changed("face-refiner", dots) == {"point_refiner"}
    detector = weights_that_changed("face-far", dots)
    assert "backbone" in detector and "point_refiner" not in detector


def test_face_ssd_refuses_data_without_its_keypoints(dots, tmp_path):
    document = json.loads(dots.read_text())
    for category in document["categories"]:
        category.pop("keypoints"), category.pop("skeleton", None)
    for record in document["annotations"]:
        record.pop("keypoints"), record.pop("num_keypoints", None)
    boxes = dots.with_name("boxes.json")
    boxes.write_text(json.dumps(document))
    arguments = ["train", "face-ssd", "--data", f"coco:{boxes}", "--out", str(tmp_path / "run")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 5
    line = result.stderr.splitlines()[-1]
    assert "left_eye" in line and "the data have none" in line
    assert line.endswith("For boxes without keypoints, use the recipe light-ssd.")


@pytest.mark.parametrize("name", ["../../x", "a/b", r"a\u0000b", "x" * 300])
def test_a_recipe_writes_in_its_folder_alone(dots, tmp_path, name):
    quick = ("inputs=[32]", "input_shares=[1]", "steps=1", "batch=2", "workers=0")
    config = load_config("light-ssd", [f'name="{name}"', *quick])
    with pytest.raises(DatasetError, match="name"):
        train(config, [f"coco:{dots}"], tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("recipe", ["face-ssd", "strip-grid"])
def test_a_model_of_another_family_is_refused(recipe, dots):
    with pytest.raises(DatasetError, match=rf"trains {recipe}.*, got 'light-ssd'"):
        make_objective(load_config(recipe, ["model=light-ssd"]), [f"coco:{dots}"])


def test_a_resumed_run_begins_in_the_phase_of_its_step(dots):
    begun: list[int] = []

    class Phased(SsdObjective):
        def begin_at(self, step: int) -> None:
            begun.append(step)

    phased = Phased(build_face_ssd(), read_coco(dots), SsdOptions())
    resumed = Trainer(phased, small(steps=4))
    resumed.resume({**Trainer(objective(dots), small()).state(), "step": 3})
    resumed.run(lambda _: None)
    assert begun == [3]


def run_with_scores(dots: Path, out: Path, scores: list[float], **changes: object) -> list[int]:
    """Train with preset scores; return the steps that were scored."""
    seen: list[int] = []

    def validate(detector: Detector) -> dict[str, float]:
        assert not detector.network.training
        seen.append(len(seen))
        return {"score": scores[len(seen) - 1], "other": 0.5}

    base = {"save_every": 1, "inputs": (64,), "input_shares": (1.0,)}
    train(small(**{**base, **changes}), [f"coco:{dots}"], out, validate=validate)
    return seen


def test_the_best_weights_are_kept_and_scores_are_logged(dots, tmp_path):
    run_with_scores(dots, tmp_path, [0.3, 0.9, 0.4], steps=3)
    last, best = (
        load_model(tmp_path / name).network.state_dict()
        for name in ("face-ssd.safetensors", "face-ssd-best.safetensors")
    )
    assert not all(torch.equal(last[name], best[name]) for name in last)
    lines = (tmp_path / "scores.csv").read_text().split()
    assert lines == [
        "step,score,other",
        "1,0.30000,0.50000",
        "2,0.90000,0.50000",
        "3,0.40000,0.50000",
    ]


def test_a_run_killed_while_it_scores_or_saves_scores_again(dots, tmp_path, monkeypatch):
    run_with_scores(dots, tmp_path / "whole", [0.3, 0.9, 0.4], steps=3)
    left = [0.3, 0.9, 0.4]

    def validate(_: Detector) -> dict[str, float]:
        if len(left) == 2 and not (tmp_path / "killed").exists():
            (tmp_path / "killed").touch()
            raise SystemExit
        return {"score": left.pop(0), "other": 0.5}

    config = small(save_every=1, inputs=(64,), input_shares=(1.0,), steps=3)
    arguments = (config, [f"coco:{dots}"], tmp_path / "killed-twice")
    with pytest.raises(SystemExit):
        train(*arguments, validate=validate)
    with monkeypatch.context() as patch:
        patch.setattr(Progress, "add_scores", Mock(side_effect=SystemExit))
        with pytest.raises(SystemExit):
            train(*arguments, validate=validate, resume=True)
    left.insert(0, 0.9)
    for _ in range(2):  # a second resumption has nothing to do
        train(*arguments, validate=validate, resume=True)
    assert left == []
    for name in ("scores.csv", "face-ssd.safetensors", "face-ssd-best.safetensors"):
        assert (arguments[2] / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_weights_of_the_last_step_are_written_after_a_kill(dots, tmp_path, monkeypatch):
    config = small(inputs=(64,), input_shares=(1.0,), steps=1)
    with monkeypatch.context() as patch:
        patch.setattr("kpviewer.training.run.save_weights", Mock(side_effect=SystemExit))
        with pytest.raises(SystemExit):
            train(config, [f"coco:{dots}"], tmp_path)
    assert train(config, [f"coco:{dots}"], tmp_path, resume=True).exists()


def test_a_run_stopped_in_its_first_step_can_be_resumed(dots, tmp_path):
    config = small(inputs=(64,), input_shares=(1.0,), steps=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "_leg", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            train(config, [f"coco:{dots}"], tmp_path)
    assert (tmp_path / "face-ssd.safetensors").exists()
    train(config, [f"coco:{dots}"], tmp_path, resume=True)
    assert read_checkpoint(tmp_path / "last.pt")["step"] == 1


def test_names_that_no_weight_file_may_hold_are_refused_before_training(dots, tmp_path):
    document = json.loads(dots.read_text())
    document["categories"][0]["name"] = "red\nball"
    odd = dots.with_name("odd.json")
    odd.write_text(json.dumps(document))
    config = load_config("light-ssd", ["inputs=[32]", "input_shares=[1]", "steps=1", "workers=0"])
    with pytest.raises(DatasetError, match=r"got 'red\\nball'\. Correct the names"):
        train(config, [f"coco:{odd}"], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_lines_that_were_written_in_part_are_left_out(tmp_path):
    (tmp_path / "log.csv").write_text("step,learning_rate,class,boxes\n50,1e-3,2,3\n100,1e")
    (tmp_path / "scores.csv").write_text("step,AP\n50,0.7\n")
    with Progress(small(steps=200), ("class", "boxes"), tmp_path, 100) as progress:
        progress.plot()
        assert progress.add_scores(100, {"AP": 0.5}) == 1
    assert (tmp_path / "log.csv").read_text().split()[1:] == ["50,1e-3,2,3"]


def test_a_run_ends_when_scores_no_longer_improve(dots, tmp_path):
    scores = [0.3, 0.5, 0.4, 0.45, 0.9]
    assert len(run_with_scores(dots, tmp_path, scores, steps=5, patience=2)) == 4


def test_progress_is_plotted_and_continued(tmp_path):
    config = small(steps=200)
    for begin in (0, 100):
        with Progress(config, ("class", "boxes"), tmp_path, begin) as progress:
            for step in range(begin + 1, begin + 101):
                progress.report(StepReport(step, 2.5e-7, (1 / step, 2 / step)))
            assert progress.add_scores(begin + 100, {"AP": 0.5 - begin / 1000}) == begin // 100
            progress.plot()
    log = (tmp_path / "log.csv").read_text().split()
    assert [line.split(",")[0] for line in log] == ["step", "50", "100", "150", "200"]
    assert [float(line.split(",")[1]) for line in log[1:]] == [2.5e-7] * 4
    image = imread(tmp_path / "progress.png")
    assert min(image.shape[:2]) > 400 and image.std() > 0.02
    with Progress(config, ("class", "boxes"), tmp_path, 0):
        assert not (tmp_path / "scores.csv").exists()  # a new run replaces the files


def test_the_command_scores_on_other_data(dots, tmp_path):
    arguments = [
        "face-ssd",
        "--data",
        f"coco:{dots}",
        "--val",
        f"coco:{write_dots(tmp_path, (90, 91))}",
    ]
    for change in ("steps=1", "batch=2", "inputs=[64]", "input_shares=[1]", "workers=0"):
        arguments += ["--set", change]
    result = CliRunner().invoke(command, [*arguments, "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    names, values = (tmp_path / "scores.csv").read_text().splitlines()
    assert names.startswith("step,AP@[.5:.95],AP@0.5") and values.startswith("1,")
    assert (tmp_path / "face-ssd-best.safetensors").exists()


def test_a_loss_that_is_not_a_number_stops_with_advice(dots):
    detector = build_face_ssd()
    with torch.no_grad():
        next(detector.network.parameters()).fill_(float("nan"))
    with pytest.raises(PipelineError, match="learning_rate"):
        Trainer(objective(dots, detector), small()).run(lambda _: None)


def test_the_command_writes_weights_that_load(dots, tmp_path):
    arguments = ["face-ssd", "--data", f"coco:{dots}", "--out", str(tmp_path / "run")]
    for change in ("steps=2", "batch=2", "inputs=[64]", "input_shares=[1]", "workers=0"):
        arguments += ["--set", change]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    assert load_model(tmp_path / "run" / "face-ssd.safetensors").spec.name == "face-ssd"
    resumed = CliRunner().invoke(command, [*arguments, "--set", "steps=3", "--resume"])
    assert resumed.exit_code == 0, resumed.output


def test_a_run_can_start_from_weights(dots, tmp_path):
    shipped = load_model("face-ssd").network.state_dict()
    # at a rate of nearly 0 the weights stay constant
    assert start_from(find_weights("face-ssd"), dots, tmp_path).exit_code == 0
    trained = load_model(tmp_path / "face-ssd.safetensors").network.state_dict()
    for name, value in shipped.items():
        if name.endswith("weight"):
            assert torch.equal(trained[name], value)


def start_from(weights: Path, dots: Path, out: Path) -> Result:
    arguments = ["face-ssd", "--data", f"coco:{dots}", "--out", str(out)]
    for change in ("steps=1", "batch=2", "inputs=[64]", "input_shares=[1]", "workers=0"):
        arguments += ["--set", change]
    arguments += ["--set", "learning_rate=1e-30", "--set", f"init={weights}"]
    return CliRunner().invoke(command, arguments)


def test_parts_absent_from_the_initial_weights_start_at_random(dots, tmp_path):
    shipped = load_model("face-ssd").network.state_dict()
    partial = {name: value for name, value in shipped.items() if "point_refiner" not in name}
    save_file(
        {name: value.contiguous() for name, value in partial.items()},
        tmp_path / "first.safetensors",
    )
    result = start_from(tmp_path / "first.safetensors", dots, tmp_path)
    assert result.exit_code == 0, result.output
    trained = load_model(tmp_path / "face-ssd.safetensors").network.state_dict()
    for name, value in shipped.items():
        if name.endswith("weight"):
            assert torch.equal(trained[name], value) == ("point_refiner" not in name), name


def test_initial_weights_of_another_network_are_refused(dots, tmp_path):
    save_file({"layer.weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    result = start_from(tmp_path / "other.safetensors", dots, tmp_path)
    assert isinstance(result.exception, WeightsError)
    assert "doesn't fit face-ssd" in str(result.exception)


def test_points_that_a_detector_placed_can_be_left_out(dots):
    document = json.loads(dots.read_text())
    document["annotations"][0]["pseudo"] = 1
    marked = dots.with_name("marked.json")
    marked.write_text(json.dumps(document))
    data = read_coco(marked)
    without = without_pseudo_points(data)
    assert [int(image.keypoints_labelled.sum()) for image in data.images[:2]] == [5, 5]
    assert [int(image.keypoints_labelled.sum()) for image in without.images[:2]] == [0, 5]
    assert [len(image.targets) for image in without.images[:2]] == [1, 1]


@pytest.mark.parametrize("content", [None, b"", b"hello", b"PK\x03\x04"])
def test_an_unreadable_checkpoint_is_refused(tmp_path, content):
    path = tmp_path / "last.pt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"last\.pt"):
        read_checkpoint(path)


def test_a_file_of_another_kind_is_no_checkpoint(tmp_path):
    torch.save([torch.zeros(2)], tmp_path / "last.pt")
    with pytest.raises(WeightsError, match="not a readable checkpoint"):
        read_checkpoint(tmp_path / "last.pt")


def test_recipes_take_changes_and_refuse_unknown_keys(tmp_path):
    config = load_config("face-ssd", ["batch=8", "mosaic.rotation_deg=10.0"])
    assert config.batch == 8
    assert family_options(SsdOptions, config).mosaic.rotation_deg == 10.0
    with pytest.raises(DatasetError, match="colour"):
        family_options(SsdOptions, load_config("face-ssd", ["colour=1"]))
    with pytest.raises(DatasetError, match="input_shares"):
        load_config("face-ssd", ["inputs=[64]"])
    with pytest.raises(DatasetError, match=r"ssd.*no-family"):
        make_objective(load_config("face-ssd", ["family=no-family"]), [])
    with pytest.raises(DatasetError, match="key=value"):
        load_config("face-ssd", ["batch"])
    with pytest.raises(DatasetError, match="no-such"):
        load_config("no-such")
    bad = tmp_path / "bad.toml"
    bad.write_text("steps = = 3")
    with pytest.raises(DatasetError, match="TOML"):
        load_config(str(bad))
