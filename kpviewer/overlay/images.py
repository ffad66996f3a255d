"""Conversion between arrays and QImages, and the Qt application that text needs."""

import importlib.util
import locale
import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
from PyQt6 import sip
from PyQt6.QtGui import QFont, QFontDatabase, QFontMetricsF, QGuiApplication, QImage

from kpviewer.geometry import Letterbox
from kpviewer.structures import ImageArray

_log = logging.getLogger(__name__)
_application: QGuiApplication | None = None


def ensure_gui_application() -> None:
    """Make an application object without a screen if there is none. Main thread only."""
    global _application  # noqa: PLW0603 - Qt requires it as long as the process lives
    if QGuiApplication.instance() is None:
        use_utf8_locale()
        _application = QGuiApplication(["kpviewer", "-platform", "offscreen"])
    ensure_font()


def use_utf8_locale() -> None:
    """Use a UTF-8 locale from now on, as Qt does by itself with four lines on stderr."""
    if os.name == "posix" and locale.getencoding() != "UTF-8":
        os.environ["LC_ALL"] = "C.UTF-8"


def has_application() -> bool:
    """Return whether there is an application object, made here or elsewhere."""
    return QGuiApplication.instance() is not None


def drop_gui_application() -> None:
    """Delete the application of ``ensure_gui_application``: a window needs one with widgets."""
    global _application  # noqa: PLW0603 - as above
    if _application is not None:
        sip.delete(_application)
        _application = None


def ensure_font() -> None:
    """Set a font with letters if the system has none. Main thread only.

    Qt's wheels bring no font; without one every letter is an empty box. Matplotlib's wheel has one.
    """
    if QFontMetricsF(QFont()).inFont("a"):
        return
    package = importlib.util.find_spec("matplotlib")
    for folder in (package.submodule_search_locations or []) if package else []:
        path = Path(folder, "mpl-data", "fonts", "ttf", "DejaVuSans.ttf")
        families = QFontDatabase.applicationFontFamilies(
            QFontDatabase.addApplicationFont(str(path))
        )
        if families:
            QGuiApplication.setFont(QFont(families))
            return
    _log.warning("No font was found: labels are unreadable. Install one, e.g. fonts-dejavu-core.")


def qimage_of(bgr: ImageArray) -> QImage:
    """Wrap an image as a QImage without copying it.

    The QImage keeps the array alive and shows later writes into it: hold the frame's lease as long
    as the image is shown. Painting on the QImage doesn't change the array.

    Args:
        bgr: (H, W, 3) uint8.
    """
    pixels = np.ascontiguousarray(bgr)
    height, width = pixels.shape[:2]
    data: Any = pixels.data  # any buffer will do, though the signature says bytes
    return QImage(data, width, height, 3 * width, QImage.Format.Format_BGR888)


def bgra_of(bgr: ImageArray, out: ImageArray | None = None) -> ImageArray:
    """Return an (H, W, 3) uint8 image with a fourth channel, which Qt paints on three times faster.

    Args:
        bgr: the image.
        out: array for the result, which is used if its size is right.
    """
    from kpviewer.sources.opencv import cv2  # noqa: PLC0415 - the window starts without it

    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2BGRA, dst=out), np.uint8)


def bgr_of(bgra: ImageArray) -> ImageArray:
    """Return a new (H, W, 3) uint8 image, of one with four channels."""
    from kpviewer.sources.opencv import cv2  # noqa: PLC0415 - as above

    return np.asarray(cv2.cvtColor(bgra, cv2.COLOR_BGRA2BGR), np.uint8)


def qimage_over(bgra: ImageArray) -> QImage:
    """Wrap an (H, W, 4) uint8 image as a QImage that paints on it; keep the array meanwhile."""
    height, width = bgra.shape[:2]
    pixels: Any = sip.voidptr(bgra.ctypes.data)  # Qt paints on a copy of a plain buffer
    return QImage(pixels, width, height, QImage.Format.Format_RGB32)


def array_of(image: QImage) -> ImageArray:
    """Copy a QImage into a new (H, W, 3) uint8 BGR array.

    Raises:
        ValueError: if the image has no pixels.
    """
    image = image.convertToFormat(QImage.Format.Format_BGR888)
    pointer = image.constBits()
    if pointer is None:
        raise ValueError("image must have pixels, got an empty one")
    pointer.setsize(image.sizeInBytes())
    data: Any = pointer  # a buffer, though its type doesn't say so
    rows: ImageArray = np.frombuffer(data, np.uint8)
    rows = rows.reshape(image.height(), image.bytesPerLine())[:, : 3 * image.width()]
    return rows.reshape(image.height(), image.width(), 3).copy()


def shrunk(bgr: ImageArray, side_px: int) -> ImageArray:
    """Return an image whose longer side is at most ``side_px``, in the same proportions.

    Args:
        bgr: (H, W, 3) uint8.
        side_px: longest side of the result, px.

    Returns:
        (h, w, 3) uint8: a smoothed copy, or ``bgr`` itself if it is small enough.
    """
    height, width = bgr.shape[:2]
    if max(height, width) <= side_px:
        return bgr
    from kpviewer.sources.opencv import cv2  # noqa: PLC0415 - as above

    factor = side_px / max(height, width)
    size_wh = max(round(width * factor), 1), max(round(height * factor), 1)
    return np.asarray(cv2.resize(bgr, size_wh, interpolation=cv2.INTER_AREA), np.uint8)


def fit_image(image: ImageArray, area: ImageArray) -> Letterbox:
    """Copy an image into the middle of an area, as large as it fits; the rest stays as it is.

    Args:
        image: (h, w, 3) or (h, w, 4) uint8.
        area: (H, W, 3) or (H, W, 4) uint8, with at least as many channels.

    Returns:
        The transform from the image to the area.
    """
    from kpviewer.sources.opencv import cv2  # noqa: PLC0415 - as above

    box = Letterbox.fit((image.shape[0], image.shape[1]), (area.shape[0], area.shape[1]))
    height, width = box.resized_hw
    # From half the size on, two pixels make one of the result: their mean takes 6 times as long.
    way = cv2.INTER_AREA if 2 * height < image.shape[0] else cv2.INTER_LINEAR
    resized = np.asarray(cv2.resize(image, (width, height), interpolation=way), np.uint8)
    if area.shape[2] > image.shape[2]:
        resized = bgra_of(resized)
    area[box.top : box.top + height, box.left : box.left + width] = resized
    return box
