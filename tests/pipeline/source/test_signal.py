"""Reports on a live source without images, and when they come."""

import threading

import pytest
from fakes import FakeClock, FakeEngine, FakeSource, collect, raises, stalls

from kpviewer.errors import SourceError
from kpviewer.pipeline.pipeline import Pipeline, PipelineOptions


class NotingClock(FakeClock):
    """Notes the warning of a pipeline at each wait."""

    def __init__(self) -> None:
        super().__init__()
        self.pipeline: Pipeline | None = None
        self.warnings: list[str | None] = []

    def wait(self, condition: threading.Condition, timeout_s: float) -> None:
        if self.pipeline is not None:
            self.warnings.append(self.pipeline.status().warning)
        super().wait(condition, timeout_s)


class ListeningSource(FakeSource):
    """A camera that hears data, or is slow."""

    silence_s: float | None = None
    usual_gap_s = 0.0


def test_the_reason_of_a_loss_is_reported_and_then_that_of_each_failed_opening(make_pipeline):
    source = FakeSource(
        live=True,
        faults={0: raises(SourceError("Images are too large."))},
        open_errors=[None, SourceError("Refused."), None],
    )
    clock = NotingClock()
    pipeline = clock.pipeline = make_pipeline(source, FakeEngine(), PipelineOptions(clock=clock))
    collector = collect(pipeline)
    pipeline.start()
    source.wait_for_opens(3)
    source.give(1)
    collector.wait_for(1)
    assert clock.warnings[:2] == ["Images are too large.", "Refused."]
    assert pipeline.status().warning is None


def test_a_stop_is_no_loss_of_signal(make_pipeline):
    source = FakeSource(live=True, faults={0: stalls()})
    pipeline = make_pipeline(source, FakeEngine())
    pipeline.start()
    assert source.has_blocked.wait(10)
    pipeline.stop()
    assert pipeline.join(10)
    assert pipeline.status().warning is None


def test_data_without_an_image_is_no_loss_of_signal(make_pipeline):
    clock = FakeClock()
    source = ListeningSource(live=True, clock=clock)
    pipeline = make_pipeline(source, FakeEngine(), PipelineOptions(clock=clock))
    pipeline.start()
    source.wait_for_reads(1)
    source.silence_s = 0.1
    clock.advance(9.0)
    assert pipeline.status().signal_lost_s is None
    source.silence_s = 2.5
    assert pipeline.status().signal_lost_s == pytest.approx(9.0)


def test_a_slow_camera_is_not_reported_between_its_images(make_pipeline):
    clock = FakeClock()
    source = ListeningSource(live=True, clock=clock)
    source.usual_gap_s = 3.3
    pipeline = make_pipeline(source, FakeEngine(), PipelineOptions(clock=clock))
    pipeline.start()
    source.give(1)
    source.wait_for_reads(2)
    clock.advance(6.0)
    assert pipeline.status().signal_lost_s is None
    clock.advance(1.0)
    assert pipeline.status().signal_lost_s == pytest.approx(7.0)
