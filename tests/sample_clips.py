"""A short video, and an engine that finds one object in each of its frames."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from kpviewer.models.spec import ModelSpec, Task
from kpviewer.structures import Candidates, ImageArray

FRAMES = 12


class BoxEngine:
    """Engine that detects one object of score 0.6 in each image."""

    spec = ModelSpec("box", "fake", Task.DETECT, ("thing",), (48, 64), score_threshold=0.5)

    def infer(self, _bgr: ImageArray) -> tuple[Candidates, tuple[float, float, float]]:
        box = np.array([[10, 10, 40, 30]], np.float32)
        scores = np.full((1, 1), 0.6, np.float32)
        return Candidates(box, scores, np.zeros((1, 0, 2), np.float32)), (1.0, 1.0, 1.0)


def make_clip(
    path: Path, *, fps: int = 10, size_wh: tuple[int, int] = (64, 48), frames: int = FRAMES
) -> str:
    """Write a video whose frames get brighter; return its path."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=fps)
        stream.width, stream.height = size_wh
        stream.codec_context.time_base = Fraction(1, fps)
        for number in range(frames):
            bgr = np.full((size_wh[1], size_wh[0], 3), 40 + 10 * (number % 20), np.uint8)
            frame = av.VideoFrame.from_ndarray(bgr, format="bgr24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return str(path)
