"""Longest silence of a stream."""

import pytest

from kpviewer.sources.video.patience import LONGEST_S, Patience


class FakeTime:
    now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def fake_time(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    fake = FakeTime()
    monkeypatch.setattr("kpviewer.sources.video.patience.time", fake)
    return fake


def hear(patience: Patience, fake_time: FakeTime, gap_s: float, count: int) -> None:
    for _ in range(count):
        fake_time.now_s += gap_s
        patience.note_packet()


def test_a_fast_camera_is_given_up_soon_and_a_slow_one_is_not(fake_time):
    fast, slow = Patience(3.0, 24.0), Patience(3.0, 24.0)
    hear(fast, fake_time, 0.04, 50)
    assert fast.limit_s == 3.0
    hear(slow, fake_time, 1 / 0.3, 2)
    assert slow.limit_s > 3 / 0.3
    hear(slow, fake_time, 1 / 0.3, 20)
    assert slow.limit_s == pytest.approx(3 / 0.3)
    assert slow.usual_gap_s == pytest.approx(1 / 0.3)


def test_first_packets_may_have_been_buffered(fake_time):
    patience = Patience(3.0, 24.0)
    hear(patience, fake_time, 0.0, 2)  # these were buffered
    assert patience.limit_s == 24.0


def test_a_single_stall_is_forgotten(fake_time):
    patience = Patience(3.0, 24.0)
    hear(patience, fake_time, 0.04, 20)
    hear(patience, fake_time, 2.9, 1)
    assert patience.limit_s > 8
    hear(patience, fake_time, 0.04, 250)
    assert patience.limit_s == 3.0


def test_patience_has_a_maximum(fake_time):
    patience = Patience(3.0, 24.0)
    hear(patience, fake_time, 59.0, 20)
    assert patience.limit_s == LONGEST_S
