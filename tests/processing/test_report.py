"""The page of eval on the frames of a source, from a run or from a scan."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sample_clips import FRAMES, BoxEngine, make_clip
from sample_results import detections, ground_truth, result

from kpviewer.cli.process import process_sources
from kpviewer.errors import DatasetError
from kpviewer.models.spec import Task
from kpviewer.overlay import OverlayStyle
from kpviewer.processing.options import ProcessOptions
from kpviewer.processing.report import SourceReport
from kpviewer.structures import Candidates, ImageArray

pytestmark = pytest.mark.usefixtures("qapp")

WRONG = (4, 9)
"""Frames whose object is elsewhere: one missed, one false alarm. The last one has two objects."""


class CountedEngine(BoxEngine):
    """The same engine, with a name for scans; it counts its images."""

    model_hash, backend, precision, device_name = "ab" * 32, "torch", "fp32", "CPU"
    seen = 0

    def infer(self, bgr: ImageArray) -> tuple[Candidates, tuple[float, float, float]]:
        self.seen += 1
        return super().infer(bgr)


class PointEngine(BoxEngine):
    """The same engine, with five keypoints."""

    def infer(self, bgr: ImageArray) -> tuple[Candidates, tuple[float, float, float]]:
        found, timings = super().infer(bgr)
        return replace(found, keypoints_xy=np.zeros((1, 5, 2), np.float32)), timings


@pytest.fixture
def clip(tmp_path: Path) -> str:
    return make_clip(tmp_path / "clip.mp4")


@pytest.fixture
def annotations(tmp_path: Path) -> str:
    """Ground truth of all frames but the last, as COCO."""
    frames = range(FRAMES - 1)
    path = tmp_path / "labels.json"
    boxes = [(index, [2, 2, 5, 5] if index in WRONG else [10, 10, 30, 20]) for index in frames]
    boxes.append((WRONG[-1], [50, 2, 5, 5]))
    objects = [
        {"id": number, "image_id": index, "category_id": 1, "bbox": box}
        for number, (index, box) in enumerate(boxes, 1)
    ]
    images = [{"id": index, "file_name": "clip.mp4", "width": 64, "height": 48} for index in frames]
    categories = [{"id": 1, "name": "thing"}]
    path.write_text(
        json.dumps({"images": images, "annotations": objects, "categories": categories})
    )
    return f"coco:{path}"


def report(clip: str, engine: BoxEngine, out: Path, **given: object) -> tuple[int, str]:
    options = ProcessOptions(out, (), report=True, **given)
    code = process_sources([clip], options, engine=engine)
    page = out / "clip_report" / "report.html"
    return code, page.read_text("utf-8") if page.exists() else ""


def cells(page: str, name: str) -> list[str]:
    """Return the cells of the row of a table that begins with a name."""
    row = re.search(rf"<tr><td>{name}</td>(.*?)</tr>", page)
    assert row is not None
    return re.findall("<td>(.*?)</td>", row.group(1))


def test_frames_with_ground_truth_are_scored_and_the_worst_are_shown(clip, annotations, tmp_path):
    code, page = report(clip, BoxEngine(), tmp_path / "out", ground_truth=annotations)
    assert code == 0
    assert cells(page, "all")[0] == "11"
    assert " ms a frame" in page
    objects, *_, precision, recall, f1 = cells(page, "thing")
    # 9 of 11 are right, 9 of 12 objects are found
    assert (objects, precision, recall, f1) == ("12", "0.818", "0.750", "0.783")
    assert re.findall("<figcaption>(clip.mp4 frame .*?)</figcaption>", page) == [
        "clip.mp4 frame 9 (0.90 s), 2 false negatives, 1 false positive",
        "clip.mp4 frame 4 (0.40 s), 1 false negative, 1 false positive",
    ]
    assert page.count("data:image/jpeg") == 2


def test_five_keypoints_of_no_face_are_noted(clip, annotations, tmp_path):
    engine = PointEngine()
    engine.spec = replace(
        BoxEngine.spec, task=Task.DETECT_KEYPOINTS, keypoint_names=("thumb", *"abcd")
    )
    _, page = report(clip, engine, tmp_path / "out", ground_truth=annotations)
    assert "NME is over the distance of &#39;thumb&#39; and &#39;a&#39;" in page


def test_classes_of_whole_images_have_no_report(clip, annotations, tmp_path, capsys):
    engine = BoxEngine()
    engine.spec = replace(BoxEngine.spec, task=Task.CLASSIFY)
    code, page = report(clip, engine, tmp_path / "out", ground_truth=annotations)
    assert (code, page) == (DatasetError("").exit_code, "")
    assert "no boxes. kpviewer eval --report scores it." in capsys.readouterr().err


@pytest.mark.parametrize("is_hidden", [True, False])
def test_images_hide_what_is_found_and_what_was_missed(is_hidden, tmp_path, monkeypatch):
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    missed = ground_truth((36, 4, 60, 20), (0, 0)).with_keypoints([])
    seen = result(detections([(4, 4, 24, 20)]), bgr=noise, targets=missed)
    kept: list[ImageArray] = []
    monkeypatch.setattr("kpviewer.processing.report._small", kept.append)
    style = OverlayStyle(anonymise=is_hidden)
    SourceReport(BoxEngine(), BoxEngine.spec.thresholds, tmp_path, style).accept(seen)
    for box in (np.s_[4:20, 4:24], np.s_[4:20, 36:60]):
        assert (kept[0][box].std() < 40) == is_hidden
    assert (kept[0][30:] == noise[30:]).all()


def test_images_of_the_worst_frames_alone_are_kept(clip, annotations, tmp_path, monkeypatch):
    monkeypatch.setattr("kpviewer.processing.report.WORST", 1)
    _, page = report(clip, BoxEngine(), tmp_path / "out", ground_truth=annotations)
    figures = page.split("<figure>")[1:]
    assert [figure.count("data:image/jpeg") for figure in figures if "clip.mp4" in figure] == [1, 0]


def test_a_report_from_a_scan_runs_no_model(clip, annotations, tmp_path):
    out, engine = tmp_path / "out", CountedEngine()
    assert process_sources([clip], ProcessOptions(out, (), scans=True), engine=engine) == 0
    engine.seen = 0
    code, page = report(clip, engine, out, ground_truth=annotations, from_scan=out / "clip.kpv")
    assert (code, engine.seen) == (0, 0)
    assert cells(page, "thing")[-1] == "0.783"
    assert " ms a frame" not in page, "no time was measured"


class UnsureEngine(CountedEngine):
    """The same engine, with a box of score 0.03 in each image."""

    def infer(self, bgr: ImageArray) -> tuple[Candidates, tuple[float, float, float]]:
        found, timings = super().infer(bgr)
        xyxy = np.concatenate([found.xyxy, found.xyxy + np.float32(20)])
        scores = np.array([[0.6], [0.03]], np.float32)
        return Candidates(xyxy, scores, np.zeros((2, 0, 2), np.float32)), timings


def test_all_frames_of_a_report_begin_at_the_lowest_score_of_the_scan(clip, annotations, tmp_path):
    pages = []
    for name, seconds in (("part", 0.5), ("whole", None)):
        out = tmp_path / name
        options = ProcessOptions(out, (), scans=True, seconds=seconds)
        assert process_sources([clip], options, engine=UnsureEngine()) == 0
        given = {"ground_truth": annotations, "from_scan": out / "clip.kpv"}
        pages.append(report(clip, UnsureEngine(), out, **given)[1])
    pages.append(report(clip, UnsureEngine(), tmp_path / "plain", ground_truth=annotations)[1])
    errors = [re.search("expected calibration error ([0-9.]+)", page).group(1) for page in pages]  # type: ignore[union-attr]
    assert errors[0] == errors[1] != errors[2]
    assert ["The scan keeps no scores below 0.05" in page for page in pages] == [True, True, False]


def test_confidence_and_classes_count(clip, annotations, tmp_path):
    given = {"ground_truth": annotations, "changes": {"score": 0.7}}
    _, page = report(clip, BoxEngine(), tmp_path / "out", **given)
    assert cells(page, "thing")[-2:] == ["0.000", "0.000"]
    assert "precision at 0.70" in page


def test_without_ground_truth_there_is_no_report(clip, tmp_path, capsys):
    class Untouched(BoxEngine):
        def infer(self, _bgr):
            raise AssertionError("no frame is processed for nothing")

    code, page = report(clip, Untouched(), tmp_path / "out")
    assert (code, page) == (5, "")
    assert "clip.mp4 has ground truth. Name its annotations" in capsys.readouterr().err


def test_ground_truth_that_fits_no_frame_is_not_asked_for_again(clip, tmp_path, capsys):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/other_1.txt").write_text("0 0.5 0.5 0.2 0.2")
    given = {"ground_truth": str(tmp_path / "labels")}
    code, page = report(clip, BoxEngine(), tmp_path / "out", **given)
    assert (code, page) == (5, "")
    lines = capsys.readouterr().err
    assert "no frame of clip.mp4 has ground truth that fits." in lines
    assert "--ground-truth" not in lines


def test_labels_of_frames_need_no_images(clip, tmp_path):
    """The box of ``BoxEngine`` in shares of 64 x 48, as Ultralytics writes it; none in frame 0."""
    labels = tmp_path / "labels"
    labels.mkdir()
    for number in range(2, FRAMES + 1):
        (labels / f"clip_{number}.txt").write_text("0 0.390625 0.4166667 0.46875 0.4166667\n")
    code, page = report(clip, BoxEngine(), tmp_path / "out", ground_truth=f"yolo:{labels}")
    assert code == 0
    assert cells(page, "all")[0] == "12"
    objects, *_, precision, recall, _ = cells(page, "thing")
    assert (objects, precision, recall) == ("11", "0.917", "1.000")


def test_the_demo_is_not_compared_with_a_model_that_shares_no_class(tmp_path, capsys):
    engine = BoxEngine()
    engine.spec = replace(engine.spec, class_names=("ace", "jack"))
    options = ProcessOptions(tmp_path, (), report=True, seconds=0.2)
    assert process_sources(["demo"], options, engine=engine) != 0
    printed = capsys.readouterr().err
    assert "nothing is compared with the ground truth. The model knows ace, jack" in printed
    assert "no frame of demo has ground truth" in printed
