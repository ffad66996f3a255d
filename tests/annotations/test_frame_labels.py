"""YOLO labels of a video's frames, without images: which are its own, numbers, missing ones."""

from pathlib import Path

import numpy as np
import pytest

from kpviewer.annotations.finishing.frame_labels import match_frame_labels
from kpviewer.annotations.ground_truth import read_ground_truth
from kpviewer.annotations.spec import read_annotations
from kpviewer.errors import DatasetError

BOX = "0 0.5 0.5 0.25 0.5"
CLIP = Path("clip.mp4")


def matched(names, frames=20, empty=(), video=CLIP):
    found = match_frame_labels([Path(name) for name in names], {*map(Path, empty)}, video, frames)
    return {number: path.as_posix() for number, path in found.by_frame.items()}, found


def first(names, frames=20, empty=(), video=CLIP):
    """Return the lowest frame number, and whether frames without a file have no objects."""
    by_frame, found = matched(names, frames, empty, video)
    return min(by_frame, default=None), found.are_all


def numbered(form, numbers):
    return [form.format(number) for number in numbers]


@pytest.mark.parametrize(
    ("form", "numbers", "expected"),
    [
        ("clip_{}.txt", (3, 4, 12), (2, True)),  # Ultralytics counts from 1, writes none if empty
        ("clip_{}.txt", (0, 3, 4), (0, False)),  # it never writes a 0
        ("clip_{}.txt", (5, 10, 15), (5, False)),  # every fifth: the others aren't annotated
        ("clip_{:04}.txt", (3, 4), (3, False)),
        ("clip_{:04}.txt", (1, 2), (0, False)),
        ("clip_{:04}.txt", (19, 20), (18, False)),  # frame 20 of 20 can only count from 1
        ("frame_{:06}.txt", (0, 1), (0, False)),  # CVAT
        ("frame_{:06}.txt", (7, 8), (7, False)),  # a job of CVAT's in the middle of the video
        ("{:06}.txt", (1, 2), (0, False)),  # FFmpeg's %06d
        ("clip_mp4-{:04}_jpg.rf.0a1b2c3d.txt", (0, 10), (0, False)),  # Roboflow
        ("clip_mp4-{:04}_jpg.rf.4kQ1Zc.txt", (0, 10), (0, False)),  # and as it names them now
        ("clip/{}.txt", (1, 2), (0, False)),
    ],
)
def test_numbers_count_from_zero_or_one_and_missing_files_mean_what_the_tool_means(
    form, numbers, expected
):
    assert first(numbered(form, numbers)) == expected


def test_an_empty_file_says_that_missing_ones_are_not_annotated():
    names = numbered("clip_{}.txt", (1, 2, 3))
    assert first(names, empty=names[1:2]) == (0, False)


def test_what_cannot_be_known_is_said():
    _, found = matched(numbered("frame_{:03}.txt", (7, 8)))
    assert found.notes == (
        "the labels name no video, and are taken as those of clip.mp4: frame_007.txt and 1 more",
        "labels are taken to count from 0: frame_007.txt is of frame 7 of clip.mp4, where 0 is "
        "the first. Renumber the files if it isn't",
        "frames without a label file aren't annotated: 18 of 20. "
        "An empty file says that a frame has no objects",
    )
    assert matched(numbered("clip_{}.txt", range(20)))[1].notes == ()


@pytest.mark.parametrize(("last", "doubts"), [(10, True), (11, False)])
def test_labels_of_half_of_a_video_may_be_those_of_a_stride(last, doubts):
    _, found = matched(numbered("clip_{}.txt", (1, 2, last)))
    assert ("vid_stride" in found.notes[-1]) == doubts


@pytest.mark.parametrize("video", ["clip.mp4", "Clip_2.mp4", "clip_frame.mp4"])
def test_files_of_the_video_are_used_in_a_folder_of_several(video):
    names = ["clip_1.txt", "clip_2_5.txt", "clip_2_6.txt", "other_1.txt", "notes.txt"]
    by_frame, _ = matched(names, video=Path(video))
    own = {"clip.mp4": {0: "clip_1.txt"}, "Clip_2.mp4": {4: "clip_2_5.txt", 5: "clip_2_6.txt"}}
    assert by_frame == own.get(video, {})


