"""YOLO labels in the layouts of Ultralytics, Roboflow and LabelImg; numbers by hand."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from kpviewer.annotations.formats.yolo.reader import read_yolo
from kpviewer.annotations.problems import Problems
from kpviewer.annotations.spec import read_annotations
from kpviewer.errors import DatasetError

WIDTH, HEIGHT = 200, 100


def image(path, size_wh=(WIDTH, HEIGHT), **save):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size_wh).save(path, **save)


def labels(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def one(folder, text, names="names: [face]\n"):
    """Read a set of one image with these labels and this data.yaml."""
    image(folder / "images/a.png")
    labels(folder / "labels/a.txt", text)
    labels(folder / "data.yaml", names)
    return read_yolo(folder)


@pytest.fixture
def beside(tmp_path):
    """Return a folder of LabelImg with one labelled image and one without labels."""
    image(tmp_path / "a.png")
    image(tmp_path / "b.png")
    labels(tmp_path / "a.txt", "1 0.5 0.5 0.25 0.5\n\n0 0.1 0.2 0.2 0.4\n")
    labels(tmp_path / "classes.txt", "cat\ndog\n")
    return tmp_path


def test_shares_become_pixels_and_numbers_names(beside):
    read = read_yolo(beside)
    (image,) = read.images  # b.png has no labels yet
    assert (image.path, image.size_wh) == (beside / "a.png", (WIDTH, HEIGHT))
    # 200 x 100: centre (100, 50), size (50, 50); centre (20, 20), size (40, 40)
    np.testing.assert_allclose(image.targets.xyxy, [[75, 25, 125, 75], [0, 0, 40, 40]], atol=1e-4)
    assert [read.class_names[row] for row in image.targets.class_ids] == ["dog", "cat"]


@pytest.mark.parametrize(("listed", "points"), [("face\n", 2), ("bird\n", 0)])
def test_a_folder_of_labels_with_a_list_of_classes_has_the_keypoints_of_the_yaml_file_above(
    tmp_path, listed, points
):
    labels(tmp_path / "labels/classes.txt", listed)  # as process --yolo writes it
    row = "0 0.5 0.5 0.5 0.5 0.4 0.4 2 0.6 0.6 2" if points else "0 0.5 0.5 0.5 0.5"
    one(tmp_path, row, "names: [face]\nkpt_shape: [2, 3]\n")
    (image,) = read_yolo(tmp_path / "labels").images
    assert image.targets.keypoints_xy.shape == (1, points, 2)


def test_an_image_without_labels_in_folders_of_ultralytics_shows_nothing(tmp_path):
    image(tmp_path / "images/train/a.jpg")
    image(tmp_path / "images/val/b.jpg")
    labels(tmp_path / "labels/train/a.txt", "0 0.5 0.5 0.5 0.5")
    read = read_yolo(tmp_path)
    assert [(each.path.name, len(each.targets)) for each in read.images] == [
        ("a.jpg", 1),
        ("b.jpg", 0),
    ]
    assert read.class_names == ("0",)  # no list of names
    assert [each.path.name for each in read_yolo(tmp_path, "val").images] == ["b.jpg"]
    with pytest.raises(DatasetError, match=r"'test'.*train, val"):
        read_yolo(tmp_path, "test")


def test_folders_of_roboflow_are_read_by_split(tmp_path):
    for split in ("train", "valid"):
        image(tmp_path / split / "images" / f"{split}.jpg")
        labels(tmp_path / split / "labels" / f"{split}.txt", "0 0.5 0.5 0.5 0.5")
    (tmp_path / "data.yaml").write_text("train: ../train/images\nnc: 1\nnames: ['crack #2']\n")
    assert len(read_yolo(tmp_path)) == 2
    read = read_annotations(f"yolo:{tmp_path}:valid")
    assert [each.path.name for each in read.images] == ["valid.jpg"]
    assert read.class_names == ("crack #2",)


POSE = """\
path: .  # here
kpt_shape: [3, 3]
names:
  0: face
kpt_names:
  0:
    - left
    - right
    - nose
