"""Frames and pixels of the timeline: there and back, zoomed or not."""

import pytest

from kpviewer.gui.views.timeline.axis import Axis


@pytest.mark.parametrize(
    ("count", "x", "index"),
    [
        (300, 40.0, 0),  # the left edge
        (300, 340.0, 150),
        (300, 639.9, 299),
        (300, 5.0, 0),  # left and right of the lanes
        (300, 700.0, 299),
        (100_000, 340.0, 50_000),
        (3, 239.9, 0),  # a column is 200 px wide
        (3, 240.1, 1),
        (1, 600.0, 0),
    ],
)
def test_a_pixel_names_the_frame_of_its_column(count, x, index):
    assert Axis(count, 40.0, 600.0).index_at(x) == index


@pytest.mark.parametrize("count", [1, 2, 7, 300, 600])
def test_the_middle_of_a_column_names_its_frame(count):
    axis = Axis(count, 40.0, 600.0)
    assert [axis.index_at(axis.x_of(index)) for index in range(count)] == list(range(count))


def test_the_frame_under_the_pointer_stays_there_while_zooming():
    axis = Axis(1000, 0.0, 500.0)
    zoomed = axis.zoomed(4.0, 100.0)  # frame 200
    assert zoomed.length == 250
    assert zoomed.first == pytest.approx(150)
    assert zoomed.index_at(100.0) == 200
    assert zoomed.edges(2).tolist() == pytest.approx([150, 275, 400])


def test_zoom_ends_at_ten_frames_and_at_the_whole_source():
    axis = Axis(1000, 0.0, 500.0)
    closest = axis.zoomed(1e6, 250.0)
    assert closest.length == 10
    assert closest.zoomed(1e-6, 0.0) == axis
    assert Axis(4, 0.0, 500.0).zoomed(100.0, 0.0).length == 4


def test_a_zoomed_part_follows_the_play_head():
    axis = Axis(1000, 0.0, 500.0).zoomed(10.0, 0.0)  # frames 0 to 99
    assert axis.showing(99) is axis
    moved = axis.showing(100)
    assert moved.first == 90
    assert moved.showing(50).first == 50
    assert moved.showing(999).first == 900
