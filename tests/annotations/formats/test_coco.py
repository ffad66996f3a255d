import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools import mask

from kpviewer.annotations.formats.coco.reader import read_coco
from kpviewer.annotations.problems import Problems
from kpviewer.errors import DatasetError

FILES_OF_ONE_TEST = settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def document():
    """A small valid file: two images, a face, an ignore region, and a dog without points."""
    return {
        "images": [
            {"id": 7, "file_name": "a/one.jpg", "width": 100, "height": 80, "source": "lfw"},
            {"id": 9, "file_name": "two.jpg", "width": 50, "height": 60, "frame": 3},
        ],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 3, "bbox": [10, 20, 30, 40], "pseudo": 1,
             "keypoints": [12, 22, 2, 30, 22, 1, 0, 0, 0]},
            {"id": 2, "image_id": 7, "category_id": 3, "bbox": [60, 0, 20, 20], "iscrowd": 1},
            {"id": 3, "image_id": 9, "category_id": 1, "bbox": [1, 2, 3.5, 4]},
        ],
        "categories": [
            {"id": 3, "name": "face", "keypoints": ["left", "right", "nose"],
             "skeleton": [[1, 2], [2, 3]]},
            {"id": 1, "name": "dog"},
        ],
    }  # fmt: skip


@pytest.fixture
def written(tmp_path):
    """Return a function that writes a document and returns its path."""

    def write(value):
        path = tmp_path / "labels.json"
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return path

    return write


def test_classes_stand_in_the_order_of_their_ids(written):
    read = read_coco(written(document()))
    assert read.class_names == ("dog", "face")
    assert [image.targets.class_ids.tolist() for image in read.images] == [[1, 1], [0]]


def test_a_category_that_is_there_twice_counts_once(written):
    value = document()
    value["categories"] += [{"id": "1", "name": "dog"}]
    assert read_coco(written(value)).class_names == ("dog", "face")


@pytest.mark.parametrize("objects", [3, 1])
def test_keypoints_that_cvat_lists_as_categories_are_no_classes(written, objects):
    value = document()
    value["categories"] += [
        {"id": number, "name": name, "supercategory": "face", "keypoints": [], "skeleton": []}
        for number, name in enumerate(("left", "right", "nose"), 4)
    ]
    value["annotations"] = value["annotations"][-objects:]
    read = read_coco(written(value))
    assert read.class_names == ("dog", "face")
    assert read.notes == ("categories left out, as they are keypoints: left, right, nose",)


def test_boxes_become_corners(written):
    read = read_coco(written(document()))
    assert read.images[0].targets.xyxy.tolist() == [[10, 20, 40, 60], [60, 0, 80, 20]]
    assert read.images[1].targets.xyxy.tolist() == [[1, 2, 4.5, 6]]


def test_areas_of_masks_are_kept_where_they_can_be_right(written):
    value = document()
    for each, area in zip(value["annotations"], (600, 0, 999), strict=True):
        each["area"] = area  # of boxes with 1200, 400 and 14 px^2
    areas = [image.targets.areas.tolist() for image in read_coco(written(value)).images]
    assert areas == [[600, 400], [14]]
    assert read_coco(written(document())).images[0].targets.mask_areas is None


def test_boxes_of_detectron2s_mode_0_are_two_corners_already(written):
    value = document()
    value["annotations"][0] |= {"bbox": [10, 20, 40, 60], "bbox_mode": 0}
    value["annotations"][1] |= {"bbox_mode": 1}
    read = read_coco(written(value))
    assert read.images[0].targets.xyxy.tolist() == [[10, 20, 40, 60], [60, 0, 80, 20]]


