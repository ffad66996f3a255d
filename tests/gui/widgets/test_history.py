"""Ring buffer of the last seconds, and the axis of its plot."""

import numpy as np

from kpviewer.gui.widgets.history import History, SlowTop


def test_only_the_last_ten_seconds_are_given():
    history = History(1, 100)
    for second in range(30):
        history.add(float(second), float(second))
    ages, rows = history.recent(29.0)
    assert ages.tolist() == [float(age) for age in range(-10, 1)]
    assert rows[:, 0].tolist() == [float(value) for value in range(19, 30)]


def test_ring_keeps_the_newest_rows_in_order():
    history = History(2, 4)
    for step in range(6):
        history.add(step / 10, step, None)
    _, rows = history.recent(0.5)
    assert rows[:, 0].tolist() == [2, 3, 4, 5]
    assert np.isnan(rows[:, 1]).all()


def test_axis_grows_at_once_and_shrinks_after_calm():
    top = SlowTop(10.0)
    assert top.update(3.0, 0.0) == 10.0
    assert top.update(55.0, 0.1) == 80.0
    assert top.update(5.0, 1.0) == 80.0
    assert top.update(5.0, 3.9) == 80.0
    assert top.update(5.0, 4.1) == 10.0
