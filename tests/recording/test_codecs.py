from pathlib import Path

import av
import numpy as np
import pytest
from sample_results import info

from kpviewer.recording.codecs import (
    CODECS,
    Quality,
    megabytes_a_minute,
    usable_codecs,
    usual_codec,
)
from kpviewer.recording.parts import reserve
from kpviewer.recording.video import VideoOptions, VideoWriter

FRAMES = 20


def written(folder: Path, codec: str, quality: Quality) -> Path:
    """Write a moving pattern."""
    blocks = np.random.default_rng(0).integers(60, 200, (30, 80, 3), np.uint8)
    wave = (30 * np.sin(np.arange(640) / 5)).astype(np.int64)
    noise = (blocks.repeat(8, 0).repeat(8, 1) + wave[:, None]).astype(np.uint8)
    video = VideoWriter(reserve(folder, "clip", ".mp4"), 25, VideoOptions(codec, quality=quality))
    for index in range(FRAMES):
        video.write(noise[:, index * 5 : index * 5 + 320], index / 25)
    video.close()
    assert video.path is not None
    return video.path


def test_every_encoder_that_is_offered_writes_each_frame_and_better_is_larger(tmp_path):
    assert usual_codec() in usable_codecs()
    for codec in usable_codecs():
        sizes = []
        for quality in Quality:
            path = written(tmp_path, codec, quality)
            with av.open(str(path)) as video:
                assert sum(1 for _ in video.decode(video=0)) == FRAMES
            sizes.append(path.stat().st_size)
        assert sizes[0] < sizes[1] < sizes[2], codec


def test_encoder_that_does_not_open_is_not_offered():
    names = usable_codecs()
    assert set(names) <= set(CODECS)
    assert all(name in av.codecs_available for name in names)


def test_estimate_grows_with_pixels_rate_and_videos():
    # 64 x 48 px at 30 fps for 60 s are 5,529,600 px, at 0.16 bits 0.11 MB.
    assert megabytes_a_minute(info(), "libx264", Quality.GOOD) == pytest.approx(0.1106, abs=0.0001)
    both = megabytes_a_minute(info(fps=60), "libx264", Quality.GOOD, videos=2)
    assert both == pytest.approx(4 * 0.1106, abs=0.001)