@pytest.mark.parametrize(("flag", "expected"), [(1, True), (0, False), (None, False)])
def test_objects_to_ignore_are_difficult_as_vocs_are(written, flag, expected):
    value = document()
    value["annotations"][0] |= {"ignore": flag, "iscrowd": 0}
    read = read_coco(written(value))
    assert read.images[0].targets.difficult.tolist() == [expected, True]  # the second is a crowd


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [
        (0, [10, 20, 40, 60]),
        (180, [10, 20, 40, 60]),
        (90, [5, 25, 45, 55]),
        (-270.0, [5, 25, 45, 55]),
        # sides of (30 + 40) / sqrt(2) around (25, 40)
        (45, [0.2513, 15.2513, 49.7487, 64.7487]),
        ("left", [10, 20, 40, 60]),
        (None, [10, 20, 40, 60]),
    ],
)
def test_boxes_that_cvat_rotated_become_upright(written, degrees, expected):
    value = document()
    value["annotations"][0]["attributes"] = {"occluded": False, "rotation": degrees}
    read = read_coco(written(value))
    assert read.images[0].targets.xyxy[0].tolist() == pytest.approx(expected, abs=1e-3)
    polygon = [[25, 15, 50, 40, 25, 65, 0, 40]]
    value["annotations"][0] |= {"segmentation": polygon, "bbox": [0, 15, 50, 50]}
    read = read_coco(written(value))
    assert read.images[0].targets.xyxy[0].tolist() == [0, 15, 50, 65]


TRIANGLE = [10, 20, 40, 20, 10, 60]
PART = [30, 50, 40, 50, 40, 60, 30, 60]
TURNED = [30, 50, 30, 60, 40, 60, 40, 50]


@pytest.mark.parametrize("text", [None, '"a": NaN'])  # of what msgspec refuses, json is asked
@pytest.mark.parametrize("polygons", [[TRIANGLE, PART], [TURNED, [0, 0, 2, 0, 0, 2], TRIANGLE]])
def test_all_polygons_of_an_object_but_tiny_ones_are_its_mask(written, polygons, text):
    value = document()
    value["annotations"][0]["segmentation"] = polygons
    value["annotations"][2]["segmentation"] = {"size": [60, 50], "counts": "no run lengths"}
    if text is not None:
        value = json.dumps(value).replace("{", f"{{{text}, ", 1)
    first, second = read_coco(written(value)).images
    outline, box = first.targets.outlines_xy.astype(float).tolist()
    runs, one, other = (mask.frPyObjects([np.ravel(each).tolist()], 80, 80)
                        for each in (outline, TRIANGLE, PART))  # fmt: skip
    assert mask.iou(runs, [mask.merge(one + other)], [0])[0, 0] > 0.98
    assert box == [[60, 0], [80, 0], [80, 20], *[[60, 20]] * (len(box) - 3)]
    assert second.targets.outlines_xy is None


@pytest.mark.parametrize("polygons", [[], [[]], [[1, 2]], [[1, 2, 3, 4, 5]], [["1"] * 6], None, 3,
                                      [[10, 20, 40, 20, 1e300, 60]], {}, "masks"])  # fmt: skip
def test_a_box_counts_whatever_its_mask_is(written, polygons):
    value = document()
    value["annotations"][0]["segmentation"] = polygons
    targets = read_coco(written(value)).images[0].targets
    assert targets.xyxy[0].tolist() == [10, 20, 40, 60]
    assert targets.outlines_xy is None


@pytest.mark.parametrize("iscrowd", [0, 1])
def test_a_mask_of_run_lengths_has_an_outline(written, iscrowd):
    pixels = np.zeros((60, 50), np.uint8)
    pixels[10:50, 5:45] = 1
    pixels[20:60, 20:30] = 0  # an arch
    pixels[30:40, 8:15] = 0  # with a hole
    pixels[55:58, 2:16] = 1
    every = mask.encode(np.asfortranarray(pixels))
    pixels[2:4, 44:46] = 1  # a part that is too small
    plain = plain_runs(pixels)
    value = document()
    compressed = mask.encode(np.asfortranarray(pixels))["counts"].decode()
    for counts in (plain, compressed):
        runs = {"size": [60, 50], "counts": counts}
        value["annotations"][2] |= {"bbox": None, "iscrowd": iscrowd, "segmentation": runs}
        targets = read_coco(written(value)).images[1].targets
        assert targets.xyxy[0].tolist() == [2, 2, 46, 58]
        if iscrowd:
            assert targets.outlines_xy is None, "a region to ignore without one of its parts"
            continue
        corners = targets.outlines_xy[0].astype(float).ravel().tolist()
        assert mask.iou(mask.frPyObjects([corners], 60, 50), [every], [0])[0, 0] > 0.97
        assert targets.areas == pytest.approx([40 * 40 - 30 * 10 - 70 + 42], rel=0.01)


