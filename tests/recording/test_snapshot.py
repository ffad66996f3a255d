import json
import re

import pytest
from PyQt6.QtGui import QImage
from sample_results import GREY, detections, result

from kpviewer.errors import RecordingError
from kpviewer.overlay import OverlayStyle, array_of, render
from kpviewer.recording import parts
from kpviewer.recording.results import ResultHeader
from kpviewer.recording.snapshot import save_snapshot

pytestmark = pytest.mark.usefixtures("qapp")

ONE = result(detections([(10, 20, 30, 40)]))


def test_annotated_snapshot_is_what_the_renderer_paints(tmp_path):
    path = save_snapshot(ONE, tmp_path, OverlayStyle(("face",)))
    assert (array_of(QImage(str(path))) == render(ONE, OverlayStyle(("face",)))).all()


def test_raw_snapshot_is_the_frame(tmp_path):
    assert (array_of(QImage(str(save_snapshot(ONE, tmp_path)))) == GREY).all()


def test_snapshots_are_named_by_time_and_never_overwrite(tmp_path):
    name = save_snapshot(ONE, tmp_path).name
    assert re.fullmatch(r"kpviewer_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d\.png", name)
    names = [save_snapshot(ONE, tmp_path, stem="face").name for _ in range(2)]
    assert names == ["face.png", "face_2.png"]


def test_image_that_cannot_be_written_is_reported_and_leaves_nothing(tmp_path, monkeypatch):
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(parts.os, "write", full)
    with pytest.raises(RecordingError, match="the disk is full"):
        save_snapshot(ONE, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_json_beside_a_snapshot_has_its_name_and_the_detections(tmp_path):
    (tmp_path / "face.json").touch()  # this name is taken: image and JSON both get the next one
    header = ResultHeader("clip.mp4", "face-ssd", ("face",))
    path = save_snapshot(ONE, tmp_path, stem="face", header=header)
    assert path.name == "face_2.png"
    saved = json.loads(path.with_suffix(".json").read_text())
    assert (saved["format"], saved["picture"], saved["source"]) == (
        "kpviewer-snapshot", "face_2.png", "clip.mp4",
    )  # fmt: skip
    assert (saved["width"], saved["height"]) == (64, 48)
    assert saved["detections"][0]["xyxy"] == [10, 20, 30, 40]


def test_json_beside_a_snapshot_has_the_scores_of_keypoints(tmp_path):
    found = detections([(10, 20, 30, 40)], points=[[(15, 25)]], point_scores=[[0.25]])
    header = ResultHeader("clip.mp4", "pose", ("person",), ("nose",), has_keypoint_scores=True)
    path = save_snapshot(result(found), tmp_path, stem="pose", header=header)
    (saved,) = json.loads(path.with_suffix(".json").read_text())["detections"]
    assert saved["keypoint_scores"] == [0.25]
