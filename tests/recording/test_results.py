import csv
import io
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask
from pycocotools.coco import COCO
from sample_results import detections, result

from kpviewer.annotations.ground_truth import read_ground_truth
from kpviewer.annotations.spec import read_annotations
from kpviewer.errors import RecordingError
from kpviewer.recording import parts
from kpviewer.recording import results as module
from kpviewer.recording.label_formats import YoloLabels
from kpviewer.recording.results import ResultHeader, ResultWriter, open_results
from kpviewer.structures import FrameError, FrameResult, GroundTruth, Thresholds

HEADER = ResultHeader("clip.mp4", "face-ssd", ("face", "hand"), ("nose",), Thresholds(score=0.25))


def sample() -> list[FrameResult]:
    both = detections(
        [(1.5, 2, 11.25, 22), (30, 30, 40.125, 50)],
        scores=[0.9, 0.75],
        class_ids=[0, 1],
        points=[[(5, 6)], [(35, 36.5)]],
    )
    return [result(both, index=0), result(index=1, time_s=0.04)]


def written(
    kind: str, folder: Path, frames: list[FrameResult], header: ResultHeader = HEADER
) -> str:
    """The text of the kind's first file."""
    return texts(kind, folder, frames, header)[0]


def texts(
    kind: str, folder: Path, frames: list[FrameResult], header: ResultHeader = HEADER
) -> list[str]:
    """The text of each file."""
    writers = open_results(kind, folder, "clip", header)
    for each in frames:
        for writer in writers:
            writer.accept(each)
    return [writer.close().read_text(encoding="utf-8") for writer in writers]


def of_file(
    one: FrameResult, file: str, number: int | None = None, image_id: int | str | None = None
) -> FrameResult:
    """The same frame, read from a file; with the id that a COCO ground truth gives it."""
    ground_truth = None if image_id is None else replace(GroundTruth.empty(), image_id=image_id)
    return replace(
        one, frame=replace(one.frame, file=file, frame_in_file=number, ground_truth=ground_truth)
    )


def test_json_lines_start_with_a_header_and_hold_each_frame(tmp_path):
    lines = [json.loads(line) for line in written("jsonl", tmp_path, sample()).splitlines()]
    header, first, second = lines
    assert (header["format"], header["version"]) == ("kpviewer-results", 1)
    assert (header["model"], header["source"]) == ("face-ssd", "clip.mp4")
    assert header["thresholds"]["score"] == 0.25
    assert header["thresholds"]["nms"] == "hard"
    assert first["detections"][1] == {
        "class": "hand",
        "class_id": 1,
        "score": 0.75,
        "xyxy": [30.0, 30.0, 40.12, 50.0],
        "keypoints": [[35.0, 36.5]],
    }
    assert (second["index"], second["position_s"], second["detections"]) == (1, 0.04, [])
    assert second["captured_ns"] == 40_000_000
    stages = ["read", "queue_wait", "upload", "forward", "postprocess", "total"]  # no "_ms"
    assert list(first["timings"]) == stages


def test_json_lines_hold_the_error_where_there_is_ground_truth(tmp_path):
    one = sample()[0]
    error = FrameError(1.25, float("nan"), "inter-ocular", 0.5, 1, 0, 1)
    with_error = FrameResult(one.frame, one.candidates, one.detections, one.timings, error)
    last = json.loads(written("jsonl", tmp_path, [one, with_error]).splitlines()[-1])
    assert last["error"]["mean_px"] == 1.25
    assert last["error"]["nme"] is None  # JSON has no NaN
    assert (last["error"]["matched"], last["error"]["missed"], last["error"]["spurious"]) == (
        1,
        0,
        1,
    )


def outlined(*corners: list[float]) -> FrameResult:
    """A frame with an object that has these corners, and one that has fewer."""
    first = np.array(corners, np.float32)
    outlines = np.stack([first, np.minimum(first, first[2])])
    boxes = [(*each.min(0), *each.max(0)) for each in outlines]
    both = detections(boxes, scores=[0.9, 0.75], class_ids=[0, 1])
    return result(replace(both, outlines_xy=outlines), index=0)


