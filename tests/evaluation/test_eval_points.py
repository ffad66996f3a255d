"""``kpviewer eval`` with point models, on the boxes of the ground truth."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from evaluation.test_point_reading import SPEC, dot_reader, image

from kpviewer.annotations.spec import read_annotations
from kpviewer.cli.main import main
from kpviewer.evaluation.evaluator import evaluate as evaluate_model
from kpviewer.evaluation.kind import EvaluationOptions
from kpviewer.evaluation.kinds.points import relative_errors, validation_scores
from kpviewer.evaluation.point_reading import ObjectPoints
from kpviewer.exporting.export import export
from kpviewer.exporting.options import ExportOptions, Format
from kpviewer.metrics.keypoint import KeypointScore
from kpviewer.metrics.points import PointScore
from kpviewer.models.opening.onnx_file import open_onnx
from kpviewer.sources.opencv import cv2


@pytest.fixture
def dots(tmp_path: Path) -> Path:
    """Write two images of two dots; the ground truth of the second dot is off by (3, 4) px."""
    (tmp_path / "images").mkdir()
    images, annotations = [], []
    for number in range(2):
        cv2.imwrite(str(tmp_path / "images" / f"{number}.png"), image(Path()))
        images.append({"id": number, "file_name": f"{number}.png", "width": 96, "height": 64,
                       "source": f"source {number}"})  # fmt: skip
        for box, point in (([10, 10, 24, 20], (20, 20)), ([54, 30, 30, 30], (73, 48))):
            row = {"id": len(annotations), "image_id": number, "category_id": 1, "bbox": box}
            annotations.append({**row, "keypoints": [*point, 2]})
    category = {"id": 1, "name": "dot", "keypoints": ["dot"]}
    document = {"images": images, "annotations": annotations, "categories": [category]}
    (tmp_path / "labels.json").write_text(json.dumps(document))
    return tmp_path / "labels.json"


@pytest.fixture
def evaluate(dots: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("kpviewer.models.loading.open_model", lambda name: dot_reader(1.25))
    words = ["eval", "--model", "dots", "--data", f"coco:{dots}", "--device", "cpu"]
    return lambda *more: CliRunner().invoke(main, [*words, *map(str, more)])


def test_a_point_model_is_scored_on_boxes_of_the_ground_truth(evaluate):
    result = evaluate("--json", "-")
    assert result.exit_code == 0, result.output
    scores = json.loads(result.stdout)
    overall = scores["overall"]
    assert (overall["objects"], overall["pck_0.2"]) == (4, 1.0)
    assert overall["mean_px"] == pytest.approx(2.5, abs=0.1)
    # squares of 0, 0, 3, 4: the root of 25/4
    assert overall["root_mse_px"] == pytest.approx(2.5, abs=0.1)
    assert overall["nme"]["normaliser"] == "box diagonal"
    # prediction minus ground truth: (0, 0) and (-3, -4) over a box of 30 x 30
    assert overall["bias"] == pytest.approx([-1.5 / 1800**0.5, -2 / 1800**0.5], abs=0.1 / 40)
    assert overall["bias_by_point"] == {"dot": overall["bias"]}
    assert overall["pck_0.2_by_point"] == {"dot": 1.0}
    assert {name: one["objects"] for name, one in scores["by_source"].items()} == {
        "source 0": 2, "source 1": 2,
    }  # fmt: skip
    assert (scores["engine"], scores["device"]) == ("torch", "CPU")


def test_options_without_effect_are_named(evaluate):
    given = ("--backend", "openvino", "--precision", "bf16", "--iou", "0.3", "--within", "4")
    result = evaluate("--json", "-", *given)
    assert json.loads(result.stdout)["precision"] == "fp32"
    note = "precision, backend, IoU of NMS, distance of localisation\n"
    assert f"Note: without effect on these scores: {note}" in result.stderr
    assert "effect" not in evaluate("--backend", "torch", "--precision", "fp32").stderr


def test_an_exported_point_model_is_scored_on_whole_images_and_says_so(dots, tmp_path):
    detector = dot_reader(1.25)
    options = ExportOptions(Format.ONNX)
    pixels = [cv2.imread(str(dots.parent / "images" / "0.png"))]
    report = export(detector, tmp_path / "dots.onnx", options, pixels)
    scores = evaluate_model(open_onnx(report.path), read_annotations(f"coco:{dots}"))
    assert any("two-stage:DETECTOR+FILE" in note for note in scores.notes)
    whole = evaluate_model(detector, read_annotations(f"coco:{dots}"))
    assert not whole.notes


def test_the_table_has_a_line_for_each_source(evaluate):
    output = evaluate().stdout
    assert "PCK@0.2" in output and "sqrt(MSE) px" in output
    assert output.count("-0.03") == 4 and output.count("-0.04") == 4  # bias x, y: 3 rows, 1 point
    assert [line.split()[0] for line in output.splitlines()[1:4]] == ["source", "source", "all"]
    assert "ms an object" in output


def test_the_page_shows_the_worst_images(evaluate, tmp_path, qapp):
    result = evaluate("--report", tmp_path / "page")
    assert result.exit_code == 0, result.output
    page = (tmp_path / "page" / "report.html").read_text()
    assert "The 2 worst images" in page
    assert page.count("data:image/jpeg") == 2


def test_other_keypoints_exit_with_five(evaluate, dots):
    dots.write_text(dots.read_text().replace('"keypoints": ["dot"]', '"keypoints": ["eye"]'))
    result = evaluate()
    assert result.exit_code == 5
    assert "places dot" in result.output


def test_errors_are_normalised_for_each_object(dots):
    image = read_annotations(f"coco:{dots}").images[0].take(np.array([1, 0]))
    seen = ObjectPoints(image, np.array([[[70, 44]], [[20, 20]]], np.float32))
    # 5 px over the diagonal of a 30 x 30 box
    np.testing.assert_allclose(relative_errors(seen), [5 / (30 * 2**0.5), 0], atol=1e-6)


def test_higher_validation_scores_are_better(dots):
    scores = evaluate_model(
        dot_reader(1.25), read_annotations(f"coco:{dots}"), EvaluationOptions("cpu")
    ).summary()
    assert list(scores) == ["-mean px", "-sqrt(MSE) px"]
    assert scores["-mean px"] == pytest.approx(-2.5, abs=0.1)


def test_a_model_of_the_python_api_is_scored_alike(dots):
    data, options = read_annotations(f"coco:{dots}"), EvaluationOptions("cpu")
    scores = [
        evaluate_model(model, data, options).summary()
        for model in (dot_reader(1.25), SimpleNamespace(spec=SPEC, detector=dot_reader(1.25)))
    ]
    assert scores[0] == scores[1]


def test_checkpoints_of_several_points_are_ranked_by_relative_errors():
    nme = KeypointScore(0.04, 0.03, 0.05, 9, "inter-ocular")
    score = PointScore(9, 2.0, 1.5, nme, (0, 0), ((0, 0), None), 0.9, (0.9, None), "torso")
    assert validation_scores(score) == {"1 - NME": pytest.approx(0.96), "PCK@0.2": 0.9}
    unknown = KeypointScore(None, None, None, 0, "")
    nothing = PointScore(0, None, None, unknown, None, (None,), None, (None,), "")
    assert validation_scores(nothing)["-mean px"] == float("-inf")
