"""The page of ``kpviewer eval --report``."""

import base64
import io
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.image import imread
from sample_results import detections

from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.cli.main import main
from kpviewer.evaluation import evaluator
from kpviewer.evaluation.figures import calibration_figure, confusion_figure, curve_figure
from kpviewer.evaluation.kind import EvaluationOptions, Run
from kpviewer.evaluation.kinds.detections import DetectionReport
from kpviewer.evaluation.page import PAGE, Page, PageFigure, write_page
from kpviewer.metrics.curves import calibration, curves_by_class
from kpviewer.models.networks.ssd.face_ssd import build_face_ssd
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.models.weights import save_weights
from kpviewer.sources.opencv import cv2
from kpviewer.structures import Detections, GroundTruth, Thresholds


def seen(*rows: tuple[float, float]) -> Detections:
    """Return detections of 10 px squares at (left, score), by descending score."""
    left = np.array([row[0] for row in rows], np.float32)
    return detections(
        np.stack([left, left * 0, left + 10, left * 0 + 10], 1), [row[1] for row in rows]
    )


def annotated(name: str, *lefts: float) -> AnnotatedImage:
    found = seen(*((left, 1.0) for left in lefts))
    count = len(lefts)
    targets = GroundTruth(
        found.xyxy,
        found.class_ids,
        found.keypoints_xy,
        np.zeros((count, 0), np.bool_),
        np.zeros(count, np.bool_),
    )
    no = np.zeros(count, np.bool_)
    return AnnotatedImage(Path(name), (64, 64), targets, "", no, np.zeros((count, 0), np.bool_), 1)


def report_of(
    images: list[AnnotatedImage], found: list[Detections], options: EvaluationOptions
) -> DetectionReport:
    spec = ModelSpec("squares", "none", Task.DETECT, ("square",), (64, 64))
    engine = SimpleNamespace(spec=spec, device_name="", backend="", precision="")
    run = Run(engine, AnnotationSet(tuple(images), ("square",), ()), Thresholds())
    result = SimpleNamespace(seen=found, frame_ms=None)
    return DetectionReport(run.evaluated(options.data_name), result, options)


def test_the_worst_images_come_first_and_correct_ones_are_left_out():
    images = [annotated("good", 0), annotated("missed", 0, 40), annotated("both", 0)]
    found = [seen((0, 0.9), (20, 0.1)), seen((0, 0.9)), seen((20, 0.9), (40, 0.8))]
    worst = report_of(images, found, EvaluationOptions()).worst()
    assert [(one.image.path.name, one.caption) for one in worst] == [
        ("both", "1 false negative, 2 false positives"),
        ("missed", "1 false negative"),
    ]


def test_the_worst_images_are_by_distance_where_the_localisation_is_scored():
    near, far, long = annotated("near", 0), annotated("far", 0), annotated("long", 0)
    long = replace(long, targets=replace(long.targets, xyxy=long.targets.xyxy * 6))
    found = [seen((8, 0.9)), seen((20, 0.9)), seen()]  # 10 px squares: IoU 1 / 9 and 0
    options = EvaluationOptions(within_px=15.0, largest_px=40.0)
    report = report_of([near, far, long], found, options)
    captions = {one.image.path.name: one.caption for one in report.images()}
    assert captions == {"near": "", "far": "1 false negative, 1 false positive", "long": ""}
    assert [one.image.path.name for one in report.worst()] == ["far"]
    assert report.worst_note.endswith("Detections match within 15 px.")
    assert "keypoints" not in report.worst_note, "the data have none"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((), "<p>No image has an error.</p>"),
        (("a.png",), "<h2>The worst image</h2>"),
        (("a.png", "b.png"), "<h2>The 2 worst images</h2>"),
    ],
)
def test_the_page_says_how_many_images_have_errors(tmp_path, names, expected):
    worst = [PageFigure(name, None) for name in names]
    path = write_page(tmp_path, Page("squares", "On CPU.", [], [], worst, "Legend."))
    assert expected in path.read_text(encoding="utf-8")