OUTLINES = replace(HEADER, keypoint_names=(), has_outlines=True)
MASK = [0.0, 0], [40, 0], [40, 20], [20, 20], [20, 30], [0, 30]


def test_outlines_of_masks_are_written_without_repeated_corners(tmp_path):
    one = outlined(*MASK, MASK[-1], MASK[-1])
    corners = [list(map(float, each)) for each in MASK]
    line = json.loads(written("jsonl", tmp_path, [one], OUTLINES).splitlines()[1])
    assert line["detections"][0]["outline"] == corners
    row, _ = csv.DictReader(io.StringIO(written("csv", tmp_path, [one], OUTLINES)))
    assert [float(each) for each in row["outline"].split()] == np.ravel(corners).tolist()
    (bare,) = written("csv", tmp_path, [], HEADER).splitlines()
    assert "outline" not in bare


def test_pycocotools_finds_the_area_of_written_masks(tmp_path):
    one = outlined(*MASK, MASK[-1], MASK[-1])
    results, dataset = texts("coco", tmp_path, [one], OUTLINES)
    truth = COCO()
    truth.dataset = json.loads(dataset)
    truth.createIndex()
    (first, _) = truth.dataset["annotations"]
    assert first["area"] == 40 * 20 + 20 * 10
    assert mask.area(truth.annToRLE(first)) == first["area"]
    found = truth.loadRes(json.loads(results))
    assert mask.area(found.annToRLE(found.anns[1])) == first["area"]


def test_rotated_boxes_keep_four_corners_in_yolo_labels():
    one = outlined([8, 0], [16, 8], [8, 16], [0, 8])
    text = YoloLabels(OUTLINES).text("a.jpg", (32, 16), one.detections)
    first, second = text.splitlines()
    assert first.split() == [
        "0",
        *("0.250000", "0.000000", "0.500000", "0.500000"),
        *("0.250000", "1.000000", "0.000000", "0.500000"),
    ]
    assert len(second.split()) == 9, "corners that coincide, too"


def test_rotated_boxes_keep_their_angle_at_the_edge_in_yolo_labels():
    """Ultralytics reads corners outside of an image that a box is centred in, and fits in."""
    out = outlined([-2, 4], [4, -2], [10, 4], [4, 10])
    text = YoloLabels(OUTLINES).text("a.jpg", (32, 16), out.detections).splitlines()[0]
    shares = np.array(text.split()[1:], float).reshape(-1, 2)
    assert (shares * (32, 16)).tolist() == [[-2, 4], [4, -2], [10, 4], [4, 10]]


def test_rotated_boxes_larger_than_the_image_are_upright_in_yolo_labels():
    band = outlined([-90, -50], [-80, -60], [110, 60], [100, 70])
    text = YoloLabels(OUTLINES).text("a.jpg", (32, 16), band.detections).splitlines()[0]
    shares = np.array(text.split()[1:], float).reshape(-1, 2)
    assert shares.tolist() == [[0, 0], [1, 0], [1, 1], [0, 1]], "their corners would be a line"


def test_masks_without_area_are_polygons_to_other_programs(tmp_path):
    """A mask beside the image has one corner, which pycocotools refuses, or two, a box to it."""
    for corners in ([[0.0, 4]] * 6, [[0.0, 4]] * 3 + [[0.0, 8]] * 3):
        flat = outlined(*corners)
        text = YoloLabels(OUTLINES).text("a.jpg", (32, 16), flat.detections)
        assert all(len(line.split()) >= 7 for line in text.splitlines())
        _, dataset = texts("coco", tmp_path, [flat], OUTLINES)
        truth = COCO()
        truth.dataset = json.loads(dataset)
        truth.createIndex()
        assert mask.area(truth.annToRLE(truth.dataset["annotations"][0])) == 0


def test_csv_has_a_row_for_each_detection(tmp_path):
    rows = list(csv.DictReader(io.StringIO(written("csv", tmp_path, sample()))))
    assert len(rows) == 2
    assert rows[0]["class"] == "face" and rows[1]["class_id"] == "1"
    assert [float(rows[0][key]) for key in ("x1", "y1", "x2", "y2")] == [1.5, 2, 11.25, 22]
    assert (rows[1]["nose_x"], rows[1]["nose_y"]) == ("35.0", "36.5")