@pytest.mark.parametrize(
    ("left", "far", "least"), [(-300, -200, 10), (10, 900_000, 10), (-300, -290, 8)]
)
def test_polygons_may_lie_anywhere(written, left, far, least):
    def square(at):
        return [at, at, at + 50, at, at + 50, at + 50, at, at + 50]

    value = document()
    value["annotations"][0]["segmentation"] = [square(left), square(far)]
    targets = read_coco(written(value)).images[0].targets
    assert targets.outlines_xy.shape[1] >= least
    assert targets.outlines_xy[0].min() == pytest.approx(left, abs=1)
    assert targets.outlines_xy[0].max() == pytest.approx(far + 50, abs=1)


def test_an_object_may_have_hundreds_of_polygons(written):
    value = document()
    value["annotations"][0]["segmentation"] = [[x, y, x + 4, y, x, y + 4] for x in range(0, 90, 5)
                                               for y in range(0, 80, 5)]  # fmt: skip
    assert read_coco(written(value)).images[0].targets.outlines_xy is not None


def test_polygons_that_overlap_are_one_part(written):
    value = document()
    inside, beside = [12, 22, 30, 22, 12, 46], [30, 15, 60, 15, 60, 30, 30, 30]
    value["annotations"][0]["segmentation"] = [TRIANGLE, inside, beside]
    outline = read_coco(written(value)).images[0].targets.outlines_xy[0].astype(float)
    found = mask.frPyObjects([outline.ravel().tolist()], 80, 80)
    expected = mask.merge(mask.frPyObjects([TRIANGLE, beside], 80, 80))
    assert mask.iou(found, [expected], [0])[0, 0] > 0.96


def plain_runs(pixels: np.ndarray) -> list[int]:
    flat = pixels.T.ravel().astype(int)
    changes = np.flatnonzero(np.diff(flat, prepend=0))
    return np.diff([0, *changes.tolist(), len(flat)]).tolist()


def test_polygons_of_four_corners_each_are_rotated_boxes(written):
    value = document()
    diamond = [25, 15, 50, 40, 25, 65, 0, 40]
    value["annotations"][0] |= {"segmentation": [diamond], "bbox": [0, 15, 50, 50]}
    targets = read_coco(written(value)).images[0].targets
    assert targets.outlines_xy[0].ravel().tolist() == diamond
    value["annotations"][0] |= {"segmentation": [[10, 20, 10, 60, 40.4, 60, 40, 20]],
                                "bbox": [10, 20, 30, 40]}  # fmt: skip
    assert read_coco(written(value)).images[0].targets.outlines_xy is None, "they are upright"


def test_boxes_that_cvat_rotated_keep_their_corners(written):
    value = document()
    value["annotations"][0]["attributes"] = {"rotation": 45}  # of 30 x 40 px around (25, 40)
    targets = read_coco(written(value)).images[0].targets
    long, short = 35 / 2**0.5, 5 / 2**0.5
    corners = [
        [25 + short, 40 - long],
        [25 + long, 40 - short],
        [25 - short, 40 + long],
        [25 - long, 40 + short],
    ]
    np.testing.assert_allclose(targets.outlines_xy[0], corners, atol=1e-3)
    left, top, right, bottom = targets.xyxy[1]
    box = [[left, top], [right, top], [right, bottom], [left, bottom]]
    np.testing.assert_array_equal(targets.outlines_xy[1], box)


def test_flags_distinguish_labelled_points_from_visible_ones(written):
    first = read_coco(written(document())).images[0]
    assert first.targets.keypoints_visible.tolist() == [[True, False, False], [False] * 3]
    assert first.keypoints_labelled.tolist() == [[True, True, False], [False] * 3]
    assert first.targets.keypoints_xy[0, 1].tolist() == [30, 22]


def test_crowds_are_difficult_and_labels_of_detectors_pseudo(written):
    first = read_coco(written(document())).images[0]
    assert first.targets.difficult.tolist() == [False, True]
    assert first.pseudo.tolist() == [True, False]