def test_files_of_another_video_fit_no_frame():
    _, found = matched(["other_1.txt", "other_2.txt"])
    assert found.notes == (
        "ground truth fits no frame of clip.mp4: its labels are named other_1.txt and 1 more. "
        "Name them clip_1.txt and so on, with the numbers of the frames",
    )
    _, found = matched(["a/frame_1.txt", "b/frame_1.txt"])
    assert "several of its labels have the same number (a, b)" in found.notes[0]
    assert matched(["a/frame_1.txt", "clip/frame_1.txt"])[0] == {0: "clip/frame_1.txt"}


def test_frames_of_one_video_may_be_in_several_splits():
    names = ["train/clip_1.txt", "val/clip_2.txt", "val/clip_1.txt"]
    by_frame, found = matched(names)
    assert by_frame == {0: "train/clip_1.txt", 1: "val/clip_2.txt"}
    assert found.notes[0].startswith("1 of 3 label files left out")


@pytest.fixture
def labels(tmp_path):
    """Return the folder of labels of three frames of six; the last is a pose."""
    folder = tmp_path / "labels"
    folder.mkdir()
    (folder / "clip_2.txt").write_text(f"{BOX}\n")
    (folder / "clip_3.txt").write_text(f"{BOX}\n0 0.1 0.1 0.1 0.1 0.9 7\n")  # score and track
    (folder / "clip_5.txt").write_text("0 0.5 0.5 0.5 0.5 0.25 0.75 2 0.5 0.5 1 0 0 0\n")
    (tmp_path / "data.yaml").write_text("names: [cat]\nkpt_shape: [3, 3]\n")
    return folder


def opened(folder, frames=6, classes=("cat",)):
    ground_truth = read_ground_truth(f"yolo:{folder}", classes)
    ground_truth.set_source_files([CLIP], frames)
    return ground_truth


def counts(ground_truth, size_wh=(200, 100), frames=6):
    found = [ground_truth.for_frame(index, "clip.mp4", size_wh) for index in range(frames)]
    return [None if each is None else len(each) for each in found]


def test_shares_are_of_the_frame_and_a_missing_file_has_no_objects(labels):
    ground_truth = opened(labels)
    assert counts(ground_truth) == [0, 1, 2, 0, 1, 0]
    np.testing.assert_allclose(
        ground_truth.for_frame(1, "clip.mp4", (200, 100)).xyxy, [[75, 25, 125, 75]], atol=1e-4
    )
    np.testing.assert_allclose(
        ground_truth.for_frame(1, "clip.mp4", (100, 200)).xyxy, [[37.5, 50, 62.5, 150]], atol=1e-4
    )
    pose = ground_truth.for_frame(4, "clip.mp4", (200, 100))
    np.testing.assert_allclose(pose.keypoints_xy, [[[50, 75], [100, 50], [0, 0]]], atol=1e-4)
    assert pose.keypoints_visible.tolist() == [[True, False, False]]
    assert ground_truth.for_frame(0, "clip.mp4", (200, 100)).keypoints_xy.shape == (0, 3, 2)
    assert ground_truth.for_frame(1, "clip.mp4") is None, "the size of the frame is unknown"


@pytest.mark.parametrize("shape", ["", "kpt_shape: [3, 3]\n"])
@pytest.mark.parametrize("behind", ["", " 0.87", " 0.87 7", " 7"])
def test_poses_that_ultralytics_predicted_are_read(tmp_path, shape, behind):
    """``save_txt`` writes x, y and score of each keypoint, then perhaps a score and a track."""
    (tmp_path / "data.yaml").write_text(f"names: [cat]\n{shape}")
    row = "0 0.5 0.5 0.5 0.5 0.25 0.75 0.91 0.5 0.5 0.5 0 0 0.0321"
    for number in (1, 2, 4):
        (tmp_path / f"clip_{number}.txt").write_text(f"{row}{behind}\n")
    ground_truth = opened(tmp_path)
    assert counts(ground_truth) == [1, 1, 0, 1, 0, 0]
    pose = ground_truth.for_frame(1, "clip.mp4", (200, 100))
    np.testing.assert_allclose(pose.xyxy, [[50, 25, 150, 75]], atol=1e-4)
    np.testing.assert_allclose(pose.keypoints_xy, [[[50, 75], [100, 50], [0, 0]]], atol=1e-4)
    assert pose.keypoints_visible.tolist() == [[True, True, False]]
    assert any("3 keypoints" in note for note in ground_truth.notes) == (not shape)


