"""Renderer of frames, detections and ground truth, for the window and for files."""

from kpviewer.overlay.canvas import Canvas, paint_result, render
from kpviewer.overlay.images import (
    array_of,
    drop_gui_application,
    ensure_font,
    ensure_gui_application,
    has_application,
    qimage_of,
    use_utf8_locale,
)
from kpviewer.overlay.keypoints import keypoint_at, keypoint_error, shown_points
from kpviewer.overlay.labels import Label, paint_found_labels, place_labels
from kpviewer.overlay.mosaic import MosaicCell, render_mosaic
from kpviewer.overlay.painting import (
    detection_at,
    image_of,
    paint_overlay,
    shown_ground_truth,
)
from kpviewer.overlay.parts import readable
from kpviewer.overlay.style import OverlayStyle
from kpviewer.overlay.verdicts import paint_verdicts

__all__ = [
    "Canvas",
    "Label",
    "MosaicCell",
    "OverlayStyle",
    "array_of",
    "detection_at",
    "drop_gui_application",
    "ensure_font",
    "ensure_gui_application",
    "has_application",
    "image_of",
    "keypoint_at",
    "keypoint_error",
    "paint_found_labels",
    "paint_overlay",
    "paint_result",
    "paint_verdicts",
    "place_labels",
    "qimage_of",
    "readable",
    "render",
    "render_mosaic",
    "shown_ground_truth",
    "shown_points",
    "use_utf8_locale",
]
