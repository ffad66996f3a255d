"""The only import of OpenCV; all other modules import ``cv2`` from here.

Importing opencv-python overwrites Qt's plugin and font paths and the library path of child
processes; this module restores them. OpenCV reads limits from the environment once, so they are set
before the import. Values that the user has set are kept.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from kpviewer.sources.base import READ_TIMEOUT_S

OVERWRITTEN = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR", "LD_LIBRARY_PATH")
LIMITS = {
    "OPENCV_IO_MAX_IMAGE_PIXELS": str(8192 * 8192),  # otherwise a 750 kB PNG may allocate 1.5 GB
    "OPENCV_LOG_LEVEL": "SILENT",  # its messages on stderr may show a password
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
    "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT": str(round(READ_TIMEOUT_S)),  # s; the default is 10
    "OPENCV_VIDEOIO_V4L_SELECT_READ_ATTEMPTS": "1",
}


@contextmanager
def _environment_kept() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in OVERWRITTEN}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


for _name, _value in LIMITS.items():
    os.environ.setdefault(_name, _value)
with _environment_kept():
    import cv2


def use_threads(count: int) -> None:
    """Let OpenCV use a number of threads from now on, in the whole program.

    With one its other threads end, so a change takes 0.1 ms.
    """
    if cv2.getNumThreads() != count:
        cv2.setNumThreads(count)


# Frames are read beside the network's threads; more threads here would only take their cores.
use_threads(1)

__all__ = ["cv2", "use_threads"]
