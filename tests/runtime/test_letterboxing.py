"""Letterboxing on the host: the buffer is kept, and nothing of an earlier image stays in it."""

from dataclasses import replace

import numpy as np
import pytest

from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.models.spec import ModelSpec, Sampling, Task
from kpviewer.runtime.letterboxing import Letterboxing
from kpviewer.sources.opencv import cv2

SPEC = ModelSpec("probe", "probe", Task.DETECT, ("spot",), (64, 64), padding=(10, 20, 30))
WIDE, TALL, SMALL = (32, 64), (64, 32), (16, 64)


def grey(hw, level):
    return np.full((*hw, 3), level, np.uint8)


def boxed(letterbox, hw, level):
    return letterbox(grey(hw, level), letterbox_of(SPEC, hw))


def padding_and_image(hw, level):
    """Return what an image of one level looks like inside 64x64 px, made without the code."""
    rows = np.full((64, 64, 3), (10, 20, 30), np.uint8)
    top, left = (64 - hw[0]) // 2, (64 - hw[1]) // 2
    rows[top : top + hw[0], left : left + hw[1]] = level
    return rows[None]


def test_one_buffer_is_used_for_every_image():
    letterbox = Letterboxing(SPEC)
    first = boxed(letterbox, WIDE, 200)
    assert boxed(letterbox, WIDE, 100) is first
    np.testing.assert_array_equal(first, padding_and_image(WIDE, 100))


@pytest.mark.parametrize("hw", [TALL, SMALL])
def test_an_image_of_another_shape_leaves_nothing_of_the_one_before(hw):
    letterbox = Letterboxing(SPEC)
    boxed(letterbox, WIDE, 200)
    np.testing.assert_array_equal(boxed(letterbox, hw, 100), padding_and_image(hw, 100))


def test_images_of_several_shapes_form_a_batch():
    letterbox = Letterboxing(SPEC)
    shapes = [WIDE, TALL, SMALL]
    for order in (shapes, shapes[::-1]):
        images = [grey(hw, 50 + row) for row, hw in enumerate(order)]
        batch = letterbox.batch(images, [letterbox_of(SPEC, hw) for hw in order])
        expected = [padding_and_image(hw, 50 + row) for row, hw in enumerate(order)]
        np.testing.assert_array_equal(batch, np.concatenate(expected))


def test_channels_are_swapped_and_values_kept_as_the_model_asks():
    bgr = np.zeros((64, 64, 3), np.uint8)
    bgr[..., 0] = 7
    for sampling, dtype in ((Sampling.SMOOTH, np.uint8), (Sampling.LINEAR_FLOAT, np.float32)):
        spec = replace(SPEC, sampling=sampling)
        rows = Letterboxing(spec)(bgr, letterbox_of(spec, (64, 64)))
        assert rows.dtype == dtype
        assert rows[0, 5, 5].tolist() == [0, 0, 7]


def test_several_threads_resize_to_the_same_bits_and_are_given_back():
    bgr = np.random.default_rng(0).integers(0, 256, (720, 1280, 3)).astype(np.uint8)
    spec = replace(SPEC, input_hw=(256, 448))
    letterbox, box = Letterboxing(spec), letterbox_of(spec, bgr.shape[:2])
    one = letterbox(bgr, box).copy()
    several = letterbox(bgr, box, 3).copy()
    assert cv2.getNumThreads() == 3
    np.testing.assert_array_equal(several, one)
    letterbox(bgr, box)
    assert cv2.getNumThreads() == 1