def test_figures_are_images():
    found, ground_truth = [seen((0, 0.9), (20, 0.4))], [annotated("a", 0).targets]
    curve = curves_by_class(found, ground_truth, 1)[0]
    never_found = curves_by_class([seen()], ground_truth, 1)[0]
    for png in (
        curve_figure([curve], ["face"]),
        curve_figure([curve, never_found], ["face", "hand"]),
        curve_figure(curves_by_class(found, [annotated("a").targets], 1), ["face"]),
        calibration_figure(calibration(found, ground_truth)),
        confusion_figure(np.array([[3, 1], [2, 0]]), ["face"]),
    ):
        image = imread(io.BytesIO(png), format="png")
        assert min(image.shape[:2]) > 300
        assert image.std() > 0.02


def test_confusion_of_many_classes_is_an_image_of_bounded_size():
    png = confusion_figure(np.eye(151, dtype=np.int64), [f"class {row}" for row in range(150)])
    assert max(imread(io.BytesIO(png), format="png").shape) < 2500


@pytest.fixture
def small_set(tmp_path: Path) -> Path:
    """Write two images, their CSV, and a model with random weights."""
    (tmp_path / "images").mkdir()
    for name in ("a", "b"):
        image = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
        cv2.imwrite(str(tmp_path / "images" / f"{name}.png"), image)
    document = (
        '{"images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 48},'
        ' {"id": 2, "file_name": "b.png", "width": 64, "height": 48}],'
        ' "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0,'
        ' "bbox": [5, 5, 20, 30]}], "categories": [{"id": 1, "name": "face"}]}'
    )
    (tmp_path / "labels.json").write_text(document)
    save_weights(build_face_ssd(), tmp_path / "random.safetensors")
    return tmp_path


def command_line(folder: Path, out: Path) -> list[str]:
    model = str(folder / "random.safetensors")
    words = ["eval", "--model", model, "--data", f"coco:{folder / 'labels.json'}"]
    return [*words, "--backend", "torch", "--report", str(out)]


def test_the_page_is_self_contained_and_names_cannot_become_markup(small_set, qapp):
    labels = small_set / "labels.json"
    (small_set / "images" / "a.png").rename(small_set / "images" / "<b>&.png")
    labels.write_text(labels.read_text().replace("a.png", "<b>&.png"))
    result = CliRunner().invoke(main, command_line(small_set, small_set / "out" / "page"))
    assert result.exit_code == 0, result.output
    page = (small_set / "out" / "page" / "report.html").read_text(encoding="utf-8")
    assert "<h2>By class</h2>" in page and "&lt;b&gt;&amp;.png, 1 false negative" in page
    assert "<b>" not in page
    assert " on CPU, torch " in page
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []
    jpeg = base64.b64decode(re.findall(r"data:image/jpeg;base64,([^\"]+)", page)[0])
    assert imread(io.BytesIO(jpeg), format="jpeg").shape == (315, 420, 3)


def test_a_folder_that_cannot_be_made_is_refused_before_the_evaluation(small_set, monkeypatch):
    monkeypatch.setattr(evaluator, "evaluate", None)
    (small_set / "file").write_text("")
    result = CliRunner().invoke(main, command_line(small_set, small_set / "file" / "page"))
    assert result.exit_code == 6
    assert "can't be created" in result.output


def test_a_page_that_cannot_be_written_is_refused(small_set, qapp):
    (small_set / "page" / PAGE).mkdir(parents=True)
    result = CliRunner().invoke(main, command_line(small_set, small_set / "page"))
    assert result.exit_code == 6
    assert "can't be written" in result.output


def test_images_are_left_out_without_a_renderer(small_set, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "kpviewer.evaluation.drawing", None)
    result = CliRunner().invoke(main, command_line(small_set, small_set / "page"))
    assert result.exit_code == 0, result.output
    assert "no images in the report" in result.output
    assert "data:image/jpeg" not in (small_set / "page" / PAGE).read_text(encoding="utf-8")
