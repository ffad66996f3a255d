"""The bound of the pipeline's rate, worked out by hand."""

import pytest

from kpviewer.benchmarking.blocks import Efficiency
from kpviewer.pipeline.measuring.benchmark import Block, Rate
from kpviewer.structures import StreamInfo

INFO = StreamInfo("fake", 64, 48, 30.0, 100, is_live=False, is_seekable=True)


def block(fps: float) -> Block:
    return Block(INFO, (48, 64), fps, {}, None)


@pytest.mark.parametrize(
    ("measured", "bounds_fps", "of_bound"),
    [
        # 45 ms of work on 2 cores would allow 44 frames a second; the model alone reaches 25
        (Efficiency(2, [25.0], [Rate(20.0, 45.0)], [block(24.0)]), [25.0], [0.96]),
        # 10 ms of work a frame on 2 cores: 5 ms each
        (Efficiency(2, [500.0], [Rate(90.0, 10.0)], [block(150.0)]), [200.0], [0.75]),
        # each block has a bound of its own
        (
            Efficiency(1, [100.0, 10.0], [Rate(50.0, 20.0)] * 2, [block(40.0), block(5.0)]),
            [50.0, 10.0],
            [0.8, 0.5],
        ),
    ],
    ids=["model", "cores", "blocks"],
)
def test_the_bound_is_the_model_or_the_cores(measured, bounds_fps, of_bound):
    assert measured.bounds_fps == pytest.approx(bounds_fps)
    assert measured.of_bound == pytest.approx(of_bound)