@pytest.mark.parametrize(
    "corners", ["0.1 0.2 0.6 0.3 0.5 0.9 0.3 0.8", "0.1 0.2 0.6 0.3 0.5 1 0 1 0 0.5"]
)
@pytest.mark.parametrize("behind", ["", " 0.87", " 0.87 1", " 0.87 7", " 1", " 7"])
def test_corners_that_ultralytics_predicted_are_read(tmp_path, corners, behind):
    """``save_txt`` of models with masks or rotated boxes, with ``save_conf`` or while tracking."""
    (tmp_path / "data.yaml").write_text("names: [cat]\n")
    (tmp_path / "clip_1.txt").write_text(f"0 {corners}{behind}\n")
    read = opened(tmp_path).for_frame(0, "clip.mp4", (1, 1))
    assert read.outlines_xy.ravel().tolist() == pytest.approx([*map(float, corners.split())])


@pytest.mark.parametrize(
    "rows",
    [
        ["0 0.1 0.2 0.6 0.2 0.6 0.9 0.1 0.9"] * 3,  # four corners
        ["0 0.8 0.8 0.9 0.8 0.9 0.9 0.85 0.9 0.8 0.9 0.8 0.85 0.7 0.8"] * 3,
        ["0 0.1 0.2 0.6 0.3 0.5 0.9", "0 0.1 0.2 0.6 0.3 0.5 0.9 0.4 0.4"],
        [f"{BOX} 0.9"] * 3,
    ],
    ids=["corners", "polygon", "polygons", "scores"],
)
def test_other_rows_are_no_poses(tmp_path, rows):
    (tmp_path / "data.yaml").write_text("names: [cat]\n")
    for number, row in enumerate(rows, 1):
        (tmp_path / f"clip_{number}.txt").write_text(f"{row}\n")
    ground_truth = opened(tmp_path)
    assert ground_truth.for_frame(0, "clip.mp4", (9, 9)).keypoints_xy.shape == (1, 0, 2)


def test_a_file_that_cannot_be_used_is_not_a_frame_without_objects(labels):
    (labels / "clip_4.txt").write_text("0 50 60 10 10\n")
    ground_truth = opened(labels)
    assert counts(ground_truth) == [0, 1, 2, None, 1, 0]
    assert any("Are they pixels?" in note for note in ground_truth.notes)


def test_frames_without_objects_score_the_classes_that_are_labelled_only(labels):
    (labels.parent / "data.yaml").write_text("names: [cat]\nkpt_shape: [3, 3]\n")
    ground_truth = opened(labels, classes=("dog", "cat"))
    assert ground_truth.for_frame(0, "clip.mp4", (9, 9)).labelled_ids == frozenset({1})


def test_a_video_shorter_than_its_labels_is_reported(labels):
    notes = opened(labels, frames=3).notes
    assert "1 of 3 entries left out: clip.mp4 has only 3 frames (frame 4)" in notes


def test_cvat_export_without_images(tmp_path):
    folder = tmp_path / "obj_train_data"
    folder.mkdir()
    for number in range(3):
        (folder / f"frame_{number:06}.txt").write_text(f"{BOX}\n" * (number != 1))
    (tmp_path / "obj.names").write_text("cat\n")
    (tmp_path / "obj.data").write_text(
        "classes = 1\ntrain = data/train.txt\nnames = data/obj.names"
    )
    lines = (f"data/obj_train_data/frame_{number:06}.PNG\n" for number in range(3))
    (tmp_path / "train.txt").write_text("".join(lines))
    ground_truth = opened(tmp_path, frames=3)
    assert counts(ground_truth, frames=3) == [1, 0, 1]
    assert len(ground_truth.notes) == 1, "that no video is named"


def test_labels_elsewhere_fit_images_too(labels):
    (labels / "cat.txt").write_text(f"{BOX}\n")
    ground_truth = read_ground_truth(f"yolo:{labels}", ())
    ground_truth.set_source_files([Path("photos/cat.jpg"), Path("photos/dog.png")])
    found = ground_truth.for_frame(0, str(Path("photos/cat.jpg")), (200, 100))
    np.testing.assert_allclose(found.xyxy, [[75, 25, 125, 75]], atol=1e-4)
    assert "ground truth fits 1 of 2 images: none for dog.png" in ground_truth.notes


def test_numbers_of_classes_need_names(labels):
    (labels.parent / "data.yaml").unlink()
    with pytest.raises(DatasetError, match=r"list them in a classes\.txt"):
        opened(labels, classes=("dog", "cat"))


def test_training_data_still_need_images(labels):
    with pytest.raises(DatasetError, match="YOLO labels without images"):
        read_annotations(f"yolo:{labels}")
