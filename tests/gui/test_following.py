"""The image doesn't wait for the tracker to be imported, and following begins when it is."""

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import pytest
from fakes import TIMEOUT_S, eventually

from kpviewer.gui.following import Following
from kpviewer.gui.session import Session
from kpviewer.overlay import OverlayStyle
from kpviewer.pipeline.tracking import TrackingOptions

FOLLOW = OverlayStyle(tracks=True, smooth_landmarks=True)


class SlowImport:
    """An import that takes until it is let go."""

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
    return cast("Session", SimpleNamespace(following=TrackingOptions(), pipeline=None))


@pytest.fixture
def slow() -> Iterator[SlowImport]:
    slow = SlowImport()
    yield slow
    slow.may_end.set()


def is_tracking(following: Following, session: Session) -> bool:
    following.poll()
    return session.following.track


def test_following_waits_for_the_import_and_smoothing_does_not(session, slow):
    following = Following(session, slow)
    following.follow(FOLLOW)
    following.poll()
    assert session.following == TrackingOptions(smooth=True, track=False)
    assert following.is_waiting
    slow.may_end.set()
    eventually(lambda: is_tracking(following, session))
    assert session.following == TrackingOptions(smooth=True, track=True)
    assert not following.is_waiting
    following.close()


def test_what_was_made_ready_before_begins_at_once(session, slow):
    following = Following(session, slow)
    following.prepare()
    eventually(lambda: slow.calls == 1)  # one that hasn't begun is dropped
    slow.may_end.set()
    following.close()
    following = Following(session, slow)
    following.prepare()
    following.follow(FOLLOW)
    eventually(lambda: is_tracking(following, session))
    following.follow(OverlayStyle())
    assert not session.following.track
    following.follow(FOLLOW)
    assert session.following.track
    assert slow.calls == 2  # one of each
    following.close()


def test_an_import_that_fails_is_left_to_the_pipeline_to_tell(session):
    slow = SlowImport(ImportError("no trackers"))
    slow.may_end.set()
    following = Following(session, slow)
    following.follow(FOLLOW)
    eventually(lambda: is_tracking(following, session))
    following.close()
