"""Guard around the import of OpenCV, in a separate process."""

import os

import pytest
from interpreter import python

SCRIPT = """
import os
from kpviewer.sources.opencv import LIMITS, OVERWRITTEN, cv2
for name in (*OVERWRITTEN, *LIMITS):
    print(name, os.environ.get(name))
print("threads", cv2.getNumThreads())
"""


def environment_after_import(**before: str) -> dict[str, str]:
    clean = {
        key: value for key, value in os.environ.items() if not key.startswith(("QT_", "OPENCV"))
    }
    clean.pop("LD_LIBRARY_PATH", None)
    return dict(line.split(" ", 1) for line in python(SCRIPT, clean | before).splitlines())


@pytest.mark.parametrize("value", [None, "/of/the/user"])
def test_the_paths_that_opencv_overwrites_are_as_they_were(value):
    names = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR", "LD_LIBRARY_PATH")
    after = environment_after_import(**({} if value is None else dict.fromkeys(names, value)))
    assert [after[name] for name in names] == [str(value)] * 3
    assert after["threads"] == "1"


def test_limits_are_set_and_the_users_own_are_kept():
    after = environment_after_import(OPENCV_LOG_LEVEL="INFO")
    assert after["OPENCV_IO_MAX_IMAGE_PIXELS"] == str(8192 * 8192)
    assert after["OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT"] == "3"
    assert after["OPENCV_LOG_LEVEL"] == "INFO"
