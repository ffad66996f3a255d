"""Segments and their descriptions, against scikit-image's own measures."""

import numpy as np
import pytest
from skimage.graph import RAG
from skimage.measure import regionprops
from skimage.segmentation import felzenszwalb

from kpviewer.models.networks.regions.segmentation import (
    colour_histograms,
    colours_of,
    described,
    segment_map,
    texture_histograms,
    touching_pairs,
)

RNG = np.random.default_rng(3)
MAP = np.repeat(np.repeat(RNG.permutation(20).reshape(4, 5), 5, 0), 7, 1)
"""(20, 35): blocks of 20 segments in any order."""


def test_sizes_and_boxes_are_those_of_scikit_image():
    found = described(MAP, np.zeros((20, 1), np.float32))
    measured = regionprops(MAP + 1)
    assert found.sizes.tolist() == [each.area for each in measured]
    expected = [
        (left, top, right, bottom) for top, left, bottom, right in (r.bbox for r in measured)
    ]
    assert [tuple(row) for row in found.xyxy.tolist()] == expected


def test_pairs_are_the_edges_of_scikit_images_adjacency_graph():
    edges = {tuple(sorted(edge)) for edge in RAG(MAP, connectivity=1).edges}
    pairs = touching_pairs(MAP)
    assert {tuple(pair) for pair in pairs.tolist()} == edges
    assert len(pairs) == len(edges)


def test_a_segmentation_is_that_of_scikit_image_on_normalised_colours():
    rgb = np.zeros((40, 60, 3), np.uint8)
    rgb[10:30, 10:25] = (200, 30, 30)
    rgb[10:30, 35:50] = (30, 30, 200)
    expected = felzenszwalb(rgb / np.array([200, 30, 200]), scale=50, sigma=0.8, min_size=50)
    np.testing.assert_array_equal(segment_map(colours_of(rgb, "rgb"), 50), expected)


def test_colours_fill_the_range_of_each_channel():
    rgb = RNG.integers(40, 90, (8, 9, 3), dtype=np.uint8)
    for space in ("hsv", "lab", "rgb"):
        colours = colours_of(rgb, space)
        assert colours.min((0, 1)).tolist() == pytest.approx([0, 0, 0])
        assert colours.max((0, 1)).tolist() == pytest.approx([1, 1, 1], abs=1e-5)


def test_a_histogram_of_colours_counts_the_pixels_of_its_segment():
    numbers = np.array([[0, 0, 1, 1]])
    colours = np.array([[[0, 0, 0], [1, 0, 0], [0.5, 0, 0], [0.5, 0, 0.99]]], np.float32)
    table = colour_histograms(colours, numbers)
    assert table.shape == (2, 75)
    first, second = (dict(enumerate(row)) for row in table.tolist())
    one, two = pytest.approx(1 / 6), pytest.approx(2 / 6)  # pixels of two, in one channel of three
    assert (first[0], first[24], first[25], first[50]) == (one, one, two, two)
    assert (second[12], second[50], second[74]) == (two, one, one)


def test_textures_tell_stripes_from_stripes_across():
    stripes = np.tile(np.repeat([0.0, 1.0], 3), (24, 4)).astype(np.float32)[..., None]
    upright = np.repeat(stripes, 3, 2)
    numbers = np.zeros((24, 24), np.int64)
    numbers[:, 12:] = 1
    same = texture_histograms(upright, numbers)
    across = texture_histograms(upright.transpose(1, 0, 2), numbers)
    assert same.shape == (2, 240)
    np.testing.assert_allclose(same.sum(1), 1, rtol=1e-5)
    alike, unlike = np.minimum(same[0], same[1]).sum(), np.minimum(same[0], across[0]).sum()
    assert alike > 0.9 > unlike
