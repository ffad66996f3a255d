"""Warnings about a live source without images."""

from dataclasses import replace

import pytest

from kpviewer.errors import SourceError
from kpviewer.pipeline.source.signal_loss import LOST_S, NEVER_SEEN_S, SignalLoss
from kpviewer.pipeline_status import PipelineState, PipelineStats, PipelineStatus


def status(lost_s: float | None, *, frames: int = 0, why: str | None = None) -> PipelineStatus:
    stats = PipelineStats(frames_read=frames)
    return PipelineStatus(
        PipelineState.RUNNING, None, stats, None, signal_lost_s=lost_s, warning=why
    )


def test_each_reason_is_reported_once():
    reported: list[str] = []
    signal = SignalLoss("camera", reported.append)
    for why in ("It hung up.", "It refuses.", "It hung up."):
        signal.check(status(0.5, why=why))
        signal.check(status(None))
    assert [line.split(" Trying")[0] for line in reported] == ["It hung up.", "It refuses."]


def test_the_reason_of_a_late_opening_is_reported_once():
    reported: list[str] = []
    signal = SignalLoss("film", reported.append)
    for why in (None, "It is copied first.", "It is copied first."):
        late = replace(status(None, why=why), state=PipelineState.STARTING)
        signal.check(late)
    signal.check(status(None, why="ended early"))  # reported at the end
    assert reported == ["It is copied first."]


def test_silence_is_reported_after_a_while():
    reported: list[str] = []
    signal = SignalLoss("camera", reported.append)
    signal.check(status(4.9))
    assert reported == []
    for lost_s in (5.1, 9.0):
        signal.check(status(lost_s))
    assert ["camera: no frame for 5 s" in line for line in reported] == [True]


@pytest.mark.parametrize(("frames", "limit_s"), [(0, NEVER_SEEN_S), (1, LOST_S)])
def test_a_lost_source_is_given_up_in_the_end(frames, limit_s):
    signal = SignalLoss("camera", lambda _line: None)
    signal.check(status(limit_s - 1, frames=frames))
    with pytest.raises(SourceError, match="given up"):
        signal.check(status(limit_s + 1, frames=frames, why="It hung up."))
