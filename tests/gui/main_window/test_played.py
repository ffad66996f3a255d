"""Lanes and scores have every frame that was played, however few the screen could show."""

import numpy as np
from fakes import FakeSource

FRAMES = 60


def test_frames_that_are_not_shown_are_in_the_lanes(qtbot, open_window):
    window = open_window(FakeSource(FRAMES))
    counts: list[int] = []

    def count(lanes: object) -> None:
        counts.append(0 if lanes is None else int(np.count_nonzero(lanes.found >= 0)))

    window.scanning.analysis.lanes_changed.connect(count)
    window.session.take_result = lambda: None  # the screen shows nothing any more
    qtbot.waitUntil(lambda: window.session.engine is not None)
    window.bridge.playback.seek(0.0)
    qtbot.waitUntil(lambda: FRAMES in counts)