def test_track_ids_are_written_if_objects_are_tracked(tmp_path):
    one = sample()[0]
    followed = replace(one.detections, track_ids=np.array([7, -1]))
    frames = [replace(one, detections=followed)]
    line = json.loads(written("jsonl", tmp_path, frames).splitlines()[1])
    assert [each["track_id"] for each in line["detections"]] == [7, None]
    rows = list(csv.DictReader(io.StringIO(written("csv", tmp_path, frames))))
    assert [row["track_id"] for row in rows] == ["7", ""]
    rows = list(csv.DictReader(io.StringIO(written("csv", tmp_path, [one]))))
    assert [row["track_id"] for row in rows] == ["", ""]


def test_smoothed_landmarks_are_not_written(tmp_path):
    one = sample()[0]
    smoothed = replace(one.detections, smoothed_xy=one.detections.keypoints_xy + np.float32(9))
    for kind in ("jsonl", "csv", "coco"):
        assert written(kind, tmp_path, [replace(one, detections=smoothed)]) == written(
            kind, tmp_path, [one]
        )


def test_csv_quotes_names_with_commas(tmp_path):
    (writer,) = open_results("csv", tmp_path, "clip", ResultHeader("clip", class_names=('a, "b"',)))
    writer.accept(result(detections([(0, 0, 1, 1)])))
    (row,) = csv.DictReader(io.StringIO(writer.close().read_text()))
    assert row["class"] == 'a, "b"'


def test_coco_list_can_be_loaded_by_pycocotools(tmp_path):
    text = written("coco", tmp_path, sample())
    images = [{"id": 0, "height": 48, "width": 64}, {"id": 1, "height": 48, "width": 64}]
    ground = COCO()
    ground.dataset = {
        "info": {},
        "images": images,
        "annotations": [],
        "categories": [{"id": 1}, {"id": 2}],
    }
    ground.createIndex()
    boxes_only = [{k: v for k, v in each.items() if k != "keypoints"} for each in json.loads(text)]
    loaded = ground.loadRes(boxes_only)
    assert [each["bbox"] for each in loaded.loadAnns(loaded.getAnnIds(imgIds=[0]))] == [
        [1.5, 2.0, 9.75, 20.0],
        [30.0, 30.0, 10.12, 20.0],
    ]
    assert [each["category_id"] for each in json.loads(text)] == [1, 2]
    assert json.loads(text)[0]["keypoints"] == [5.0, 6.0, 2]


def test_every_row_names_its_image(tmp_path):
    one = sample()[0]
    frames = [of_file(one, "a/IMG_0007.jpg"), of_file(one, "clip.mp4", 3), one]
    lines = [json.loads(line) for line in written("jsonl", tmp_path, frames).splitlines()[1:]]
    assert [line["file"] for line in lines] == ["a/IMG_0007.jpg", "clip.mp4", None]
    assert [line.get("frame_in_file") for line in lines] == [None, 3, None]
    rows = list(csv.DictReader(io.StringIO(written("csv", tmp_path, frames))))
    assert [row["file"] for row in rows[::2]] == ["a/IMG_0007.jpg", "clip.mp4", ""]
    assert [row["frame_in_file"] for row in rows[::2]] == ["", "3", ""]


def test_coco_data_set_opens_and_has_the_ids_of_the_list(tmp_path):
    frames = [of_file(sample()[0], "a/IMG_0007.jpg"), of_file(sample()[1], "b.png")]
    results, dataset = texts("coco", tmp_path, frames, replace(HEADER, skeleton=((0, 0),)))
    (tmp_path / "set.json").write_text(dataset)
    opened = COCO(str(tmp_path / "set.json"))
    assert [each["file_name"] for each in opened.loadImgs([0, 1])] == ["a/IMG_0007.jpg", "b.png"]
    assert {(each["width"], each["height"]) for each in opened.imgs.values()} == {(64, 48)}
    assert [(each["id"], each["name"]) for each in opened.cats.values()] == [
        (1, "face"),
        (2, "hand"),
    ]
    assert opened.cats[1]["keypoints"] == ["nose"]
    assert opened.cats[1]["skeleton"] == [[1, 1]]  # COCO counts from 1
    objects = list(opened.anns.values())
    assert [each["id"] for each in objects] == [1, 2]
    same = ("image_id", "category_id", "bbox", "score", "keypoints")
    assert [{key: each[key] for key in same} for each in objects] == json.loads(results)
    assert [each["area"] for each in objects] == [195.0, 202.4]
    assert {(each["iscrowd"], each["num_keypoints"]) for each in objects} == {(0, 1)}