@pytest.mark.parametrize(
    ("masks", "difficult", "note"),
    [
        (3, [False, False], "are read as objects: 3"),
        (1, [True, False], "count neither way: 1. Set iscrowd to 0 if they are objects"),
    ],
)
def test_masks_of_cvat_are_objects_unless_they_are_few(written, masks, difficult, note):
    value = document()
    for each in value["annotations"]:
        each |= {"attributes": {"occluded": False}, "iscrowd": 0}
    for each in value["annotations"][:masks]:
        runs = plain_runs(np.arange(80 * 100).reshape(80, 100) < 50)
        each |= {"iscrowd": 1, "segmentation": {"counts": runs, "size": [80, 100]}}
    read = read_coco(written(value))
    assert read.images[0].targets.difficult.tolist() == difficult
    which = "masks marked iscrowd, as CVAT and Datumaro mark every mask,"
    assert f"{which} {note}" in read.notes
    for each in value["annotations"]:
        del each["attributes"]
    read = read_coco(written(value))
    assert read.images[0].targets.difficult.tolist() == difficult, "of Datumaro, or COCO's own"
    assert any(which in each for each in read.notes) == (masks == 3)


def test_images_have_their_size_source_and_frame(written):
    first, second = read_coco(written(document())).images
    assert (first.size_wh, first.source, first.image_id, first.frame_index) == (
        (100, 80), "lfw", 7, None)  # fmt: skip
    assert (second.size_wh, second.source, second.frame_index) == ((50, 60), "", 3)


def test_skeleton_counts_from_zero(written):
    read = read_coco(written(document()))
    assert read.keypoint_names == ("left", "right", "nose")
    assert read.skeleton == ((0, 1), (1, 2))


def test_images_lie_beside_the_file_unless_there_is_a_folder_of_images(written, tmp_path):
    path = written(document())
    assert read_coco(path).images[0].path == tmp_path / "a" / "one.jpg"
    (tmp_path / "images").mkdir()
    assert read_coco(path).images[1].path == tmp_path / "images" / "two.jpg"
    assert read_coco(path, tmp_path / "x").images[1].path == tmp_path / "x" / "two.jpg"


def test_image_without_annotation_is_empty(written):
    value = document()
    value["annotations"] = []
    read = read_coco(written(value))
    assert [len(image.targets) for image in read.images] == [0, 0]
    assert read.images[0].targets.keypoints_xy.shape == (0, 3, 2)


def test_boxes_without_area_are_left_out_and_counted(written):
    value = document()
    value["annotations"][0]["bbox"] = [10, 20, 0, 40]
    read = read_coco(written(value))
    assert len(read.images[0].targets) == 1
    assert read.notes == ("1 objects left out: boxes without area",)


def changed(change):
    value = document()
    change(value)
    return value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("images"), "images"),
        (lambda d: d.update(annotations={}), "annotations"),
        (lambda d: d["annotations"][0].update(bbox=[1, 2, 3]), "bbox"),
        (lambda d: d["annotations"][0].update(bbox=[1, 2, float("nan"), 3]), "bbox"),
        (lambda d: d["annotations"][0].update(bbox=[1, 2, 1e300, 3]), "bbox"),
        (lambda d: d["annotations"][0].update(category_id=99), "category_id"),
        (lambda d: d["annotations"][0].update(keypoints=[1, 2, 2]), "keypoints"),
        (lambda d: d["annotations"][0].update(image_id=8), "image_id 8"),
        (lambda d: d["images"][1].update(id=7), "unique"),
        (lambda d: d["images"][0].update(file_name="../../etc/passwd"), "stay in"),
        (lambda d: d["images"][0].update(file_name="/etc/passwd"), "stay in"),
        (lambda d: d["images"][0].update(file_name="C:\\x.jpg"), "stay in"),
        (lambda d: d["images"][0].update(height=-1), "at least 1"),
        (lambda d: d["categories"][0].update(skeleton=[[1, 4]]), "skeleton"),
        (lambda d: d["categories"][1].update(keypoints=["tail"]), "same ones"),
        (lambda d: d["categories"][1].update(id=3), "categories"),
    ],
)
def test_malformed_file_is_reported_with_its_name_and_fault(written, change, message):
    with pytest.raises(DatasetError, match=r"labels\.json.*" + message):
        read_coco(written(changed(change)))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "[]", "null", '"text"'])
