"""The table of problems of data sets: alone, and before a training run."""

import json

import pytest
from annotations.test_checks import GOOD, coco
from click.testing import CliRunner

from kpviewer.annotations.checks import CheckedSet
from kpviewer.annotations.problems import Problem
from kpviewer.annotations.spec import LoadedSpec, read_annotations
from kpviewer.cli.data_problems import checked_specs, problem_lines
from kpviewer.cli.main import main
from kpviewer.errors import DatasetError


def check(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["check-data", *map(str, words)])
    return result.exit_code, result.output


def test_good_data_are_reported_as_valid(tmp_path):
    code, output = check(coco(tmp_path / "train", ["a.png"], [GOOD]))
    assert code == 0
    assert "1 image, 1 valid object" in output


def test_errors_are_listed_and_end_with_five(tmp_path):
    spec = coco(tmp_path / "train", ["a.png", "b.png"], [GOOD, {**GOOD, "bbox": [1, 1, 0, 5]}])
    (tmp_path / "train" / "images" / "b.png").unlink()
    code, output = check(spec, "--json", tmp_path / "out.json")
    assert code == 5
    assert "box has no area" in output and "annotation 1" in output
    assert "image is missing" in output and "b.png" in output
    assert "Traceback" not in output
    (one,) = json.loads((tmp_path / "out.json").read_text())["sets"]
    assert (one["pictures"], one["errors"]) == (2, 2)
    assert {each["what"] for each in one["problems"]} == {"box has no area", "image is missing"}


def test_examples_are_few_and_counted():
    problems = [Problem("torn", f"{row}.png") for row in range(10)]
    problems += [Problem("odd", "x", is_error=False), Problem("torn", "y", is_error=False)]
    lines = list(problem_lines([CheckedSet("coco:a", tuple(problems), None, 10)]))
    assert lines[0].split() == ["error", "torn", "10", "coco:a"]
    assert [line.strip() for line in lines[1:5]] == [
        "- 0.png",
        "- 1.png",
        "- 2.png",
        "... and 7 more",
    ]
    assert lines[5].split()[:2] == ["note", "odd"]
    assert "- y" in lines[-1]


def test_training_does_not_start_with_errors(tmp_path, capsys):
    spec = coco(tmp_path / "train", ["a.png"], [GOOD, {**GOOD, "bbox": [1, 1, 0, 5]}])
    with pytest.raises(DatasetError, match=r"1 error, .*--skip-bad"):
        checked_specs([spec], None, skip_bad=False)
    assert "box has no area" in capsys.readouterr().err


def test_bad_entries_are_skipped_on_request(tmp_path, capsys):
    objects = [GOOD, {**GOOD, "bbox": [90, 1, 5, 5]}, {**GOOD, "image_id": 1}]
    spec = coco(tmp_path / "train", ["a.png", "b.png"], objects)
    (tmp_path / "train" / "images" / "b.png").unlink()
    (usable,), validation_set = checked_specs([spec], None, skip_bad=True)
    assert validation_set is None
    assert usable == spec and isinstance(usable, LoadedSpec)
    assert [len(image.targets) for image in read_annotations(usable).images] == [1]
    assert "Skipped: 1 image, and 1 objects" in capsys.readouterr().err


def test_generated_data_are_not_checked():
    assert checked_specs(["demo"], None, skip_bad=False) == (["demo"], None)