def test_coco_data_set_of_a_video_is_ground_truth_of_its_frames(tmp_path):
    frames = [of_file(each, "clip.mp4", n) for n, each in enumerate(sample())]
    results, dataset = texts("coco", tmp_path, [*frames, frames[0]])
    assert len(json.loads(results)) == 2  # a frame seen twice is one image
    (tmp_path / "clip_ground_truth.json").write_text(dataset)
    read = read_annotations(f"coco:{tmp_path / 'clip_ground_truth.json'}")
    assert [image.frame_index for image in read.images] == [0, 1]
    assert [len(image.targets) for image in read.images] == [2, 0]
    assert [image.path.name for image in read.images] == ["clip_000000.jpg", "clip_000001.jpg"]


def test_coco_data_set_of_a_video_fits_no_frame_of_another_video(tmp_path):
    frames = [of_file(each, "clip.mp4", n) for n, each in enumerate(sample())]
    (tmp_path / "set.json").write_text(texts("coco", tmp_path, frames)[1])
    ground_truth = read_ground_truth(f"coco:{tmp_path / 'set.json'}", ())
    for name, objects in (("clip.mkv", 2), ("other.mp4", None)):
        ground_truth.set_source_files([Path(name)], 2)
        targets = ground_truth.for_frame(0, name)
        assert (None if targets is None else len(targets)) == objects
    (note,) = ground_truth.notes
    assert note.startswith("ground truth fits no frame of other.mp4: its entries are of clip.mp4.")


def test_coco_data_set_names_pages_of_equal_names_by_their_folders(tmp_path):
    pages = [of_file(sample()[n], f"{folder}/scan.tif", 0) for n, folder in enumerate("ab")]
    images = json.loads(texts("coco", tmp_path, pages)[1])["images"]
    names = [each["file_name"] for each in images]
    assert names == ["a/scan_000000.jpg", "b/scan_000000.jpg"]


def test_coco_files_have_the_ids_of_a_coco_ground_truth(tmp_path):
    header = replace(HEADER, category_ids={0: 90})  # it knows no hands
    known = of_file(sample()[0], "c.jpg", image_id=7)
    strange = [of_file(sample()[0], "new.jpg"), of_file(sample()[0], "other.jpg")]
    results, dataset = texts("coco", tmp_path, [known, *strange], header)
    found = [(each["image_id"], each["category_id"]) for each in json.loads(results)]
    assert found == [(7, 90)]
    assert [each["id"] for each in json.loads(dataset)["images"]] == [7]
    assert [(each["id"], each["name"]) for each in json.loads(dataset)["categories"]] == [
        (90, "face")
    ]
    writers = open_results("coco", tmp_path, "again", header)
    for writer in writers:
        for each in (known, *strange, strange[0]):
            writer.accept(each)
        writer.close()
    images, classes = [note for writer in writers for note in writer.notes]
    assert "doesn't have: 2, the first is new.jpg" in images
    assert "hand (1)" in classes


def test_coco_files_may_have_words_as_ids(tmp_path):
    header = replace(HEADER, category_ids={0: "F", 1: 2})
    results, dataset = texts(
        "coco", tmp_path, [of_file(sample()[0], "c.jpg", image_id="x7")], header
    )
    found = {(each["image_id"], each["category_id"]) for each in json.loads(results)}
    assert found == {("x7", "F"), ("x7", 2)}
    assert [each["id"] for each in json.loads(dataset)["categories"]] == [2, "F"]


def test_coco_list_of_nothing_is_an_empty_list(tmp_path):
    assert json.loads(written("coco", tmp_path, [result()])) == []


