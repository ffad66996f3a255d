"""The one import of OpenCV: every other module takes ``cv2`` from here.

Importing opencv-python overwrites Qt's plugin and font paths and the library path of child
processes with its own; they are put back. Limits that OpenCV reads from the environment, once,
must stand there before the import; a value that the user has set is left alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from kpviewer.sources.base import READ_TIMEOUT_S

OVERWRITTEN = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR", "LD_LIBRARY_PATH")
LIMITS = {
    "OPENCV_IO_MAX_IMAGE_PIXELS": str(8192 * 8192),  # a 750 kB PNG can ask for 1.5 GB otherwise
    "OPENCV_LOG_LEVEL": "SILENT",  # its messages go to fd 2 and may hold a URL with a password
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
    "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT": str(round(READ_TIMEOUT_S)),  # s; its own default is 10
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

# The frames are read on one thread beside the network's: more threads here only take its cores.
cv2.setNumThreads(1)

__all__ = ["cv2"]
