"""The synthetic source: names, sizes, and frames that come from memory."""

from itertools import pairwise

import numpy as np
import pytest

from kpviewer.errors import SourceError
from kpviewer.sources.naming import path_of
from kpviewer.sources.open import make_source
from kpviewer.sources.synthetic.demo import DemoSource


def read(source):
    captured = source.read(lambda height, width: np.empty((height, width, 3), np.uint8))
    assert captured is not None
    return captured


@pytest.mark.parametrize(
    ("name", "size_wh"), [("synthetic", (1280, 720)), ("Synthetic:64x48", (64, 48))]
)
def test_a_name_gives_the_size(name, size_wh):
    source = make_source(name)
    info = source.open()
    assert (info.width, info.height, info.is_live) == (*size_wh, False)
    assert read(source).bgr.shape == (size_wh[1], size_wh[0], 3)


def demo_frame(index):
    demo = DemoSource()
    demo.open()
    demo.seek(index)
    return read(demo).bgr


def test_frames_at_the_size_of_the_demo_are_its_own():
    source = make_source("synthetic:640x480")
    source.open()
    first, second = read(source), read(source)
    assert np.array_equal(first.bgr, demo_frame(180))
    assert np.array_equal(second.bgr, demo_frame(181))
    assert first.ground_truth is None


def test_a_wide_size_is_covered_without_distortion():
    source = make_source("synthetic:640x160")
    source.open()
    assert np.array_equal(read(source).bgr, demo_frame(180)[160:320])


def test_frames_run_forth_and_back_without_a_cut():
    source = make_source("synthetic:64x48")
    source.open()
    frames = [read(source).bgr.astype(int) for _ in range(130)]
    assert np.array_equal(frames[59 + 5], frames[59 - 5])
    assert np.array_equal(frames[118], frames[0])
    steps = [np.abs(a - b).mean() for a, b in pairwise(frames)]
    assert 0 < min(steps) < max(steps) < 8


def test_frames_change_and_each_is_the_same_when_read_again():
    source = make_source("synthetic:64x48")
    source.open()
    first, second = read(source).bgr, read(source).bgr
    assert not np.array_equal(first, second)
    first[:] = 0  # a frame that is painted over must not change the source
    source.seek(0)
    assert read(source).bgr.any()


@pytest.mark.parametrize("name", ["synthetic:8x8", "synthetic:640", "synthetic:99999x20"])
def test_a_size_that_no_image_has_is_refused(name):
    with pytest.raises(SourceError, match="synthetic:WIDTHxHEIGHT"):
        make_source(name)


def test_its_name_is_no_path():
    assert path_of("synthetic") is None
    assert path_of("synthetic:640x480") is None
