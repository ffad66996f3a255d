import json
from dataclasses import replace

import click
import numpy as np
import pytest
from click.testing import CliRunner

from kpviewer.cli.main import main
from kpviewer.errors import RecordingError
from kpviewer.evaluation.report import Report
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.sources.opencv import cv2
from kpviewer.structures import Candidates

BOXES = {"a": (10, 20, 50, 60), "b": (5, 5, 25, 35), "c": None, "d": (30, 30, 70, 50)}


class BrightBoxEngine:
    """Model that detects the one bright rectangle of an image; its corners are the keypoints."""

    spec = ModelSpec("bright", "none", Task.DETECT_KEYPOINTS, ("face",), (64, 64))
    device_name = "paper"
    backend = "torch"
    precision = "fp32"

    def warm_up(self, source_hw):
        self.warmed_up = source_hw

    def infer(self, bgr):
        rows, columns = np.nonzero(bgr[..., 0] > 128)
        if not rows.size:
            return Candidates.empty(1, 5), None
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        return Candidates(
            np.array([box], np.float32), np.full((1, 1), 0.9, np.float32), points_of(box)[None]
        ), None


def points_of(box):
    left, top, right, bottom = box
    centre = ((left + right) / 2, (top + bottom) / 2)
    points = [(left, top), (right, top), centre, (left, bottom), (right, bottom)]
    return np.array(points, np.float32)


@pytest.fixture
def labels(tmp_path):
    """Write four dark images, three with a bright rectangle, and their COCO file."""
    images, annotations = [], []
    (tmp_path / "images").mkdir()
    for number, (name, box) in enumerate(BOXES.items(), start=1):
        image = np.zeros((64, 80, 3), np.uint8)
        if box is not None:
            left, top, right, bottom = box
            image[top:bottom, left:right] = 255
            keypoints = [value for x, y in points_of(box).tolist() for value in (x, y, 2)]
            annotations.append({
                "id": number, "image_id": number, "category_id": 1, "keypoints": keypoints,
                "bbox": [left, top, right - left, bottom - top],
            })  # fmt: skip
        cv2.imwrite(str(tmp_path / "images" / f"{name}.png"), image)
        images.append({"id": number, "file_name": f"{name}.png", "width": 80, "height": 64,
                       "source": "first" if number < 3 else "second"})  # fmt: skip
    category = {"id": 1, "name": "face", "keypoints": list("abcde")}
    path = tmp_path / "labels.json"
    document = {"images": images, "annotations": annotations, "categories": [category]}
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def run(monkeypatch):
    """Return a function that runs ``kpviewer eval`` with an engine without weights."""
    monkeypatch.setattr("kpviewer.models.loading.open_model", lambda _: BrightBoxEngine())
    monkeypatch.setattr("kpviewer.evaluation.report.cpu_threads", lambda: 2)
    return lambda *args: CliRunner().invoke(main, ["eval", *map(str, args)])


def test_scores_are_written_as_json_alone(run, labels):
    result = run("--data", f"coco:{labels}", "--json", "-")
    assert result.exit_code == 0
    scores = json.loads(result.stdout)
    assert scores["model"] == "bright"
    assert (scores["device"], scores["threads"]) == ("paper", 2)
    overall = scores["overall"]
    assert (overall["images"], overall["objects"]) == (4, 3)
    assert (overall["ap50"], overall["ap"]) == (pytest.approx(1.0), pytest.approx(1.0))
    assert overall["ap50_by_class"] == {"face": pytest.approx(1.0)}
    assert overall["nme"] == {
        "mean": 0.0, "median": 0.0, "p90": 0.0, "objects": 3, "normaliser": "inter-ocular",
        "not_predicted": 0,
    }  # fmt: skip
    assert overall["at_0.1_false_positives_per_image"] == {
        "recall": 1.0, "score": pytest.approx(0.9)}  # fmt: skip
    assert overall["negatives"] == {"images": 1, "clean": 1, "clean_share": 1.0}
    assert set(scores["by_source"]) == {"first", "second"}
    # one detection of 0.9 for each object, all correct
    assert scores["by_class"] == {"face": {
        "objects": 3, "ap50": pytest.approx(1.0), "voc_area": pytest.approx(1.0),
        "voc_11_points": pytest.approx(1.0), "precision": 1.0, "recall": 1.0, "f1": 1.0,
    }}  # fmt: skip
    assert scores["by_size"] == {
        "small": {"objects": 2, "ap": pytest.approx(1.0)},
        "medium": {"objects": 1, "ap": pytest.approx(1.0)},
        "large": {"objects": 0, "ap": None},
    }
    assert scores["score_threshold"] == 0.5
    assert scores["calibration"]["expected_error"] == pytest.approx(0.1)
    assert scores["calibration"]["bins"][9] == {
        "detections": 3, "score": pytest.approx(0.9), "hits": 1.0}  # fmt: skip
    assert scores["calibration"]["bins"][0] == {"detections": 0, "score": None, "hits": None}
    assert set(scores["ms_per_frame"]) == {"mean", "p50", "p95"}


