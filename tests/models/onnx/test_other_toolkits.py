"""Exports of TensorFlow, OpenVINO, Geti, Paddle and Hugging Face; one channel, whole numbers."""

import json
from pathlib import Path

import numpy as np
import pytest

from kpviewer.errors import WeightsError
from kpviewer.models.onnx.facts import FileFacts, Port
from kpviewer.models.onnx.families.base import AmbiguousLayout
from kpviewer.models.onnx.inputs import image_input
from kpviewer.models.opening.onnx_file import open_onnx
from kpviewer.models.spec import Placement, Resize

pytest.importorskip("onnxruntime")

from onnx_files import graph_model
from onnx_layouts import IMAGE, SIZE, float_rows, found

BOX = [10, 20, 40, 44]
SHARES = [each / SIZE for each in BOX]
CLASS_1 = [("class 1", 0.9, BOX)]
CAT = [("cat", 0.9, BOX)]


@pytest.mark.parametrize("suffix", ["", ":0"])
def test_the_object_detection_api_has_top_before_left(tmp_path, suffix):
    left, top, right, bottom = SHARES
    outputs = {
        "detection_boxes": float_rows([top, left, bottom, right], count=3),
        "detection_classes": np.array([[1, 1, 1]], np.float32),
        "detection_scores": np.array([[0.9, 0, 0]], np.float32),
        "num_detections": np.array([3], np.float32),
    }
    outputs = {name + suffix: value for name, value in outputs.items()}
    image = {"image_tensor": ("uint8", [1, "h", "w", 3])}
    path = graph_model(tmp_path / "ssd.onnx", image, outputs)
    assert found(path) == CLASS_1
    path.with_suffix(".toml").write_text('classes = ["cat"]')
    assert found(path) == CAT


def test_detection_output_ends_with_image_minus_1(tmp_path):
    rows = np.array([[0, 1, 0.9, *SHARES], [-1, 0, 0, 0, 0, 0, 0]], np.float32)
    path = graph_model(tmp_path / "a.onnx", IMAGE, {"out": rows.reshape(1, 1, 2, 7)})
    assert found(path) == CLASS_1
    spec = open_onnx(path).spec
    assert spec.resize is Resize.STRETCH
    assert "channels and value_range in a TOML" in spec.notes[0]


@pytest.mark.parametrize("prefix", ["", "model_info "])  # of OpenVINO's files, and of ONNX files
def test_geti_says_how_images_are_prepared(tmp_path, prefix):
    outputs = {"boxes": float_rows([*BOX, 0.9]), "labels": np.array([[1]], np.int64)}
    entries = {
        "labels": "dog cat",
        "resize_type": "fit_to_window",
        "reverse_input_channels": "True",
        "mean_values": "127.5 127.5 127.5",
        "scale_values": "51.0 51.0 51.0",
        "pad_value": "114",
    }
    entries = {f"{prefix}{key}": text for key, text in entries.items()}
    path = graph_model(tmp_path / "a.onnx", IMAGE, outputs, **entries)
    assert found(path) == CAT
    detector = open_onnx(path)
    assert detector.network.channels == "rgb"
    spec = detector.spec
    assert (spec.placement, spec.padding) == (Placement.TOP_LEFT, (114, 114, 114))
    assert spec.mean == pytest.approx([0.5] * 3)  # of pixels from 0 to 1
    assert spec.std == pytest.approx([0.2] * 3)
    assert not spec.notes


def geti(path: Path, **entries: str) -> Path:
    outputs = {"boxes": float_rows([*BOX, 0.9]), "labels": np.array([[1]], np.int64)}
    return graph_model(path, IMAGE, outputs, labels="dog cat", **entries)


def test_geti_may_leave_out_what_is_usual(tmp_path):
    path = geti(tmp_path / "a.onnx", scale_values="255.0", reverse_input_channels="YES")
    detector = open_onnx(path)
    assert detector.network.channels == "rgb"
    assert detector.spec.resize is Resize.STRETCH
    assert detector.spec.std == pytest.approx([1.0] * 3)  # one number for all channels
    assert not detector.spec.notes


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"resize_type": "crop"}, "resize_type must be standard or"),
        ({"mean_values": "1.0 2.0"}, "mean_values must be 1 or 3 numbers"),
        ({"resize_type": "standard", "embedded_processing": "True"}, "resizes images itself"),
    ],
)
def test_what_geti_says_is_followed_or_refused(tmp_path, entries, message):
    with pytest.raises(WeightsError, match=message):
        open_onnx(geti(tmp_path / "a.onnx", **entries))


