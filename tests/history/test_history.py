"""The history as a whole: what is trained, skipped, refused and shown, on four tiny images."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from training.coloured_blocks import subsets, write_blocks

from kpviewer.annotations.spec import read_annotations
from kpviewer.cli.history import command
from kpviewer.errors import DatasetError
from kpviewer.evaluation.evaluator import evaluate
from kpviewer.evaluation.kind import EvaluationOptions
from kpviewer.history import families, timing, training
from kpviewer.history.families import FAMILIES, Family
from kpviewer.history.scores import score
from kpviewer.history.settings import Budget, config_of, fingerprint
from kpviewer.models.weights import load_model
from kpviewer.training.config import TrainConfig

BROKEN = Family("broken", "Broken", 2030, "light-ssd", {"light": "no-such"}, "init", "All.", "<i>")


@pytest.fixture(scope="module")
def voc(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"voc:{write_blocks(tmp_path_factory.mktemp('blocks'), subsets(8)[4:])}"


@pytest.fixture
def run(voc: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that runs the command, by default with SSD and a family that fails."""
    monkeypatch.setattr(timing, "inference_bytes", lambda *_: 123_400_000)  # takes seconds
    monkeypatch.setitem(families.FAMILIES, "broken", BROKEN)

    def invoke(*args: str, names: str = "ssd,broken", images: int = 4) -> Result:
        words = ["--data", voc, "--val", voc, "--out", str(tmp_path), "--families", names]
        for change in ("inputs=[64]", "batch=2", "workers=0", "tensorboard=false"):
            words += ["--set", change]
        words += ["--images", str(images), "--device", "cpu", "--timed", "2", *args]
        return CliRunner().invoke(command, words)

    return invoke


def results(folder: Path) -> dict[str, dict]:
    report = json.loads((folder / "history.json").read_text())
    return {each["family"]: each for each in report["families"]}


def test_a_family_that_fails_says_so_and_the_others_go_on(run, tmp_path):
    result = run(names="ssd,broken,faster-rcnn")
    assert result.exit_code == 1, result.output
    found = results(tmp_path)
    assert list(found) == ["faster-rcnn", "ssd", "broken"]  # in the order of their papers
    assert found["faster-rcnn"]["ms"]["proposals"] > 0 and found["ssd"]["ms"]["proposals"] == 0
    assert "no-such" in found["broken"]["failure"] and "no-such" in result.stderr
    assert found["broken"]["scores"] is None and found["broken"]["ms"] is None
    ssd = found["ssd"]
    assert ssd["failure"] == "" and ssd["trained"]["images"] == 4
    assert ssd["parameters"] > 1e6 and ssd["memory_bytes"] == 123_400_000
    assert ssd["file_bytes"] == (tmp_path / "ssd" / "light-ssd.safetensors").stat().st_size
    assert (tmp_path / "chart.png").read_bytes()[1:4] == b"PNG"
    page = (tmp_path / "index.html").read_text()
    assert all(title in page for title in ("SSD", "Broken", "no-such", "123.4", "&lt;i&gt;"))
    assert page.count("data:image/jpeg") == 4  # two images each of the families that work
    assert 'src="http' not in page and 'href="http' not in page.replace("xlink:", "")


def test_what_is_trained_and_scored_is_not_repeated_but_timed_again(run, tmp_path, monkeypatch):
    assert run(names="ssd").exit_code == 0
    before = results(tmp_path)["ssd"]
    for place in ("training.train", "run.score"):
        monkeypatch.setattr(f"kpviewer.history.{place}", None)
    assert run(names="ssd").exit_code == 0
    after = results(tmp_path)["ssd"]
    assert after["scores"] == before["scores"] and after["trained"] == before["trained"]
    assert after["ms"] != before["ms"]


def test_objects_that_became_difficult_are_scored_and_trained_again(run, tmp_path):
    folder = write_blocks(tmp_path / "val", subsets(8)[1:4])
    assert run("--val", f"voc:{folder}", names="ssd").exit_code == 0
    kept = tmp_path / "ssd" / "scores.json"
    before = json.loads(kept.read_text())["key"]
    labels = min(folder.rglob("*.xml"))
    text = labels.read_text().replace("</name><bnd", "</name><difficult>1</difficult><bnd")
    labels.write_text(text)
    assert run("--val", f"voc:{folder}", names="ssd").exit_code == 0
    assert json.loads(kept.read_text())["key"] != before
    data = read_annotations(f"voc:{folder}")
    plain = [replace(each, targets=replace(each.targets, difficult=np.zeros_like(each.pseudo)))
             for each in data.images]  # fmt: skip
    config = config_of(FAMILIES["ssd"], Budget())
    keys = {fingerprint(config, [each]) for each in (data, replace(data, images=tuple(plain)))}
    assert len(keys) == 2


