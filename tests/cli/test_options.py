import click
import pytest

from kpviewer.cli.options import threshold_changes
from kpviewer.cli.path_types import FolderPath, VideoPath
from kpviewer.structures import NmsKind, Thresholds


def test_only_what_was_given_changes_the_thresholds():
    assert (
        threshold_changes(
            {"conf": None, "iou": None, "nms": None, "sigma": None, "keypoint_conf": None}
        )
        == {}
    )
    changes = threshold_changes(
        {"conf": 0.0, "iou": None, "nms": "soft-linear", "sigma": 0.25, "keypoint_conf": 0.4}
    )
    assert Thresholds(**changes) == Thresholds(
        score=0.0, nms=NmsKind.SOFT_LINEAR, sigma=0.25, keypoint=0.4
    )


@pytest.mark.parametrize("name", ["out.avi", "out.MKV", "out.webm", "out.jsonl", "out.mod"])
def test_a_recording_of_another_format_is_refused(name):
    with pytest.raises(click.BadParameter, match=r"written as MP4: name out\.mp4"):
        VideoPath().convert(name, None, None)


@pytest.mark.parametrize("name", ["", "out", "out.mp4", "out.MP4", "take 2.5"])
def test_a_recording_is_named_with_or_without_its_suffix(name):
    assert VideoPath().convert(name, None, None) == name


def test_a_folder_is_not_named_as_a_file_unless_it_exists(tmp_path):
    for name in ("results.csv", "clip.mp4", "report.html"):
        with pytest.raises(click.BadParameter, match="is the name of a file"):
            FolderPath().convert(str(tmp_path / name), None, None)
    (tmp_path / "old.mp4").mkdir()
    for name in ("old.mp4", "run.2026.07", "results"):
        assert FolderPath().convert(str(tmp_path / name), None, None) == tmp_path / name
