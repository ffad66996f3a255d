"""Figures of several streams: counted over the same time, for each stream."""

import pytest
from fakes import FakeEngine, FakeSource, raises

from kpviewer.errors import PipelineError, SourceError
from kpviewer.pipeline.measuring.streams import StreamRate, StreamsBlock, measure_streams


def test_rates_latencies_and_drops_are_those_of_each_stream():
    block = StreamsBlock(
        [
            StreamRate(30.0, [1.0, 2.0, 3.0], drops=0, read=100),
            StreamRate(20.0, [4.0], drops=50, read=100),
            StreamRate(25.0, [0.0, 10.0], drops=10, read=100),
        ]
    )
    assert block.fps == 75.0
    assert block.fairness == 1.5
    assert block.dropped == 0.2
    assert block.percentiles_ms(50) == [2.0, 4.0, 5.0]


def test_every_stream_has_the_frames_that_were_asked_for():
    sources = [FakeSource(100_000, fps=1e6) for _ in range(3)]
    block = measure_streams(sources, FakeEngine(), frames=5, warm_up=2)
    assert len(block.streams) == 3
    for stream in block.streams:
        assert len(stream.latencies_ms) >= 5
        assert stream.fps > 0
        assert stream.read >= 7
    assert all(source.closes for source in sources)


def test_the_first_error_of_a_stream_comes_out():
    sources = [FakeSource(100_000, fps=1e6), FakeSource(faults={3: raises(SourceError("torn"))})]
    with pytest.raises(SourceError, match="torn"):
        measure_streams(sources, FakeEngine(), frames=50)
    broken = FakeEngine(fails_at={4: RuntimeError("a bug")})
    with pytest.raises(PipelineError, match="a bug"):
        measure_streams([FakeSource(100_000, fps=1e6)], broken, frames=50)


def test_a_source_that_ends_is_refused():
    with pytest.raises(SourceError, match="no frame"):
        measure_streams([FakeSource(0)], FakeEngine(), frames=1)