def test_endless_padding_is_refused(tmp_path):
    outputs = {"boxes": float_rows([*BOX, 0.9]), "labels": np.array([[1]], np.int64)}
    entries = {"resize_type": "fit_to_window", "pad_value": "inf"}
    with pytest.raises(WeightsError, match="pad_value"):
        open_onnx(graph_model(tmp_path / "a.onnx", IMAGE, outputs, **entries))


def test_rows_of_paddle_begin_with_class_and_score(tmp_path):
    inputs = {
        "im_shape": ("float32", [1, 2]),
        **IMAGE,
        "scale_factor": ("float32", [1, 2]),
    }
    outputs = {
        "rows": np.array([[1, 0.9, *BOX], [-1, -1, 0, 0, 0, 0]], np.float32),
        "count": np.array([1], np.int32),
    }
    path = graph_model(tmp_path / "a.onnx", inputs, outputs)
    with pytest.raises(AmbiguousLayout, match="--layout paddle-normalised"):
        open_onnx(path)
    assert found(path, "paddle") == CLASS_1


def test_paddle_is_told_the_size_of_the_input_and_no_scale():
    ports = (Port("im_shape", (1, 2)), Port("image", (1, 3, 4, 6)), Port("scale_factor", (1, 2)))
    feeds = image_input(FileFacts("x", ports, {})).feeds(np.zeros((3, 4, 6), np.float32))
    assert feeds["im_shape"].tolist() == [[4, 6]]
    assert feeds["scale_factor"].tolist() == [[1, 1]]


@pytest.mark.parametrize(
    ("kind", "background", "mean"),
    [("rt_detr", 0, [0, 0, 0]), ("yolos", 1, [0.5, 0.4, 0.3]), ("deformable_detr", 0, [0, 0, 0])],
)
def test_files_of_hugging_face_name_kind_classes_and_colours(tmp_path, kind, background, mean):
    left, top, right, bottom = SHARES
    boxes = float_rows([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top])
    logits = np.log([[[0.1 / 0.9, 0.9 / 0.1, 0.1 / 0.9]]]).astype(np.float32)
    if background:  # shares of a softmax are those of its logits' powers
        logits = np.log([[[0.04, 0.9, 0.06]]]).astype(np.float32)
    names = ["dog", "cat", "cow"][: 3 - background]
    folder = tmp_path / "onnx"
    folder.mkdir()
    path = graph_model(folder / "model.onnx", IMAGE, {"logits": logits, "pred_boxes": boxes})
    with pytest.raises(AmbiguousLayout):
        open_onnx(path)
    config = {"model_type": kind, "id2label": dict(enumerate(names))}
    (tmp_path / "config.json").write_text(json.dumps(config))
    processor = {"do_normalize": bool(background), "image_mean": mean, "image_std": [1, 1, 1]}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(processor))
    assert found(path) == CAT
    assert open_onnx(path).spec.mean == pytest.approx(mean)


@pytest.mark.parametrize(
    ("scaling", "white"),
    [
        ({}, 1.0),
        ({"do_rescale": False}, 255.0),
        ({"do_rescale": True, "rescale_factor": 2 / 255}, 2.0),
        ({"rescale_factor": "much"}, 1.0),
    ],
)
def test_files_of_hugging_face_say_how_pixels_are_scaled(tmp_path, scaling, white):
    outputs = {"logits": np.zeros((1, 1, 3), np.float32), "pred_boxes": float_rows([0.0] * 4)}
    path = graph_model(tmp_path / "model.onnx", IMAGE, outputs)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "rt_detr"}))
    processor = {"do_normalize": False, **scaling}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(processor))
    assert 1 / open_onnx(path).spec.std[0] == pytest.approx(white)


def test_one_channel_gets_the_grey_image():
    image = image_input(FileFacts("x", (Port("image", (1, 1, 4, 6)),), {}))
    assert not image.takes_planes
    red = np.zeros((3, 4, 6), np.float32)
    red[0] = 1
    assert image.feeds(red)["image"] == pytest.approx(np.full((1, 1, 4, 6), 0.299))


def test_whole_numbers_are_levels_of_pixels(tmp_path):
    entries = {"task": "detect", "names": "['dog', 'cat']", "imgsz": "[64, 64]"}
    image = {"images": ("uint8", [1, SIZE, SIZE, 3])}
    raw = {"out": np.zeros((1, 6, 84), np.float32)}
    spec = open_onnx(graph_model(tmp_path / "a.onnx", image, raw, **entries)).spec
    assert spec.std == pytest.approx([1 / 255] * 3)  # a white pixel becomes 255
