"""Inputs of ONNX files: the forms of an image, and the size beside it."""

import numpy as np
import pytest

from kpviewer.errors import WeightsError
from kpviewer.models.onnx.facts import FileFacts, Port
from kpviewer.models.onnx.inputs import image_input

PLANES = np.arange(3 * 2 * 4, dtype=np.float32).reshape(3, 2, 4) * 20 + 0.6


def fed(*ports: Port) -> dict[str, np.ndarray]:
    return image_input(FileFacts("model", ports, {})).feeds(PLANES)


@pytest.mark.parametrize("element", ["float32", "float16"])
@pytest.mark.parametrize("batch", [1, None])
def test_an_image_has_a_batch_axis_and_the_type_of_the_input(element, batch):
    image = fed(Port("x", (batch, 3, 2, 4), element))["x"]
    assert image.shape == (1, 3, 2, 4) and image.dtype == element


def test_an_input_without_batch_axis_gets_the_image_alone():
    np.testing.assert_array_equal(fed(Port("x", (3, None, None)))["x"], PLANES)


def test_whole_numbers_are_rounded_and_limited():
    image = fed(Port("x", (1, 3, 2, 4), "uint8"))["x"]
    assert image.dtype == np.uint8
    assert image[0, 0].tolist() == [[1, 21, 41, 61], [81, 101, 121, 141]]  # 0.6, 20.6, ...
    assert image[0, 2, 1, 3] == 255  # of 460.6


def test_channels_may_come_last():
    given = image_input(FileFacts("model", (Port("x", (1, 2, 4, 3), "int32"),), {}))
    assert given.size_hw == (2, 4)
    image = given.feeds(PLANES)["x"]
    assert image.shape == (1, 2, 4, 3) and image[0, 0, 1].tolist() == [21, 181, 255]


def test_a_second_input_gets_width_and_height():
    image, sizes = Port("images", (None, 3, 2, 4)), Port("orig_target_sizes", (None, 2), "int64")
    feeds = fed(image, sizes)
    assert feeds["orig_target_sizes"].tolist() == [[4, 2]]
    assert feeds["orig_target_sizes"].dtype == np.int64


def test_a_fixed_batch_is_filled_with_one_image():
    sizes = Port("orig_target_sizes", (2, 2), "int64")
    given = image_input(FileFacts("model", (Port("x", (2, 3, 2, 4)), sizes), {}))
    feeds = given.feeds(PLANES)
    np.testing.assert_array_equal(feeds["x"], np.stack([PLANES, PLANES]))
    assert feeds["orig_target_sizes"].tolist() == [[4, 2], [4, 2]]
    rows = np.zeros((1, 2, 4, 3), np.uint8)
    assert given.pixel_feeds(rows)["x"].shape == (2, 2, 4, 3)


def test_facts_of_one_image_leave_out_the_batch():
    facts = FileFacts("model", (), {"boxes": (2, 84, 9), "number": (2, 1), "rows": (None, 7)})
    assert facts.of_one_image(2).outputs == {
        "boxes": (1, 84, 9), "number": (1, 1), "rows": (None, 7),
    }  # fmt: skip


@pytest.mark.parametrize(
    "ports",
    [
        (),
        (Port("x", (65, 3, 2, 4)),),
        (Port("x", (1, 4, 2, 4)),),
        (Port("x", (1, 3, 2, 4), "bool"),),
        (Port("x", (1, 3, 2, 4)), Port("y", (1, 3, 2, 4))),
        (Port("x", (1, 3, 2, 4)), Port("anchors", (1, 2))),
    ],
)
def test_other_inputs_are_refused(ports):
    with pytest.raises(WeightsError, match=r"must take one image of shape .*got"):
        fed(*ports)
