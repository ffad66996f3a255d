"""The bound of the pipeline's rate, worked out by hand."""

import pytest

from kpviewer.benchmarking.blocks import Efficiency
from kpviewer.pipeline.measuring.benchmark import Block, Rate
from kpviewer.structures import StreamInfo

INFO = StreamInfo("fake", 64, 48, 30.0, 100, is_live=False, is_seekable=True)


def block(fps: float) -> Block:
    return Block(INFO, (48, 64), fps, {}, None)


def test_a_model_that_dominates_is_the_bound():
    # 45 ms of work on 2 cores would allow 44 frames a second; the model alone reaches 25
    found = Efficiency(2, [25.0], [Rate(20.0, 45.0)], [block(24.0)])
    assert found.bounds_fps == [25.0]
    assert found.of_bound == pytest.approx([0.96])


def test_otherwise_the_cores_are():
    # 10 ms of work a frame on 2 cores: 5 ms each
    found = Efficiency(2, [500.0], [Rate(90.0, 10.0)], [block(150.0)])
    assert found.bounds_fps == pytest.approx([200.0])
    assert found.of_bound == pytest.approx([0.75])


def test_each_block_has_a_bound_of_its_own():
    found = Efficiency(
        1,
        [100.0, 10.0],
        [Rate(50.0, 20.0), Rate(50.0, 20.0)],
        [block(40.0), block(5.0)],
    )
    assert found.bounds_fps == pytest.approx([50.0, 10.0])
    assert found.of_bound == pytest.approx([0.8, 0.5])