@pytest.mark.parametrize("kind", ["jsonl", "csv", "coco"])
def test_numbers_that_are_not_finite_are_left_empty(tmp_path, kind):
    text = written(kind, tmp_path, [result(detections([(0, 0, np.inf, 9)]))])
    assert "inf" not in text.lower().replace("info", "")
    if kind == "coco":
        json.loads(text)


def test_file_is_a_part_until_it_is_closed_and_is_flushed_each_second(tmp_path, monkeypatch):
    now = iter(range(0, 1000, 2))
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(now)))
    (writer,) = open_results("jsonl", tmp_path, "clip", HEADER)
    writer.accept(sample()[0])
    part = tmp_path / "clip.jsonl.part"
    assert len(part.read_text().splitlines()) == 2  # the content after a crash
    assert writer.close() == writer.close() == tmp_path / "clip.jsonl"
    assert not part.exists()


def test_results_never_overwrite(tmp_path):
    (tmp_path / "clip.csv").write_text("mine")
    (writer,) = open_results("csv", tmp_path, "clip", HEADER)
    assert writer.close().name == "clip_2.csv"
    assert (tmp_path / "clip.csv").read_text() == "mine"


class _FullDisk:
    """A format whose frames can't be written, as on a full disk."""

    def begin(self) -> str:
        return "header\n"

    def frame(self, _result: FrameResult) -> str:
        raise OSError(28, "No space left on device")

    def end(self) -> str:
        return "end\n"

    def whole_bytes(self, cut: bytes) -> int:
        return len(cut)

    def end_of_cut(self) -> str:
        return ""

    def notes(self) -> list[str]:
        return []


@pytest.mark.parametrize("error", [ValueError("not text"), MemoryError(), KeyError("thing")])
def test_error_of_any_kind_is_reported_and_the_sink_survives(tmp_path, error):
    class Broken(_FullDisk):
        def frame(self, _result: FrameResult) -> str:
            raise error

    writer = ResultWriter(tmp_path, "clip", ".jsonl", Broken())
    writer.accept(result())
    writer.accept(result(index=1))
    assert "clip.jsonl.part is incomplete: " in (writer.failure or "")
    with pytest.raises(RecordingError):
        writer.close()
    assert (tmp_path / "clip.jsonl").read_text() == "header\n"


def test_full_disk_is_reported_and_the_sink_survives(tmp_path):
    writer = ResultWriter(tmp_path, "clip", ".jsonl", _FullDisk())
    writer.accept(result())
    writer.accept(result(index=1))
    assert writer.failure is not None and "disk is full" in writer.failure
    with pytest.raises(RecordingError, match=r"clip\.jsonl\.part is incomplete"):
        writer.close()
    assert (tmp_path / "clip.jsonl").read_text() == "header\n"


