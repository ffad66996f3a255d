import numpy as np

from kpviewer.sources.resizing import resized


def test_a_picture_gets_the_wanted_size_and_keeps_its_colours() -> None:
    bgr = np.full((40, 60, 3), (10, 20, 30), np.uint8)
    small = resized(bgr, (20, 15))
    assert (small.shape, small.dtype) == ((20, 15, 3), np.uint8)
    assert (small == (10, 20, 30)).all()


def test_a_picture_of_the_wanted_size_is_not_copied() -> None:
    bgr = np.zeros((40, 60, 3), np.uint8)
    assert resized(bgr, (40, 60)) is bgr