def test_other_settings_do_not_replace_what_is_trained(run, tmp_path):
    run(names="ssd")
    weights = (tmp_path / "ssd" / "light-ssd.safetensors").read_bytes()
    result = run(names="ssd", images=6)
    assert result.exit_code == 1 and "other settings" in result.stderr
    assert (tmp_path / "ssd" / "light-ssd.safetensors").read_bytes() == weights


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"fingerprint": "\xff"}',
        b'{"x": ' + b"[" * 100_000,
        b'{"fingerprint": 1, "steps": "x", "batch": 2}',
    ],
)
def test_a_damaged_record_is_none(tmp_path, content):
    (tmp_path / training.RECORD).write_bytes(content)
    assert training.read_record(tmp_path) is None


def test_an_interrupted_run_continues(run, tmp_path, monkeypatch):
    whole = training.train

    def cut_short(config: TrainConfig, specs: list[str], out_dir: Path, **options: object) -> Path:
        weights = whole(config, specs, out_dir, **options)
        if not options["resume"]:
            raise KeyboardInterrupt
        return weights

    monkeypatch.setattr(training, "train", cut_short)
    assert run(names="ssd").exit_code != 0
    record = training.read_record(tmp_path / "ssd")
    assert record is not None and record.weights == "" and record.seconds > 0
    assert run(names="ssd").exit_code == 0
    assert results(tmp_path)["ssd"]["trained"]["seconds"] > record.seconds


def test_without_test_data_the_splits_train_and_test_are_used(run, voc):
    result = CliRunner().invoke(command, ["--data", voc, "--out", "unused"])
    assert isinstance(result.exception, DatasetError)
    assert "no split 'train'" in result.stderr and "no split 'test'" in result.stderr


def test_scores_are_those_of_eval(voc, tmp_path, shipped_blocks):
    detector, data = load_model(shipped_blocks), read_annotations(voc)
    options = EvaluationOptions("cpu", "fp32", "torch")
    expected = evaluate(detector, data, options).to_json()["overall"]
    found = score(detector, data, "cpu")
    assert (found.ap50, found.ap) == (expected["ap50"], expected["ap"])
    assert found.recall == expected["at_0.1_false_positives_per_image"]["recall"]
    assert found.soft_ap is not None and found.large is None


@pytest.fixture(scope="module")
def shipped_blocks(voc: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train an SSD for a few steps, enough for some detections."""
    folder = tmp_path_factory.mktemp("ssd")
    changes = ("inputs=[64]", "batch=4", "workers=0", "tensorboard=false", "ema_decay=0.5")
    budget = Budget(40, changes=changes)
    return folder / training.train_family(FAMILIES["ssd"], budget, [voc], folder, "cpu").weights


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_every_family_has_the_same_budget_and_augmentation(family):
    budget = Budget(1001, seed=7, changes=("scenes.mirror=false",))
    config = config_of(family, budget)
    assert (config.steps, config.batch, config.seed) == (126, 8, 7)  # 126 x 8 >= 1001
    assert config.inputs == (320,) and config.options["scenes"] == {"mirror": False}
    assert config.warmup_steps <= 13


@pytest.mark.parametrize(
    ("budget", "reason"),
    [
        (Budget(changes=("steps=9",)), "Use --images"),
        (Budget(backbone="vgg16"), "only light"),
    ],
)
def test_what_would_differ_between_families_is_refused(budget, reason):
    with pytest.raises(DatasetError, match=reason):
        config_of(FAMILIES["ssd"], budget)


def test_images_of_training_and_test_are_checked(run, voc, tmp_path):
    folder = write_blocks(tmp_path / "val", subsets(8)[4:])
    done = run("--val", f"voc:{folder}", names="ssd")  # the same images under another name
    assert isinstance(done.exception, DatasetError)
    assert "4 errors" in str(done.exception)
    assert "image is in training and validation" in done.stderr


def test_a_wrong_name_is_refused_before_the_data_are_read():
    done = CliRunner().invoke(command, ["--data", "no-such", "--out", "x", "--families", "ssx"])
    assert done.exit_code == 2 and "'ssx'" in done.stderr