def test_text_that_is_no_coco_file_is_refused(written, text):
    with pytest.raises(DatasetError, match=r"labels\.json"):
        read_coco(written(text))


def test_missing_file_is_reported(tmp_path):
    with pytest.raises(DatasetError, match="No such file"):
        read_coco(tmp_path / "none.json")


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.just([]),
    st.just({}),
    st.just(10**400),
    st.lists(st.floats() | st.integers(-5, 5), max_size=10),
)


def value_paths(value, path=()):
    """Yield the paths of all values in a JSON document."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from value_paths(inner, (*path, key))


@FILES_OF_ONE_TEST
@given(st.sampled_from(list(value_paths(document()))), SCALARS)
def test_any_damaged_value_gives_a_set_or_a_dataset_error(written, path, value):
    broken = document()
    inner = broken
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    try:
        read = read_coco(written(broken))
    except DatasetError:
        return
    assert all(np.isfinite(image.targets.xyxy).all() for image in read.images)


@FILES_OF_ONE_TEST
@given(st.binary(max_size=200))
def test_any_bytes_give_a_dataset_error(tmp_path, data):
    path = tmp_path / "labels.json"
    path.write_bytes(data)
    with pytest.raises(DatasetError):
        read_coco(path)


def test_faces_are_read_as_their_readme_counts_them(shared_data):
    read = read_coco(shared_data / "faces" / "val" / "annotations.json")
    difficult = sum(int(image.targets.difficult.sum()) for image in read.images)
    objects = sum(len(image.targets) for image in read.images) - difficult
    pseudo = sum(int((image.pseudo & ~image.targets.difficult).sum()) for image in read.images)
    assert (len(read), objects, difficult, pseudo) == (906, 945, 44, 84)


@pytest.mark.parametrize(
    "counts",
    [
        "b9<b00MEC;`000000000000000000000000000000000000X8",  # of pycocotools' encode
        [306, 12, 18, 12, 15, 1, 2, 12] + [18, 12] * 18 + [282],
    ],
    ids=["compressed", "plain"],
)
def test_an_object_without_a_box_gets_that_of_its_mask(written, counts):
    value = document()
    value["annotations"][2] = {"id": 3, "image_id": 9, "category_id": 1, "bbox": [],
                               "segmentation": {"size": [30, 40], "counts": counts}}  # fmt: skip
    read = read_coco(written(value))
    assert read.images[1].targets.xyxy.tolist() == [[10, 3, 31, 18]]  # toBbox: 10, 3, 21, 15


@pytest.mark.parametrize("counts", [None, 1, {}, [1.5], ["1"], [-1], True])
def test_counts_that_are_no_run_lengths_are_reported(written, counts):
    value = document()
    value["annotations"][2] |= {"bbox": None, "segmentation": {"size": [4, 5], "counts": counts}}
    with pytest.raises(DatasetError, match="must have counts and size"):
        read_coco(written(value))


def test_a_mask_of_another_size_is_reported(written):
    value = document()
    value["annotations"][2] |= {"bbox": None, "segmentation": {"size": [4, 5], "counts": [3, 2]}}
    with pytest.raises(DatasetError, match="must cover 5x4 pixels, got 5"):
        read_coco(written(value))


def test_a_category_without_a_name_is_named_by_its_id(written):
    value = document()
    value["categories"][1] = {"id": 1}
    read = read_coco(written(value))
    assert read.class_names == ("category 1", "face")
    assert read.notes == ("categories without a name: category 1",)


def test_a_skeleton_may_count_from_0_and_a_bad_one_costs_no_class(written):
    value = document()
    value["categories"][0]["skeleton"] = [[0, 1], [1, 2]]
    assert read_coco(written(value)).skeleton == ((0, 1), (1, 2))
    value["categories"][0]["skeleton"] = [[1, 9]]
    problems = Problems()
    read = read_coco(written(value), problems=problems)
    assert read.class_names == ("dog", "face")
    assert len(problems) == 1
    assert read.skeleton == ()


def test_an_object_without_an_image_id_is_not_of_the_image_0(written):
    value = document()
    value["images"][1]["id"] = 0
    value["annotations"][2]["image_id"] = None
    problems = Problems()
    read_coco(written(value), problems=problems)
    assert [each.image for each in problems] == [None]
