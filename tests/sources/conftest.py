"""Fixtures of the tests of sources: numbered videos and images."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # helpers: videos, captures and servers

import pytest
from videos import numbered_image, write_video

from kpviewer.sources.opencv import cv2


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Video of 60 numbered frames at 25 fps: H.264 with reordered frames and several keyframes."""
    path = tmp_path_factory.mktemp("videos") / "film.mp4"
    write_video(path, options={"bf": "3", "g": "12"})
    return path


@pytest.fixture
def image_folder(tmp_path: Path) -> Path:
    """Folder of twelve numbered images, whose natural order differs from text order."""
    for number in range(12):
        cv2.imwrite(str(tmp_path / f"img{number}.png"), numbered_image(number))
    return tmp_path