def test_table_goes_to_stdout_unless_json_does(run, labels):
    plain = run("--data", labels)
    assert "AP@0.5" in plain.stdout
    assert "second" in plain.stdout
    assert "VOC 11 points" in plain.stdout and "recall  " in plain.stdout
    assert "expected calibration error 0.100" in plain.stdout
    assert "AP@0.5" in run("--data", labels, "--json", "-").stderr


def test_json_goes_to_a_file(run, labels, tmp_path):
    assert run("--data", labels, "--json", tmp_path / "out.json").exit_code == 0
    assert json.loads((tmp_path / "out.json").read_text())["overall"]["images"] == 4


def test_tables_that_cannot_be_printed_cost_no_file(run, labels, tmp_path, monkeypatch):
    def fail(*_, **given):
        if not given.get("err"):
            raise OSError(28, "No space left on device")

    report, scores = tmp_path / "report", tmp_path / "scores.json"
    monkeypatch.setattr(click, "echo", fail)
    assert run("--data", labels, "--json", scores, "--report", report).exit_code == 1
    assert json.loads(scores.read_text())["overall"]["images"] == 4
    assert (report / "report.html").exists()


def test_a_full_disk_for_one_file_leaves_the_other(run, labels, tmp_path, monkeypatch):
    report = tmp_path / "report"
    result = run("--data", labels, "--json", "/dev/full", "--report", report)
    assert result.exit_code == 6 and "/dev/full" in result.output
    assert (report / "report.html").exists()

    def fail(*_):
        raise RecordingError("The disk is full.")

    monkeypatch.setattr(Report, "save", fail)
    result = run("--data", labels, "--json", tmp_path / "out.json", "--report", report)
    assert result.exit_code == 6 and "The disk is full." in result.output
    assert json.loads((tmp_path / "out.json").read_text())["overall"]["images"] == 4


def test_limit_chooses_images_from_the_whole_set(run, labels):
    scores = json.loads(run("--data", labels, "--limit", 2, "--json", "-").stdout)
    assert scores["overall"]["images"] == 2
    assert set(scores["by_source"]) == {"first", "second"}


@pytest.mark.parametrize("damage", ["missing", "cut", "empty"])
def test_an_unreadable_image_is_left_out_with_a_note(run, labels, damage):
    path = labels.parent / "images" / "b.png"
    path.write_bytes(path.read_bytes()[: 60 if damage == "cut" else 0])
    if damage == "missing":
        path.unlink()
    result = run("--data", f"coco:{labels}", "--json", "-")
    assert result.exit_code == 0
    scores = json.loads(result.stdout)
    assert scores["overall"]["images"] == 3
    (note,) = [note for note in scores["notes"] if "1 of 4 images left out" in note]
    assert "b.png" in note
    assert f"Note: {note}" in result.stderr


def test_the_report_says_what_the_scores_of_a_model_leave_out(run, labels, monkeypatch):
    noted = replace(BrightBoxEngine.spec, notes=("Scores compare upright boxes.",))
    monkeypatch.setattr(BrightBoxEngine, "spec", noted)
    result = run("--data", f"coco:{labels}", "--json", "-")
    assert "bright: Scores compare upright boxes." in json.loads(result.stdout)["notes"]
    assert result.stderr.count("compare upright boxes") == 1


