"""Face detectors of other makers: anchors and points computed by hand."""

from pathlib import Path

import numpy as np
import pytest
from onnx_files import graph_model

from kpviewer.errors import WeightsError
from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.models.onnx.recognition import AmbiguousLayout
from kpviewer.models.opening.onnx_file import open_onnx

pytest.importorskip("onnxruntime")

FACE = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
IMAGE = ("float32", [1, 3, 64, 96])
OPEN = ("float32", ["?", 3, "?", "?"])
HW = (64, 96)


def best(path: Path, hw=HW):
    detector = open_onnx(path)
    decoded = detector.decode(detector.network(np.zeros((1, 3, *hw), np.float32)), hw)
    points = decoded.keypoints_xy[0, 0].tolist()
    return detector.spec, decoded.xyxy[0, 0].tolist(), float(decoded.scores[0, 0, 0]), points


def scrfd_parts(hw=HW, strides=(8, 16, 32), anchors=2) -> dict[str, list[np.ndarray]]:
    """Zeros, except for the second anchor of row 1, column 2 of stride 16."""
    rows = [-(-hw[0] // each) * -(-hw[1] // each) * anchors for each in strides]
    parts = {name: [np.zeros((n, size), "f4") for n in rows] for name, size in SIZES.items()}
    index = (1 * (hw[1] // 16) + 2) * anchors + anchors - 1
    parts["score"][1][index] = 0.9
    parts["bbox"][1][index] = [1, 0.5, 2, 1.5]
    parts["kps"][1][index] = [0.25, -0.5, 1, 0, 0, 0, 0.5, 0.5, 1, 1]
    return parts


SIZES = {"score": 1, "bbox": 4, "kps": 10}
BOX = [32 - 16, 16 - 8, 32 + 32, 16 + 24]  # cell (2, 1) of stride 16, sides in strides
POINTS = [[36, 8], [48, 16], [32, 16], [40, 24], [48, 32]]


def scrfd_outputs(parts, names=("score", "bbox", "kps"), batch=False) -> dict[str, np.ndarray]:
    return {
        f"{name}_{8 << level}": value[None] if batch else value
        for name in names
        for level, value in enumerate(parts[name])
    }


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("order", [("score", "bbox", "kps"), ("kps", "score", "bbox")])
def test_scrfd_counts_from_the_corners_of_cells(tmp_path, order, batch):
    outputs = scrfd_outputs(scrfd_parts(), order, batch)
    spec, box, score, points = best(graph_model(tmp_path / "m.onnx", {"x": IMAGE}, outputs))
    assert (box, score, points) == (BOX, pytest.approx(0.9), POINTS)
    assert spec.class_names == ("face",) and spec.keypoint_names == FACE
    assert spec.std == pytest.approx((128 / 255,) * 3) and spec.padding == (0, 0, 0)
    assert (spec.score_threshold, spec.iou_threshold) == (0.5, 0.4)


def test_scrfd_without_points_and_names_is_known_by_its_rows(tmp_path):
    parts = scrfd_outputs(scrfd_parts(), ("score", "bbox"))
    numbered = {str(448 + 23 * index): value for index, value in enumerate(parts.values())}
    spec, box, _, points = best(graph_model(tmp_path / "m.onnx", {"x": IMAGE}, numbered))
    assert (box, points, spec.keypoint_names) == (BOX, [], ())


def test_scrfd_of_five_strides_has_one_anchor(tmp_path):
    hw, strides = (128, 128), (8, 16, 32, 64, 128)
    outputs = scrfd_outputs(scrfd_parts(hw, strides, anchors=1))
    path = graph_model(tmp_path / "m.onnx", {"x": ("float32", [1, 3, *hw])}, outputs)
    _, box, score, points = best(path, hw)
    assert (box, score, points) == (BOX, pytest.approx(0.9), POINTS)


def test_scrfd_of_open_size_is_padded_to_the_size_of_its_maker(tmp_path):
    outputs = scrfd_outputs(scrfd_parts((640, 640)))
    shapes = {name: ["?", value.shape[1]] for name, value in outputs.items()}
    spec = open_onnx(graph_model(tmp_path / "m.onnx", {"input.1": OPEN}, outputs, shapes)).spec
    box = letterbox_of(spec, (375, 500))
    assert (box.input_hw, box.resized_hw, box.left, box.top) == ((640, 640), (480, 640), 0, 0)


def test_scores_and_boxes_that_say_nothing_else_may_be_others(tmp_path):
    parts = scrfd_outputs(scrfd_parts((640, 640)), ("score", "bbox"))
    outputs = {str(index): value for index, value in enumerate(parts.values())}
    shapes = {name: ["?", value.shape[1]] for name, value in outputs.items()}
    path = graph_model(tmp_path / "m.onnx", {"x": OPEN}, outputs, shapes)
    with pytest.raises(AmbiguousLayout, match="--layout scrfd"):
        open_onnx(path)
    assert open_onnx(path, "scrfd").spec.class_names == ("face",)


def test_the_person_detector_of_scrfd_gives_corners_of_what_is_visible(tmp_path):
    outputs = scrfd_outputs(scrfd_parts())
    path = graph_model(tmp_path / "scrfd_person_2.5g.onnx", {"x": IMAGE}, outputs)
    spec = open_onnx(path).spec
    assert spec.class_names == ("person",) and spec.keypoint_names[0] == "point 0"


def retinaface(rows: int, index: int, *, logits=False) -> dict[str, np.ndarray]:
    boxes, scores, points = np.zeros((1, rows, 4)), np.zeros((1, rows, 2)), np.zeros((1, rows, 10))
    boxes[0, index] = [1, -2, np.log(2) / 0.2, 0]
    points[0, index] = [1, 1, -1, 0, 0, 0, 2, 0, 0, 2]
    if logits:
        scores[0, index] = [0, np.log(4)]
    else:
        scores[0] = [1, 0]
        scores[0, index] = [0.2, 0.8]
    parts = {"loc": boxes, "conf": scores, "landms": points}
    return {name: each.astype("f4") for name, each in parts.items()}


@pytest.mark.parametrize("order", [("loc", "conf", "landms"), ("landms", "loc", "conf")])
@pytest.mark.parametrize("logits", [False, True])
def test_retinaface_shifts_its_anchors(tmp_path, order, logits):
    # 64x96: 96 + 24 + 6 cells of two anchors; the 2nd anchor (128 px) of cell (1, 0) of stride 16
    parts = retinaface(252, 2 * 96 + 2 * 1 + 1, logits=logits)
    outputs = {name: parts[name] for name in order}
    spec, box, score, points = best(graph_model(tmp_path / "m.onnx", {"x": IMAGE}, outputs))
    centre_x, centre_y, side = 24 + 12.8, 8 - 25.6, 128
    expected = [centre_x - side, centre_y - side / 2, centre_x + side, centre_y + side / 2]
    assert box == pytest.approx(expected, abs=1e-3) and score == pytest.approx(0.8)
    by_hand = [[36.8, 20.8], [11.2, 8], [24, 8], [49.6, 8], [24, 33.6]]
    assert points == [pytest.approx(each, abs=1e-3) for each in by_hand]
    assert spec.keypoint_names == FACE
    assert np.array(spec.mean) * 255 == pytest.approx([123, 117, 104])  # of RGB


def test_a_face_without_numbers_changes_no_other(tmp_path):
    parts = retinaface(252, 7)
    parts["conf"][0, 200] = np.nan
    assert best(graph_model(tmp_path / "m.onnx", {"x": IMAGE}, parts))[2] == pytest.approx(0.8)


def test_small_face_detectors_have_other_anchors(tmp_path):
    # 96 * 3 + 24 * 2 + 6 * 2 + 2 * 3 anchors; the first of stride 32 has 64 px
    outputs = retinaface(354, 288 + 48)
    _, box, _, _ = best(graph_model(tmp_path / "m.onnx", {"x": IMAGE}, outputs))
    assert box == pytest.approx([22.4 - 64, 3.2 - 32, 22.4 + 64, 3.2 + 32], abs=1e-3)


def test_other_numbers_of_anchors_are_unknown(tmp_path):
    path = graph_model(tmp_path / "m.onnx", {"x": IMAGE}, retinaface(250, 3))
    with pytest.raises(WeightsError, match=r"m\.onnx doesn't say what its outputs mean"):
        open_onnx(path)


def test_retinaface_of_open_size_takes_images_as_they_are(tmp_path):
    rows = 2 * (80 * 80 + 40 * 40 + 20 * 20)  # the file is tried at 640x640
    outputs = retinaface(rows, 0)
    shapes = {name: [1, "?", value.shape[2]] for name, value in outputs.items()}
    spec = open_onnx(graph_model(tmp_path / "m.onnx", {"x": OPEN}, outputs, shapes)).spec
    assert letterbox_of(spec, (375, 500)).input_hw == (375, 500)


@pytest.mark.parametrize(
    ("side", "rows", "index", "centre"),
    [
        (128, 896, 1, (4, 4)),  # 2nd anchor of cell (0, 0) of stride 8
        (128, 896, 512 + 6 * 9 + 5, (24, 24)),  # cell (1, 1) of stride 16
        (256, 896, 512 + 6 * 9, (48, 48)),
        (192, 2304, 49, (6, 6)),  # cell (1, 1) of stride 4
    ],
)
def test_blazeface_counts_from_the_centres_of_cells(tmp_path, side, rows, index, centre):
    boxes, scores = np.zeros((1, rows, 16), "f4"), np.full((1, rows, 1), -200, "f4")
    boxes[0, index] = [2, -1, 20, 10, *range(12)]
    scores[0, index] = np.log(4)
    path = graph_model(
        tmp_path / "m.onnx", {"x": ("float32", [1, 3, side, side])}, {"r": boxes, "c": scores}
    )
    spec, box, score, points = best(path, (side, side))
    x, y = centre
    assert box == [x - 8, y - 6, x + 12, y + 4] and score == pytest.approx(0.8)
    assert points == [[x + each, y + each + 1] for each in range(0, 12, 2)]
    # MediaPipe begins with the person's right eye, which is at the left of the image
    assert spec.keypoint_names == (
        "left_eye",
        "right_eye",
        "nose",
        "mouth",
        "left_ear",
        "right_ear",
    )
    assert spec.mean == pytest.approx((0.5,) * 3) and spec.std == pytest.approx((0.5,) * 3)


def test_the_first_yunet_has_priors(tmp_path):
    # 120x160 as in the zoo: 15 * 20 * 3 + 7 * 10 * 2 + 3 * 5 * 2 + 1 * 2 * 3 rows
    rows, index = 1076, 900 + 2 * (10 + 2) + 1  # 48 px, cell (2, 1) of stride 16
    offsets, scores = np.zeros((rows, 14), "f4"), np.zeros((rows, 2), "f4")
    overlaps = np.zeros((rows, 1), "f4")
    offsets[index] = [1, 0, np.log(2) / 0.1, np.log(3) / 0.2, *range(10)]
    scores[index], overlaps[index] = [0, 0.9], 1.6
    path = graph_model(
        tmp_path / "m.onnx",
        {"input": ("float32", [1, 3, 120, 160])},
        {"loc": offsets, "conf": scores, "iou": overlaps},
    )
    spec, box, score, points = best(path, (120, 160))
    assert box == pytest.approx([44.8 - 48, 24 - 72, 44.8 + 48, 24 + 72], abs=1e-3)
    assert score == pytest.approx(0.9**0.5)  # the predicted IoU counts as 1 at most
    by_hand = [[40 + 4.8 * each, 24 + 4.8 * (each + 1)] for each in range(0, 10, 2)]
    assert points == [pytest.approx(each, abs=1e-3) for each in by_hand]
    assert spec.keypoint_names == FACE


def test_yunet_counts_from_the_corners_of_cells(tmp_path):
    outputs = {}
    for stride in (8, 16, 32):
        cells = 64 * 96 // stride**2
        for name, columns in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
            outputs[f"{name}_{stride}"] = np.zeros((1, cells, columns), "f4")
    index = 1 * 6 + 2  # cell (2, 1) of stride 16
    outputs["cls_16"][0, index], outputs["obj_16"][0, index] = 0.9, 0.4
    outputs["bbox_16"][0, index] = [0.5, 1, np.log(2), np.log(3)]
    outputs["kps_16"][0, index] = [0.25, -0.5, 1, 0, 0, 0, 0.5, 0.5, 1, 1]
    spec, box, score, points = best(graph_model(tmp_path / "m.onnx", {"input": IMAGE}, outputs))
    assert box == pytest.approx([40 - 16, 32 - 24, 40 + 16, 32 + 24], abs=1e-4)
    assert (score, points) == (pytest.approx(0.6), POINTS)
    assert spec.keypoint_names == FACE


@pytest.mark.parametrize(("hw", "rows"), [((240, 320), 4420), ((480, 640), 17640)])
def test_ultra_light_takes_a_stretched_image(tmp_path, hw, rows):
    scores, boxes = np.zeros((1, rows, 2), "f4"), np.zeros((1, rows, 4), "f4")
    scores[0, 7], boxes[0, 7] = [0.1, 0.9], [0.25, 0.5, 0.5, 0.75]
    outputs = {"scores": scores, "boxes": boxes}
    image = {"input": ("float32", [1, 3, *hw])}
    spec, box, score, _ = best(graph_model(tmp_path / "m.onnx", image, outputs), hw)
    height, width = hw
    assert box == [width / 4, height / 2, width / 2, height * 3 / 4] and score > 0.89
    # by hand, as the maker's cv2.resize: a square of 100 px fills the input
    assert letterbox_of(spec, (100, 100)).resized_hw == hw
