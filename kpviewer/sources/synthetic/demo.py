"""Demo source: a generated video of 20 s with exact ground truth."""

from kpviewer.sources.synthetic.demo_scene import (
    FRAME_COUNT,
    HEIGHT,
    WIDTH,
    ground_truth_at,
    render,
)
from kpviewer.sources.synthetic.portraits import KEYPOINT_NAMES, collins, hopper
from kpviewer.sources.synthetic.video import GeneratedGroundTruth, GeneratedVideo
from kpviewer.structures import StreamInfo

FPS = 30.0
INFO = StreamInfo("demo", WIDTH, HEIGHT, FPS, FRAME_COUNT, is_live=False, is_seekable=True)


class DemoSource(GeneratedVideo):
    """FrameSource of ``demo_scene``; the portraits stay cached in memory."""

    def __init__(self) -> None:
        ground_truth = GeneratedGroundTruth(ground_truth_at, ("face",), KEYPOINT_NAMES)
        super().__init__(INFO, lambda: (hopper(), collins()), render, ground_truth)