"""


def test_points_of_the_pose_format_have_their_visibility(tmp_path):
    text = "0 0.5 0.5 0.5 0.5 0.25 0.5 2 0.75 0.5 1 0 0 0\n0 0.5 0.5 0.2 0.2\n"
    read = one(tmp_path, text, POSE)
    found = read.images[0]
    assert (read.class_names, read.keypoint_names) == (("face",), ("left", "right", "nose"))
    assert found.targets.keypoints_xy[0].tolist() == [[50, 50], [150, 50], [0, 0]]
    assert found.targets.keypoints_visible.tolist() == [[True, False, False], [False] * 3]
    assert found.keypoints_labelled.tolist() == [[True, True, False], [False] * 3]


def test_points_without_visibility_are_seen_unless_they_are_at_the_origin(tmp_path):
    names = "names: {0: face}\nkpt_shape: [2, 2]\n"
    read = one(tmp_path, "0 0.5 0.5 0.5 0.5 0.25 0.5 0 0", names)
    assert read.keypoint_names == ("1", "2")
    assert read.images[0].targets.keypoints_visible.tolist() == [[True, False]]


FACES = [
    "0 0.12 0.85 0.2 0.2 0.1 0.8 0.14 0.8 -1 -1 0.1 0.9 0.14 0.9",
    "0 0.5 0.5 0.4 0.6 0.4 0.4 0.6 0.4 0.5 0.5 0.4 0.7 0.6 0.7",
    "0 0.7 0.2 0.3 0.2 0.6 0.2 0.8 0.2 0.7 0.2 0.6 0.25 0.8 0.25",
]
"""Labels of YOLOv5-face: box, then x and y of five points."""
NO_POINTS = ["0 0.5 0.5 0.2 0.2 0 0 0 0 0 0"] * 3
"""As Label Studio writes boxes without keypoints in a project with two of them."""


@pytest.mark.parametrize(
    ("lines", "shape"),
    [(FACES, r"\[5, 2\] into data.yaml\.$"), (NO_POINTS, r"\[3, 2\] into data.yaml, or \[2, 3\]")],
)
def test_boxes_with_keypoints_are_no_polygons(tmp_path, lines, shape):
    with pytest.raises(DatasetError, match=f"Write kpt_shape: {shape}"):
        one(tmp_path, "\n".join(lines))


def test_a_data_yaml_may_have_keypoints_alone(tmp_path):
    labels(tmp_path / "widerface.yaml", "names: [face]\n")
    read = one(tmp_path, "\n".join(FACES), "kpt_shape: [5, 2]\n")
    assert read.class_names == ("face",)
    assert read.images[0].targets.keypoints_visible.sum(axis=1).tolist() == [4, 5, 5]


def test_the_nodes_of_sleap_are_keypoints(tmp_path):
    names = "names: {0: fly}\nkpt_shape: [2, 3]\nnode_names: [head, tail]\n"
    read = one(tmp_path, "0 0.5 0.5 0.5 0.5 0.25 0.5 2 0 0 0", names)
    assert read.keypoint_names == ("head", "tail")


@pytest.mark.parametrize(
    ("points", "message"),
    [("50 50 2 0 0 0 0 0 0", "relative"), ("0.5 0.5 0.87 0 0 0 0 0 0", "visibility")],
)
def test_points_in_px_and_scores_of_points_are_reported(tmp_path, points, message):
    with pytest.raises(DatasetError, match=rf"a\.txt, line 1.*{message}"):
        one(tmp_path, f"0 0.5 0.5 0.5 0.5 {points}", POSE)


def test_a_point_beyond_the_edge_is_read(tmp_path):
    targets = one(tmp_path, "0 0.5 0.5 0.5 0.5 1.1 0.5 1 0 0 0 0 0 0", POSE).images[0].targets
    assert targets.keypoints_xy[0, 0].tolist() == pytest.approx([1.1 * WIDTH, 0.5 * HEIGHT])


@pytest.mark.parametrize(
    ("lines", "is_noted"),
    [
        (["0 0.5 0.4 0.5 0.4 0.4 0.3 0.6 0.5 0.2 0.3"] * 3, True),
        (["0 0.5 0.4 0.5 0.4 0.4 0.3 0.6 0.5 0.2 0.3"] * 3 + ["0 0.5 0.5 0.2 0.2"], True),
        (["0 0.1 0.2 0.6 0.2 0.6 0.9 0.1 0.9"] * 3, False),  # four corners
        (["0 0.1 0.2 0.6 0.3 0.5 0.9"] * 2 + ["0 0.1 0.2 0.6 0.3 0.5 0.9 0.4 0.4"], False),
    ],
)
def test_objects_that_may_be_poses_are_noted(tmp_path, lines, is_noted):
    assert any("kpt_shape" in note for note in one(tmp_path, "\n".join(lines)).notes) == is_noted


def test_labels_of_an_image_of_the_same_name_in_another_split_are_not_used(tmp_path):
    for split in ("train", "val"):
        image(tmp_path / split / "images/a.png")
    labels(tmp_path / "train/labels/a.txt", "0 0.5 0.5 0.5 0.5")
    (tmp_path / "data.yaml").write_text("names: [face]\n")
    read = {split: read_yolo(tmp_path, split).images[0] for split in ("train", "val")}
    assert {split: len(found.targets) for split, found in read.items()} == {"train": 1, "val": 0}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("0: cat\n1: big dog\n", ("cat", "big dog")),
        ("0 cat\n1 dog", ("cat", "dog")),
        ("3 stripes\n1 dog", ("3 stripes", "1 dog")),
        ("0\n1", ("0", "1")),
        ("0.5mm\n1.5mm", ("0.5mm", "1.5mm")),
        ("0,5 l\n1,0 l", ("0,5 l", "1,0 l")),
        ("0 fingers\n1 fingers", ("0 fingers", "1 fingers")),
    ],
)
def test_numbers_in_front_of_listed_names_are_dropped(tmp_path, text, names):
    image(tmp_path / "images/a.png")
    labels(tmp_path / "labels/a.txt", "0 0.5 0.5 0.5 0.5")
    (tmp_path / "classes.txt").write_text(text)
    assert read_yolo(tmp_path).class_names == names


def test_two_lists_of_different_names_are_reported(tmp_path):
    image(tmp_path / "images/a.png")
    labels(tmp_path / "labels/a.txt", "0 0.5 0.5 0.5 0.5")
    (tmp_path / "a.names").write_text("cat\n")
    (tmp_path / "b.names").write_text("cat\n")
    assert read_yolo(tmp_path).class_names == ("cat",)
    (tmp_path / "b.names").write_text("dog\n")
    with pytest.raises(DatasetError, match=r"several lists of names, a\.names and b\.names"):
        read_yolo(tmp_path)


def test_polygons_become_boxes_and_a_score_is_not_read(tmp_path):
    text = "0 0.1 0.2 0.6 0.3 0.5 0.9\n0 0.5 0.5 0.5 0.5 0.87\n"
    boxes = one(tmp_path, text).images[0].targets.xyxy
    np.testing.assert_allclose(boxes, [[20, 20, 120, 90], [50, 25, 150, 75]], atol=1e-4)


def test_rotated_boxes_keep_their_corners(tmp_path):
    corners = [[90, 40], [106, 50], [90, 60], [-4, 50]]  # px: a corner may lie outside
    shares = " ".join(f"{x / WIDTH} {y / HEIGHT}" for x, y in corners)
    text = f"0 0.5 0.5 0.5 0.5\n0 {shares}\n"
    targets = one(tmp_path, text).images[0].targets
    box = [[50, 25], [150, 25], [150, 75], [50, 75]]
    np.testing.assert_allclose(targets.outlines_xy, [box, corners], atol=1e-4)
    np.testing.assert_allclose(targets.xyxy[1], [0, 40, 106, 60], atol=1e-4)
    assert one(tmp_path, "0 0.5 0.5 0.5 0.5\n").images[0].targets.outlines_xy is None
    upright = "0 0.1 0.2 0.6 0.2 0.6 0.9 0.1 0.9\n"
    assert one(tmp_path, upright).images[0].targets.outlines_xy is None


def test_polygons_are_masks(tmp_path):
    box, quad = "0 0.5 0.5 0.5 0.5\n", "0 0 0.1 0.5 0.2 0.5 0.6 0.1 0.5\n"
    triangle = "0 0.1 0.2 0.6 0.3 0.5 1.2\n"  # it reaches out of the image
    targets = one(tmp_path, box + quad + triangle).images[0].targets
    expected = [
        [[50, 25], [150, 25], [150, 75], [50, 75], [50, 75]],
        [[0, 10], [100, 20], [100, 60], [20, 50], [20, 50]],
        [[20, 20], [120, 30], [100, 100], [100, 100], [100, 100]],
    ]
    np.testing.assert_allclose(targets.outlines_xy, expected, atol=1e-4)
    assert targets.areas[1:].tolist() == pytest.approx([3500, 3600])


def test_boxes_among_masks_are_noted(tmp_path):
    found = one(tmp_path, "0 0.1 0.1 0.2 0.2 0.1 0.3\n0 0.5 0.5 0.2 0.2\n")
    assert found.notes == ("1 of 2 objects have no mask: their boxes are compared",)


def test_sides_of_a_turned_photograph_are_swapped(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to see it
    image(tmp_path / "images/a.jpg", exif=exif)
    assert read_yolo(tmp_path).images[0].size_wh == (HEIGHT, WIDTH)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("names: [a, 'b, c', \"d\"]", ("a", "b, c", "d")),
        ("names: [a,\n  b]", ("a", "b")),
        ("names:\n- a\n- b # not c\nnc: 2", ("a", "b")),
        ('names:\n  1: b\n  0: "a: \\"x\\""', ('a: "x"', "b")),
        ("names: {0: a, 1: b}", ("a", "b")),
        ("names: [driver's seat, b]", ("driver's seat", "b")),
        ("nc: 3", ("0",)),
    ],
)
def test_names_are_read_in_each_form_of_yaml_that_such_files_use(tmp_path, text, names):
    assert one(tmp_path, "0 0.5 0.5 0.5 0.5", text).class_names == names


@pytest.mark.parametrize(
    "text",
    [
        "names: !!python/tuple [a]",
        "names: [[a]]",
        "names:\n  1: b",
        "names: {0: a, 0: b}",
        "kpt_shape: [x]",
    ],
)
def test_other_yaml_is_reported_with_the_cure(tmp_path, text):
    image(tmp_path / "images/a.png")
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(DatasetError, match=r"data\.yaml.*classes\.txt"):
        read_yolo(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 50 50 20 20", "pixels"),
        ("0 .5 .5 .2 .2 1.57", "four corners"),
        ("0 .5 .5 .2 .2 -0.3", "four corners"),
        ("2 0.5 0.5 0.5 0.5", "below 2"),
        ("-1 0.5 0.5 0.5 0.5", "below 2"),
        ("bird 0.5 0.5 0.5 0.5", "below 2"),
        ("0 0.5 nan 0.5 0.5", "number"),
        ("0 0.5 0.5 0.5", "aren't a box"),
        ("0 0.5 0.5 0.5 0.5 0.5 0.5 2", "kpt_shape"),
        ("0 0.25 0.4 0.3 0.4 0.15 0.25 2 0.35 0.55 2", "kpt_shape"),  # of Label Studio
    ],
)
def test_malformed_line_is_reported_with_its_position(beside, text, message):
    labels(beside / "a.txt", f"0 0.5 0.5 0.5 0.5\n{text}\n")
    with pytest.raises(DatasetError, match=rf"a\.txt, line 2.*{message}"):
        read_yolo(beside)
    problems = Problems()
    assert len(read_yolo(beside, problems=problems).images[0].targets) == 1
    assert len(problems) == 1


def test_boxes_without_area_are_left_out_and_counted(beside):
    labels(beside / "a.txt", "0 0.5 0.5 0 0.5\n0 0.5 0.5 0.5 0.5\n")
    read = read_yolo(beside)
    assert len(read.images[0].targets) == 1
    assert read.notes == ("1 objects left out: boxes without area",)


def test_image_that_cannot_be_read_and_an_empty_folder_are_reported(beside, tmp_path_factory):
    (beside / "a.png").write_bytes(b"no image")
    with pytest.raises(DatasetError, match=r"a\.png"):
        read_yolo(beside)
    with pytest.raises(DatasetError, match="images and labels"):
        read_yolo(tmp_path_factory.mktemp("empty"))


def test_labels_of_a_video_need_its_frames(tmp_path):
    labels(tmp_path / "labels/clip_1.txt", "0 0.5 0.5 0.5 0.5")
    labels(tmp_path / "classes.txt", "face")
    with pytest.raises(DatasetError, match="For a video, convert them to COCO, or open its frames"):
        read_yolo(tmp_path)


def test_folder_alone_is_known_by_its_labels(tmp_path):
    image(tmp_path / "images/a.png")
    labels(tmp_path / "labels/a.txt", "0 0.5 0.5 0.5 0.5")
    assert len(read_annotations(str(tmp_path)).images[0].targets) == 1


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80), st.binary(max_size=80))
def test_any_text_gives_a_set_or_a_dataset_error(beside, junk, names):
    (beside / "a.txt").write_bytes(b"0 0.5 0.5 0.5 0.5\n" + junk)
    (beside / "data.yaml").write_bytes(b"names: " + names)
    try:
        read = read_yolo(beside)
    except DatasetError:
        return
    assert len(read) == 1


@pytest.mark.parametrize(
    ("flips", "mirrored"), [("[0, 2, 1]", (0, 2, 1)), ("[0, 2]", ()), ("[1, 1, 0]", ())]
)
def test_flip_idx_is_the_mirror_of_the_keypoints(tmp_path, flips, mirrored):
    image(tmp_path / "images/a.png")
    labels(tmp_path / "labels/a.txt", "0 0.5 0.5 0.5 0.5 0.4 0.4 0.5 0.4 0.6 0.6")
    (tmp_path / "data.yaml").write_text(f"names: [a]\nkpt_shape: [3, 2]\nflip_idx: {flips}\n")
    read = read_yolo(tmp_path)
    assert (len(read.keypoint_names), read.mirrored_keypoints) == (3, mirrored)
    assert any("flip_idx" in note for note in read.notes) == (not mirrored)


def test_names_of_keypoints_stay_beside_a_list_of_classes(tmp_path):
    image(tmp_path / "images/a.png")
    labels(tmp_path / "labels/a.txt", "0 0.5 0.5 0.5 0.5 0.4 0.4 0.5 0.4")
    (tmp_path / "classes.txt").write_text("cat\n")
    text = "kpt_shape: [2, 2]\nkpt_names: [left, right]\nflip_idx: [1, 0]\n"
    (tmp_path / "data.yaml").write_text(text)
    for path in (tmp_path, tmp_path / "data.yaml"):
        read = read_yolo(path)
        assert (read.class_names, read.keypoint_names) == (("cat",), ("left", "right"))
        assert read.mirrored_keypoints == (1, 0)


def test_a_rotated_box_at_the_edge_is_cut_there(tmp_path):
    image(tmp_path / "images/a.png")
    corners = "0.9 0.4 1.06 0.5 0.9 0.6 0.8 0.5"  # as DOTA's
    labels(tmp_path / "labels/a.txt", f"0 {corners}\n0 -0.05 0.1 0.2 0.1 0.2 0.3")
    (read,) = read_yolo(tmp_path).images
    width, height = read.size_wh
    shares = read.targets.xyxy / [width, height, width, height]
    assert shares.tolist() == [
        pytest.approx([0.8, 0.4, 1, 0.6]),
        pytest.approx([0, 0.1, 0.2, 0.3]),
    ]
    labels(tmp_path / "labels/a.txt", "0 12 40 90 40 90 60 12 60")
    with pytest.raises(DatasetError, match="Are they pixels"):
        read_yolo(tmp_path)
