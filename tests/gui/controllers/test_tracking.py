"""Frames don't wait for the tracker to be imported; tracking starts once it is."""

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import pytest
from fakes import TIMEOUT_S, eventually

from kpviewer.gui.controllers.any_bridge import Tracking
from kpviewer.gui.session import Session
from kpviewer.overlay import OverlayStyle
from kpviewer.pipeline.results.tracking import TrackingOptions

TRACKED = OverlayStyle(tracks=True, smooth_landmarks=True)


class SlowImport:
    """Import that takes until ``may_end`` is set."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls = 0
        self.may_end = threading.Event()
        self._error = error

    def __call__(self) -> None:
        self.calls += 1
        assert self.may_end.wait(TIMEOUT_S)
        if self._error is not None:
            raise self._error


@pytest.fixture
def session() -> Session:
    return cast("Session", SimpleNamespace(tracking=TrackingOptions(), pipeline=None))


@pytest.fixture
def slow() -> Iterator[SlowImport]:
    slow = SlowImport()
    yield slow
    slow.may_end.set()


def test_tracking_waits_for_the_import_and_smoothing_does_not(qtbot, session, slow):
    tracking = Tracking(lambda: [session], slow)
    tracking.set_style(TRACKED)
    assert session.tracking == TrackingOptions(smooth=True, track=False)
    assert tracking.is_wanted
    slow.may_end.set()
    qtbot.waitUntil(lambda: session.tracking.track)
    assert session.tracking == TrackingOptions(smooth=True, track=True)
    tracking.close()


def test_a_tracker_that_was_prepared_starts_at_once(qtbot, session, slow):
    tracking = Tracking(lambda: [session], slow)
    tracking.prepare()
    eventually(lambda: slow.calls == 1)  # an import that hasn't begun is dropped
    slow.may_end.set()
    tracking.close()
    tracking = Tracking(lambda: [session], slow)
    tracking.prepare()
    tracking.set_style(TRACKED)
    qtbot.waitUntil(lambda: session.tracking.track)
    tracking.set_style(OverlayStyle())
    assert not session.tracking.track
    tracking.set_style(TRACKED)
    assert session.tracking.track
    assert slow.calls == 2  # one of each
    tracking.close()


def test_an_import_that_fails_is_left_to_the_pipeline_to_report(qtbot, session):
    slow = SlowImport(ImportError("no trackers"))
    slow.may_end.set()
    tracking = Tracking(lambda: [session], slow)
    tracking.set_style(TRACKED)
    qtbot.waitUntil(lambda: session.tracking.track)
    tracking.close()
