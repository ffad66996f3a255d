"""Drafts of data sets; the YOLO text is by hand, VOC and YOLO go back through the readers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtGui import QImage
from sample_results import detections, result

from kpviewer.annotations.spec import read_annotations
from kpviewer.errors import RecordingError
from kpviewer.overlay import array_of
from kpviewer.recording.image_folder import ImageFolder
from kpviewer.recording.results import ResultHeader

HEADER = ResultHeader("clip.mp4", "fake", ("face", "hand: left"))
POINTS = replace(HEADER, keypoint_names=("eye", "nose"), mirrored_keypoints=(1, 0))
NAN = float("nan")


def write(folder: Path, kind: str, frames: list, header: ResultHeader = HEADER, **given: object):
    writer = ImageFolder(folder / "set", kind, header, stem="clip", **given)
    for each in frames:
        writer.write(each, each.frame.bgr if writer.needs_next else None)
    return writer


def sample(*boxes: tuple[float, float, float, float], **given: object):
    """A frame of 64 x 48 px."""
    return result(detections(boxes, **given), index=7)


def test_yolo_text_has_shares_of_the_image(tmp_path):
    write(tmp_path, "yolo", [sample((16, 12, 48, 36), (-8, 0, 8, 60), class_ids=[1, 0])])
    text = (tmp_path / "set/labels/clip_000007.txt").read_text()
    # Of 64 x 48: the centre (32, 24), sides 32 x 24; then, cut at the edges, 0..8 and 0..48.
    assert text == (
        "1 0.500000 0.500000 0.500000 0.500000\n0 0.062500 0.500000 0.125000 1.000000\n"
    )
    assert (tmp_path / "set/classes.txt").read_text() == "face\nhand: left\n"
    assert (tmp_path / "set/labels/classes.txt").read_text() == "face\nhand: left\n"
    # no path: Ultralytics takes the folder of this file then, and the current one for "path: ."
    assert (tmp_path / "set/data.yaml").read_text().splitlines()[1:] == [
        "train: images",
        "val: images",
        "names:",
        '  0: "face"',
        '  1: "hand: left"',
    ]


def test_yolo_text_of_a_model_with_points_is_that_of_poses(tmp_path):
    one = sample((16, 12, 48, 36), (0, 0, 4, 4), points=[[(32, 12), (70, 20)], [(NAN, 1), (0, 48)]])
    write(tmp_path, "yolo", [one], POINTS)
    first, second = (tmp_path / "set/labels/clip_000007.txt").read_text().splitlines()
    assert first == "0 0.500000 0.500000 0.500000 0.500000 0.500000 0.250000 2 0 0 0"
    assert second.endswith(" 0 0 0 0.000000 1.000000 2")
    yaml = (tmp_path / "set/data.yaml").read_text()
    assert "kpt_shape: [2, 3]\nflip_idx: [1, 0]\n" in yaml
    assert yaml.endswith('  1:\n    - "eye"\n    - "nose"\n')
    assert (tmp_path / "set/pose_classes.yaml").read_text() == (
        'has_visible: true\nclasses:\n  "face":\n    - "eye"\n    - "nose"\n'
        '  "hand: left":\n    - "eye"\n    - "nose"\n'
    )


def test_an_image_called_classes_leaves_the_names_of_classes_alone(tmp_path):
    one = sample((16, 12, 48, 36))
    write(tmp_path, "yolo", [replace(one, frame=replace(one.frame, file="classes.jpg"))])
    assert (tmp_path / "set/labels/classes.txt").read_text() == "face\nhand: left\n"
    assert (tmp_path / "set/images/classes_2.jpg").exists()
    assert (tmp_path / "set/labels/classes_2.txt").exists()


def test_images_and_labels_are_named_after_the_source_files(tmp_path):
    one = sample((16, 12, 48, 36))
    files = ["IMG_0007.jpg", "cat in the hall.PNG", "IMG_0007.png", "far/IMG_0007.jpg", "../up.jpg"]
    frames = [replace(one, frame=replace(one.frame, file=each)) for each in files]
    frames += [replace(one, frame=replace(one.frame, file="scan.tif", frame_in_file=3)), frames[0]]
    for kind, labels, suffix in (("yolo", "labels", "txt"), ("voc", "Annotations", "xml")):
        write(tmp_path / kind, kind, frames)
        found = (tmp_path / kind / "set" / labels).rglob(f"*.{suffix}")
        names = {path.relative_to(tmp_path / kind / "set" / labels).as_posix() for path in found}
        assert names - {"classes.txt"} == {
            f"IMG_0007.{suffix}",
            f"cat in the hall.{suffix}",
            f"IMG_0007_2.{suffix}",
            f"far/IMG_0007.{suffix}",
            f"up.{suffix}",
            f"scan_000003.{suffix}",
        }
    read = read_annotations(f"yolo:{tmp_path / 'yolo' / 'set'}")
    assert sorted(len(image.targets) for image in read.images) == [1] * 6


def test_frames_of_a_file_with_the_longest_name_are_written(tmp_path):
    frames = []
    for number in range(2):
        one = sample((16, 12, 48, 36))
        frame = replace(one.frame, file=f"{'ä' * 125}.mp4", frame_in_file=number)
        frames.append(replace(one, frame=frame))
    assert write(tmp_path, "voc", frames).images == 2
    assert len(list((tmp_path / "set").rglob("*.xml"))) == 2


def test_yolo_folder_goes_back_through_the_reader(tmp_path):
    one = sample((1.5, 2.25, 30, 40), points=[[(5, 6), (70, 7)]], class_ids=[1])
    empty = result(index=8)
    writer = write(tmp_path, "yolo", [one, empty], POINTS)
    assert writer.path is not None
    read = read_annotations(f"yolo:{writer.path}")
    assert (read.class_names, read.keypoint_names) == (POINTS.class_names, ("eye", "nose"))
    assert [len(image.targets) for image in read.images] == [1, 0]
    found = read.images[0].targets
    # Six decimals of 64 px are 0.00003 px.
    np.testing.assert_allclose(found.xyxy, [[1.5, 2.25, 30, 40]], atol=1e-4)
    np.testing.assert_allclose(found.keypoints_xy, [[[5, 6], [0, 0]]], atol=1e-4)
    assert found.keypoints_visible.tolist() == [[True, False]]
    assert found.class_ids.tolist() == [1]


def test_voc_folder_goes_back_through_the_reader_in_whole_pixels(tmp_path):
    boxes = [(1.6, 2.2, 30.4, 40), (-3, 5, 99, 5.4), (63.7, 47.8, 64, 48)]
    writer = write(tmp_path, "voc", [sample(*boxes, class_ids=[1, 0, 0]), result(index=8)])
    read = read_annotations(f"voc:{writer.path}")
    assert read.class_names == ("face", "hand: left")
    assert [image.path.is_file() for image in read.images] == [True, True]
    first, second = read.images
    assert first.targets.xyxy.tolist() == [[2, 2, 30, 40], [0, 5, 64, 6], [63, 47, 64, 48]]
    assert first.targets.class_ids.tolist() == [1, 0, 0]
    assert (first.size_wh, len(second.targets)) == ((64, 48), 0)


def test_boxes_outside_of_the_image_and_without_a_number_are_left_out(tmp_path):
    boxes = [(70, 0, 90, 10), (5, 5, 5, 9), (NAN, 0, 5, 5), (0, 0, 5, 5)]
    for kind in ("voc", "yolo"):
        write(tmp_path / kind, kind, [sample(*boxes)])
        read = read_annotations(f"{kind}:{tmp_path / kind / 'set'}")
        assert len(read.images[0].targets) == 1


def test_names_that_xml_and_lines_cannot_hold_lose_those_signs(tmp_path):
    header = replace(HEADER, class_names=("a<b>&\x00", "two\nlines"))
    for kind in ("voc", "yolo"):
        write(tmp_path / kind, kind, [sample((0, 0, 5, 5), (0, 0, 6, 6), class_ids=[0, 1])], header)
        read = read_annotations(f"{kind}:{tmp_path / kind / 'set'}")
        assert read.class_names == ("a<b>&", "two lines")


def test_model_that_names_no_class_sees_objects(tmp_path):
    for kind in ("voc", "yolo"):
        write(tmp_path / kind, kind, [sample((0, 0, 5, 5))], replace(HEADER, class_names=()))
        read = read_annotations(f"{kind}:{tmp_path / kind / 'set'}")
        assert read.class_names == ("object",)


def test_one_of_some_frames_is_written_and_the_same_frame_once(tmp_path):
    frames = [result(index=index) for index in (0, 1, 2, 3, 4, 0)]
    writer = write(tmp_path, "voc", frames[:5], every=2)
    names = sorted(path.name for path in (tmp_path / "set/JPEGImages").iterdir())
    assert names == ["clip_000000.jpg", "clip_000002.jpg", "clip_000004.jpg"]
    writer.write(frames[0], None)
    writer.write(frames[0], frames[0].frame.bgr)
    assert writer.images == 3
    assert writer.bytes > 0


def test_png_holds_the_very_pixels(tmp_path):
    bgr = np.random.default_rng(1).integers(0, 255, (48, 64, 3), np.uint8)
    write(tmp_path, "yolo", [result(bgr=bgr)], image_suffix=".png")
    image = QImage(str(tmp_path / "set/images/clip_000000.png"))
    assert (array_of(image) == bgr).all()


def test_no_frame_leaves_no_folder(tmp_path):
    assert write(tmp_path, "voc", []).path is None
    assert list(tmp_path.iterdir()) == []


def test_folder_that_cannot_be_written_is_reported(tmp_path):
    (tmp_path / "set").write_text("")
    with pytest.raises(RecordingError, match="Choose another folder"):
        write(tmp_path, "voc", [result()])


def test_yolo_text_leaves_keypoints_below_the_threshold_invisible(tmp_path):
    points = {"points": [[(32, 12), (16, 24)]], "point_scores": [[0.5, 0.49]]}
    write(tmp_path, "yolo", [sample((16, 12, 48, 36), **points)], POINTS)
    (line,) = (tmp_path / "set/labels/clip_000007.txt").read_text().splitlines()
    assert line.endswith(" 0.500000 0.250000 2 0 0 0")


def test_a_folder_that_another_process_makes_first_is_left_alone(tmp_path):
    writer = ImageFolder(tmp_path / "set", "yolo", HEADER, stem="clip")
    (tmp_path / "set").mkdir()
    one = sample((16, 12, 48, 36))
    writer.write(one, one.frame.bgr)
    assert not list((tmp_path / "set").iterdir())
    assert writer.path == tmp_path / "set_2"
    assert (tmp_path / "set_2/labels/clip_000007.txt").exists()
