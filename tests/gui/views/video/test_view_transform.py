"""Position of the image in the view."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpviewer.gui.views.video.view_transform import MAX_ZOOM, ViewTransform

POINTS = st.tuples(st.floats(0, 800), st.floats(0, 600))


def test_image_fits_centred_at_first():
    moved = ViewTransform((640, 480), (1000, 480))
    assert moved.scale == 1
    assert moved.offset == (180, 0)


def test_views_of_another_size_show_the_same_middle():
    moved = ViewTransform((640, 480), (640, 480)).zoomed(4, (600, 400))
    centre = moved.to_source(320, 240)
    wider = moved.resized((640, 480), (800, 480))
    assert wider.to_source(400, 240) == pytest.approx(centre)


@given(at=POINTS, factor=st.floats(1, 20), first=st.floats(1, 4), start=POINTS)
def test_zoom_keeps_the_point_under_the_pointer(at, factor, first, start):
    """The view has the image's shape, so that nothing has to be centred."""
    moved = ViewTransform((400, 300), (800, 600)).zoomed(first, start)
    under = moved.to_source(*at)
    assert moved.zoomed(factor, at).to_source(*at) == pytest.approx(under, abs=1e-6)


@given(at=POINTS, factor=st.floats(0.01, 100), dx=st.floats(-3000, 3000), dy=st.floats(-999, 999))
def test_view_stays_full_of_image(at, factor, dx, dy):
    moved = ViewTransform((400, 300), (800, 600)).zoomed(factor, at).panned(dx, dy)
    left, top = moved.to_source(0, 0)
    right, bottom = moved.to_source(800, 600)
    assert min(left, top) >= -1e-6
    assert right <= 400 + 1e-6
    assert bottom <= 300 + 1e-6


def test_zoom_has_ends():
    moved = ViewTransform((400, 300), (800, 600))
    assert moved.zoomed(0.01, (0, 0)).zoom == 1
    assert moved.zoomed(1e9, (0, 0)).zoom == MAX_ZOOM


def test_pan_moves_by_the_pixels_of_the_view():
    moved = ViewTransform((400, 300), (800, 600)).zoomed(4, (400, 300))
    x, y = moved.to_view(200, 150)
    assert moved.panned(30, -20).to_view(200, 150) == pytest.approx((x + 30, y - 20))


def test_a_scale_keeps_the_centre_and_may_be_smaller_than_the_fit():
    small = ViewTransform((100, 100), (400, 400)).scaled(1.0)
    assert small.zoom == 0.25
    assert small.to_view(50, 50) == (200, 200)
    assert small.zoomed(1 / 1.2, (0, 0)) == small  # no smaller by the wheel
    assert small.zoomed(2, (200, 200)).scale == 2
    large = ViewTransform((4000, 4000), (400, 400), zoom=2.0, center_xy=(0.7, 0.6)).scaled(1.0)
    assert large.scale == 1
    assert large.center_xy == (0.7, 0.6)
