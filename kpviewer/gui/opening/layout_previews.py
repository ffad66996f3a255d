"""Small images of what a model detects if its outputs are read in one layout or another.

They are made on a loader's thread.
"""

from dataclasses import dataclass, replace

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QImage, QPainter, QTransform

from kpviewer.gui.opening.loaders import EngineLoader
from kpviewer.overlay import OverlayStyle, image_of, paint_found_labels, paint_overlay, qimage_of
from kpviewer.pipeline.protocols import doubt_about
from kpviewer.sources.base import first_image
from kpviewer.structures import Detections, FrameResult, ImageArray


@dataclass(frozen=True, slots=True)
class PreviewFrame:
    """Frame that all layouts are shown on."""

    bgr: ImageArray
    """(H, W, 3) uint8, for the model."""
    shown: ImageArray
    """The same frame as it may be shown: anonymised, if the window does so."""


@dataclass(frozen=True, slots=True)
class Preview:
    """Result of one layout."""

    image: QImage
    detections: int
    is_doubtful: bool = False
    """Whether the boxes can't be right."""


def frame_of(result: FrameResult | None, style: OverlayStyle) -> PreviewFrame | None:
    """Copy the frame that the window shows; None if it shows none."""
    if result is None:
        return None
    return PreviewFrame(result.frame.bgr.copy(), image_of(result, style).copy())


def preview(
    load: EngineLoader, name: str, frame: PreviewFrame | None, size: QSize, ratio: float
) -> Preview:
    """Run a model on a frame, and draw what it detects.

    Raises:
        WeightsError: if the model can't be opened in this layout.
    """
    from kpviewer.models.selection import select  # noqa: PLC0415 - torch takes seconds to load

    frame = frame or _demo_frame()
    height, width = frame.bgr.shape[:2]
    engine = load(name, "cpu", (height, width))
    candidates, _ = engine.infer(frame.bgr)
    spec = engine.spec
    detections = select(candidates, spec.thresholds)
    style = OverlayStyle(ground_truth=False).of_model(spec)
    image = _drawn(frame.shown, detections, style, size, ratio)
    return Preview(image, len(detections), doubt_about(engine) is not None)


def _drawn(
    bgr: ImageArray, detections: Detections, style: OverlayStyle, size: QSize, ratio: float
) -> QImage:
    fitted = QSize(bgr.shape[1], bgr.shape[0]).scaled(size, Qt.AspectRatioMode.KeepAspectRatio)
    fitted = fitted.expandedTo(QSize(1, 1))
    image = qimage_of(bgr).scaled(
        fitted * ratio,
        Qt.AspectRatioMode.IgnoreAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
    image.setDevicePixelRatio(ratio)
    to_image = QTransform.fromScale(fitted.width() / bgr.shape[1], fitted.height() / bgr.shape[0])
    painter = QPainter(image)
    try:
        bounds = QRectF(0, 0, fitted.width(), fitted.height())
        paint_overlay(painter, detections, None, replace(style, lines=0.75), to_image, bounds)
        paint_found_labels(painter, detections, style, to_image, bounds)
    finally:
        painter.end()
    return image


def _demo_frame() -> PreviewFrame:
    from kpviewer.sources.synthetic.demo import DemoSource  # noqa: PLC0415 - it reads the portraits

    image = first_image(DemoSource())
    assert image is not None, "the demo has frames"
    return PreviewFrame(image, image)