def test_a_scaled_image_is_noted(run, labels):
    labels.write_text(labels.read_text().replace('"width": 80', '"width": 160', 1))
    result = run("--data", f"coco:{labels}")
    assert "a.png: annotated as 160x64, but is 80x64" in result.stderr


def test_one_bad_entry_is_left_out_with_a_note(run, labels):
    labels.write_text(labels.read_text().replace('"bbox": [10,', '"bbox": ["x",', 1))
    result = run("--data", f"coco:{labels}")
    assert result.exit_code == 0
    assert "Note: 1 of 4 entries left out: " in result.stderr
    assert "bbox must be a number" in result.stderr


@pytest.mark.parametrize("damage", ["missing file", "no images", "no common class"])
def test_wrong_data_exit_with_five_and_one_message(run, labels, damage):
    text = labels.read_text()
    if damage == "missing file":
        labels.unlink()
    elif damage == "no images":
        for path in (labels.parent / "images").iterdir():
            path.unlink()
    else:
        other = '"categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]}'
        labels.write_text(text[: text.index('"categories"')] + other)
    result = run("--data", f"coco:{labels}")
    assert result.exit_code == 5
    assert result.stderr.startswith("Error: ")
    assert "Traceback" not in result.stderr


def test_a_file_that_cannot_be_written_exits_with_six(run, labels, tmp_path):
    result = run("--data", labels, "--json", tmp_path / "none" / "out.json")
    assert result.exit_code == 6


def test_a_largest_object_without_a_distance_is_named(run, labels):
    given = ("--data", f"coco:{labels}", "--largest", "40")
    assert "without effect on these scores: largest object" in run(*given).stderr
    assert "without effect" not in run(*given, "--within", "5").stderr
    keypoint = run("--data", labels, "--limit", 1, "--keypoint-conf", 0.3, "--iou", 0.3).stderr
    assert "without effect on these scores: confidence of keypoints\n" in keypoint


def test_localisation_is_scored_if_a_distance_is_given(run, labels):
    plain = json.loads(run("--data", f"coco:{labels}", "--json", "-").stdout)
    assert "by_place" not in plain
    scores = json.loads(
        run("--data", f"coco:{labels}", "--within", "3", "--largest", "30", "--json", "-").stdout
    )["by_place"]
    # of the boxes of 40x40, 20x30 and 40x20 px only the second is no longer than 30 px
    expected = {"hits": 1, "spurious": 0, "missed": 0, "precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert (scores["within_px"], scores["largest_px"]) == (3.0, 30.0)
    assert {key: scores["total"][key] for key in expected} == expected
    assert scores["total"]["mean_px"] == 0.0
    assert "support" in run("--data", f"coco:{labels}", "--within", "3").stdout


class UnsureEngine(BrightBoxEngine):
    """The same, but it is sure of no more than the first two keypoints, at 0.6 and 0.4."""

    spec = replace(BrightBoxEngine.spec, keypoint_threshold=0.5)

    def infer(self, bgr):
        found, timings = super().infer(bgr)
        scores = np.zeros(found.keypoints_xy.shape[:2], np.float32)
        scores[:, :2] = 0.6, 0.4
        points = found.keypoints_xy + np.where(scores < 0.5, 500, 0)[..., None].astype(np.float32)
        return replace(found, keypoints_xy=points, keypoint_scores=scores), timings


def test_keypoints_below_their_threshold_are_left_out_and_counted(run, labels, monkeypatch):
    monkeypatch.setattr("kpviewer.models.loading.open_model", lambda _: UnsureEngine())
    result = run("--data", labels, "--json", "-")
    nme = json.loads(result.stdout)["overall"]["nme"]
    assert (nme["mean"], nme["objects"], nme["not_predicted"]) == (0.0, 3, 12)
    assert "NME leaves out 12 keypoints with a confidence below 0.5." in result.stderr
    result = run("--data", labels, "--keypoint-conf", 0.3, "--json", "-")
    nme = json.loads(result.stdout)["overall"]["nme"]
    assert nme["not_predicted"] == 9
    assert nme["mean"] > 1
