"""Ground truth of frames that a scan has seen."""

from pathlib import Path

import pytest

from kpviewer.annotations.ground_truth import read_ground_truth
from kpviewer.gui.opening.ground_truth_lookup import GroundTruthLookup
from kpviewer.sources.turn import Turn
from kpviewer.structures import GroundTruth

ROWS = (
    "file,class,xmin,ymin,xmax,ymax\n"
    "one/a.png,cat,10,0,20,9\none/b.png,dog,20,0,30,9\ntwo/a.png,cat,30,0,40,9\n"
)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    (tmp_path / "labels.csv").write_text(ROWS)
    return [tmp_path / name for name in ("one/a.png", "one/b.png", "two/a.png")]


@pytest.fixture
def lookup(files: list[Path]) -> GroundTruthLookup:
    known = read_ground_truth(str(files[0].parents[1] / "labels.csv"), ("dog", "cat"))
    known.set_source_files(files)
    return GroundTruthLookup(known, files)


def left(found: GroundTruth | None) -> float | None:
    return None if found is None or not len(found) else float(found.xyxy[0, 0])


def test_images_are_found_by_place_and_by_file(lookup):
    assert [left(lookup.for_frame(index, (64, 48))) for index in range(4)] == [10, 20, 30, None]
    assert left(lookup.for_frame(0, (64, 48), "two/a.png")) == 30
    assert left(lookup.for_frame(0, (64, 48), "three/a.png")) is None


def test_an_image_of_another_size_has_none(lookup):
    assert lookup.for_frame(2, (20, 48)) is None


def test_each_model_has_its_own_class_ids(lookup):
    other = lookup.for_names(("cat", "dog"), ())
    assert other.for_frame(0).class_ids.tolist() == [0]
    assert lookup.for_frame(0).class_ids.tolist() == [1]
    assert lookup.for_names(("bicycle",), ()) is None


def test_each_model_has_its_own_order_of_keypoints(tmp_path):
    rows = "file,class,xmin,ymin,xmax,ymax,a_x,a_y,b_x,b_y\n1.png,cat,0,0,9,9,1,1,2,2\n"
    (tmp_path / "points.csv").write_text(rows)
    known = read_ground_truth(str(tmp_path / "points.csv"), ("cat",), ("b", "a"))
    lookup = GroundTruthLookup(known, [tmp_path / "1.png"])
    known.set_source_files([tmp_path / "1.png"])
    assert lookup.for_frame(0).keypoints_xy[0, :, 0].tolist() == [2, 1]
    other = lookup.for_names(("cat",), ("a", "b"))
    assert other.for_frame(0).keypoints_xy[0, :, 0].tolist() == [1, 2]


def test_looking_up_leaves_the_notes_of_the_source_alone(files):
    known = read_ground_truth(str(files[0].parents[1] / "labels.csv"), ("dog", "cat"))
    known.set_source_files(files)
    notes = known.notes
    assert (
        GroundTruthLookup(known, files).for_names(("dog", "cat"), ()).for_frame(2, (20, 48)) is None
    )
    assert known.notes == notes


def test_a_video_is_looked_up_by_number(tmp_path):
    (tmp_path / "labels.csv").write_text(
        "file,class,xmin,ymin,xmax,ymax\n0.png,cat,1,0,9,9\n7.png,cat,2,0,9,9\n"
    )
    known = read_ground_truth(str(tmp_path / "labels.csv"), ("cat",))
    known.set_source_files([tmp_path / "clip.mp4"], 10)
    lookup = GroundTruthLookup(known, [tmp_path / "clip.mp4"])
    assert not lookup.needs_sizes
    assert [left(lookup.for_frame(index)) for index in (0, 1, 7)] == [1, None, 2]


def test_ground_truth_turns_with_its_frames(lookup):
    turned = lookup.turned(Turn(90), (48, 64)).for_names(("cat", "dog"), ())
    found = turned.for_frame(0, (48, 64))  # x from 10 to 20, y from 0 to 9, in 64 x 48
    assert found.xyxy.tolist() == [[39, 10, 48, 20]]
    assert found.class_ids.tolist() == [0]
    mirrored = lookup.turned(Turn(0, is_mirrored=True), (64, 48))
    assert mirrored.for_frame(0, (64, 48)) is None


@pytest.mark.parametrize(
    ("degrees", "shown_wh", "expected"),
    [(0, (200, 100), [[0, 0, 50, 50]]), (90, (100, 200), [[50, 0, 100, 50]])],
)
def test_labels_without_images_have_the_size_of_the_video(tmp_path, degrees, shown_wh, expected):
    (tmp_path / "clip_1.txt").write_text("0 0.125 0.25 0.25 0.5")
    known = read_ground_truth(f"yolo:{tmp_path}", ("cat",))
    known.set_source_files([tmp_path / "clip.mp4"], 2)
    lookup = GroundTruthLookup(known, [tmp_path / "clip.mp4"])
    assert lookup.for_frame(0) is None
    assert lookup.turned(Turn(degrees), shown_wh).for_frame(0).xyxy.tolist() == expected
