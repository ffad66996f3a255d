"""What the tests of the sources share: films of numbered frames, made once."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # the makers of films, captures and servers

import pytest
from videos import numbered_image, write_video

from kpviewer.sources.opencv import cv2


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 numbered frames at 25 fps, H.264 with reordered frames and several keyframes."""
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    write_video(path, options={"bf": "3", "g": "12"})
    return path


@pytest.fixture
def image_folder(tmp_path: Path) -> Path:
    """Twelve numbered images, named so that text order is the wrong one."""
    for number in range(12):
        cv2.imwrite(str(tmp_path / f"img{number}.png"), numbered_image(number))
    return tmp_path