@pytest.mark.parametrize("kind", ["jsonl", "csv", "coco"])
def test_what_a_full_disk_leaves_is_whole(kind, tmp_path, monkeypatch):
    """Whatever the disk takes, the first entries are in the file, and nothing else."""
    frames = [replace(sample()[0], frame=replace(sample()[0].frame, index=i)) for i in range(4)]
    whole = written(kind, tmp_path / "whole", frames)
    written_by_system = os.write
    for room in range(len(whole) // 3, len(whole) - 4, 29):
        writer, *others = open_results(kind, tmp_path / str(room), "clip", HEADER)
        for other in others:
            other.close()

        def write(descriptor: int, data: bytes, room: int = room) -> int:
            left = room - os.lseek(descriptor, 0, os.SEEK_CUR)
            if left <= 0:
                raise OSError(28, "No space left on device")
            return written_by_system(descriptor, bytes(data)[:left])

        monkeypatch.setattr(parts.os, "write", write)
        for frame in frames:
            writer.accept(frame)
        with pytest.raises(RecordingError, match="the disk is full"):
            writer.close()
        monkeypatch.undo()
        text = (writer.path or tmp_path).read_text()
        if kind == "coco":
            entries, expected = json.loads(text), json.loads(whole)
            assert entries == expected[: len(entries)]
            assert len(entries) > 0
        else:
            assert whole.startswith(text)
            assert text.endswith("\n")


NOT_TEXT = "film-\udce9.mp4"
"""The name of a file in Latin-1, as Python reads it from a disk of today."""


@pytest.mark.parametrize("kind", ["jsonl", "csv", "coco"])
def test_a_name_that_is_not_text_is_escaped_and_the_file_stays_utf_8(kind, tmp_path):
    header = replace(HEADER, source=NOT_TEXT, class_names=(NOT_TEXT, "\ud800"))
    frames = [of_file(each, NOT_TEXT) for each in sample()]
    for text in texts(kind, tmp_path, frames, header):
        assert "\\udce9" in text or kind == "coco"
        if kind == "coco":
            json.loads(text)
    if kind == "jsonl":
        lines = [json.loads(line) for line in written(kind, tmp_path, frames, header).splitlines()]
        assert lines[0]["source"] == NOT_TEXT
        assert lines[0]["class_names"] == [NOT_TEXT, "\ud800"]


def test_a_file_that_can_not_be_written_as_text_says_so(tmp_path, monkeypatch):
    def refuse(_text: str) -> bytes:
        raise UnicodeEncodeError("utf-8", "x", 0, 1, "made up")

    (writer,) = open_results("jsonl", tmp_path, "clip", HEADER)
    monkeypatch.setattr(module, "utf8_of", refuse)
    writer.accept(sample()[0])
    with pytest.raises(RecordingError, match="incomplete"):
        writer.close()


SCORED = replace(HEADER, keypoint_names=("nose", "chin"), has_keypoint_scores=True)


def scored() -> FrameResult:
    """Two objects with a keypoint that the model isn't sure of, and one that it is."""
    return result(
        detections(
            [(1, 2, 11, 22), (30, 30, 40, 50)],
            points=[[(5, 6), (7, 8)], [(35, 36), (37, 38)]],
            point_scores=[[0.91234567, 0.499], [0.5, 0.1]],
        )
    )


def test_json_lines_hold_the_score_of_each_keypoint(tmp_path):
    line = json.loads(written("jsonl", tmp_path, [scored()], SCORED).splitlines()[1])
    assert [each["keypoint_scores"] for each in line["detections"]] == [
        [0.9123, 0.499],
        [0.5, 0.1],
    ]
    assert line["detections"][0]["keypoints"] == [[5.0, 6.0], [7.0, 8.0]]  # whatever the threshold


def test_csv_ends_with_the_scores_of_keypoints(tmp_path):
    lines = written("csv", tmp_path, [scored(), sample()[1]], SCORED).splitlines()
    assert lines[0].endswith("chin_x,chin_y,track_id,file,frame_in_file,nose_score,chin_score")
    assert [line.split(",")[-2:] for line in lines[1:]] == [["0.9123", "0.499"], ["0.5", "0.1"]]
    plain = written("csv", tmp_path, sample()).splitlines()
    assert plain[0].endswith("nose_x,nose_y,track_id,file,frame_in_file")
    assert plain[1].count(",") == plain[0].count(",")


def test_coco_has_no_position_of_a_keypoint_below_the_threshold(tmp_path):
    results, dataset = texts("coco", tmp_path, [scored()], SCORED)
    points = [each["keypoints"] for each in json.loads(results)]
    assert points == [[5.0, 6.0, 2, 0, 0, 0], [35.0, 36.0, 2, 0, 0, 0]]
    annotations = json.loads(dataset)["annotations"]
    assert [each["keypoints"] for each in annotations] == points
    assert [each["num_keypoints"] for each in annotations] == [1, 1]
    (tmp_path / "again.json").write_text(dataset)
    (image,) = read_annotations(f"coco:{tmp_path / 'again.json'}").images
    assert image.targets.keypoints_visible.tolist() == [[True, False]] * 2


def test_csv_with_scores_of_keypoints_is_read_as_annotations(tmp_path):
    frame = of_file(scored(), "a.png")
    (tmp_path / "found.csv").write_text(written("csv", tmp_path, [frame], SCORED))
    (image,) = read_annotations(f"csv:{tmp_path / 'found.csv'}").images
    assert image.targets.keypoints_xy[0].tolist() == [[5, 6], [7, 8]]
