from pathlib import Path

import numpy as np
import pytest

from kpviewer.annotations.formats.biwi import read_biwi
from kpviewer.annotations.problems import Problems
from kpviewer.annotations.spec import read_annotations
from kpviewer.errors import DatasetError
from tests.annotations.public_sets import POSE, RGB_CAL, biwi


@pytest.fixture
def hpdb(tmp_path: Path) -> Path:
    return biwi(tmp_path)


def test_the_centre_is_projected_into_the_colour_image(hpdb):
    # by hand: R c + t = (27.6756, -11.3610, 893.5544) mm, then K
    first = read_biwi(hpdb).images[0]
    assert first.targets.keypoints_xy[0, 0] == pytest.approx([336.034, 233.918], abs=2e-3)
    assert first.targets.xyxy.tolist() == [[0, 0, 640, 480]]
    assert first.path == hpdb / "01" / "frame_00003_rgb.png"


@pytest.mark.parametrize("name", ["biwi:{}", "biwi:{}/hpdb", "{}/hpdb", "{}"])
def test_the_archive_and_its_folder_are_read(tmp_path, name):
    biwi(tmp_path)
    read = read_annotations(name.format(tmp_path), Problems())
    assert (len(read), read.class_names, read.keypoint_names) == (12, ("head",), ("centre",))


@pytest.mark.parametrize(
    ("people", "sequences"),
    [
        (None, ["01", "03", "13", "15"]),
        ("13", ["13"]),
        ("3", ["03", "15"]),  # one person, recorded twice
        ("15,1", ["01", "03", "15"]),
        ("-03", ["01", "13"]),
        ("-13,15", ["01"]),
    ],
)
def test_a_split_keeps_all_sequences_of_a_person_together(hpdb, people, sequences):
    read = read_biwi(hpdb, people)
    assert list(dict.fromkeys(image.path.parent.name for image in read.images)) == sequences


def test_scores_by_source_are_those_of_each_person(hpdb):
    sources = {image.path.parent.name: image.source for image in read_biwi(hpdb).images}
    assert sources["15"] == sources["03"] == "person 03"
    assert sources["01"] == "person 01"


def test_images_of_fastai_s_copy_are_found(hpdb):
    png = hpdb / "01" / "frame_00003_rgb.png"
    png.rename(png.with_suffix(".jpg"))
    assert read_biwi(hpdb, "01").images[0].path == png.with_suffix(".jpg")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("01/rgb.cal", "1 2 3", "27 numbers, got 3"),
        ("01/rgb.cal", RGB_CAL.replace("0 0 0 0", "0.1 0 0 0"), "no distortion"),
        ("01/rgb.cal", RGB_CAL.replace("640 480", "0 0"), "width and height"),
        ("01/rgb.cal", RGB_CAL.replace("640 480", "-640 480"), "at least 1"),
        ("01/rgb.cal", "x " * 100_000, "at most 0.1 MB"),
        ("01/frame_00003_pose.txt", POSE.format(x=1, y=2, z=3) + " 4", "12 numbers, got 13"),
        ("01/frame_00003_pose.txt", POSE.format(x=1, y=2, z=float("nan")), "an entry"),
        ("01/frame_00003_pose.txt", POSE.format(x=1, y=2, z=-900), "in front of the camera"),
        ("01/frame_00003_pose.txt", POSE.format(x=1e4, y=0, z=105.6), "x of the centre"),
    ],
)
def test_a_malformed_file_is_reported_and_can_be_left_out(hpdb, name, text, expected):
    (hpdb / name).write_text(text)
    with pytest.raises(DatasetError, match=expected):
        read_biwi(hpdb)
    problems = Problems()
    assert len(read_biwi(hpdb, None, problems)) == 12 - (3 if name.endswith(".cal") else 1)
    assert len(problems) == 1
    assert expected in problems[0].text


@pytest.mark.parametrize(
    ("people", "expected"),
    [("25", "no sequence '25'"), ("1,x", "no sequence '0x'"), ("", "'00'"), ("-", "'00'")],
)
def test_an_unknown_person_is_reported(hpdb, people, expected):
    with pytest.raises(DatasetError, match=expected):
        read_biwi(hpdb, people)


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="01 to 24"):
        read_biwi(tmp_path)


def test_points_are_those_of_a_pinhole_camera(hpdb):
    moved = read_biwi(hpdb, "01").images[2].targets.keypoints_xy[0, 0]
    start = read_biwi(hpdb, "01").images[0].targets.keypoints_xy[0, 0]
    # 80 mm to the right at 0.89 m: 517.679 * 80 / 893 px, less the camera's small turn
    assert moved - start == pytest.approx(np.array([46.5, 0]), abs=0.5)
