"""Images of a set with predictions and ground truth, drawn by the viewer's renderer.

Main thread only: text requires an application object, which is made if there is none.
"""

from collections.abc import Sequence

import numpy as np

from kpviewer.annotations.structure import AnnotatedImage
from kpviewer.metrics.frame_error import frame_error
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.overlay import OverlayStyle, ensure_gui_application, render
from kpviewer.overlay.panels import SIDE_PX, LabelRow, caption_under, label_tile
from kpviewer.sources.images.source import load_image
from kpviewer.sources.resizing import resized
from kpviewer.structures import (
    Candidates,
    Detections,
    Frame,
    FrameResult,
    GroundTruth,
    ImageArray,
    StageTimings,
)


def draw_detections(
    image: AnnotatedImage, shown: Detections, spec: ModelSpec, within_px: float | None = None
) -> ImageArray | None:
    """Draw detections and ground truth, with what is matched, missed and false.

    Args:
        image: image of the set.
        shown: detections, px of the image.
        spec: names and skeleton.
        within_px: largest distance of a match, px of the image; None: matches are by IoU.

    Returns:
        (H, W, 3) uint8 BGR, SIDE_PX along its longer side; None if the file can't be read.
    """
    ensure_gui_application()
    bgr = load_image(image.path)
    if bgr is None:
        return None
    scale = SIDE_PX / max(bgr.shape[:2])
    size_hw = (max(1, round(bgr.shape[0] * scale)), max(1, round(bgr.shape[1] * scale)))
    # scale before drawing, or labels would hide small images
    return draw_on(resized(bgr, size_hw), scale, image.targets, shown, spec, within_px)


def draw_on(
    bgr: ImageArray,
    factor: float,
    targets: GroundTruth,
    shown: Detections,
    spec: ModelSpec,
    within_px: float | None = None,
) -> ImageArray:
    """Draw detections and ground truth on an image that was scaled before.

    Args:
        bgr: (H, W, 3) uint8.
        factor: its size by that of the image of the coordinates.
        targets: ground truth.
        shown: detections.
        spec: names and skeleton.
        within_px: largest distance of a match before scaling, px; None: matches are by IoU.
    """
    ensure_gui_application()
    factors = np.full(2, factor, np.float32)
    targets, shown = targets.scaled(factors), shown.scaled(factors)
    frame = Frame(0, 0, None, bgr, ground_truth=targets)
    nothing = Candidates.empty(len(spec.class_names), shown.keypoints_xy.shape[1])
    reach = None if within_px is None else within_px * factor
    style = OverlayStyle(within_px=reach).of_model(spec)
    error = None if spec.task is Task.KEYPOINTS else frame_error(shown, targets)
    return render(FrameResult(frame, nothing, shown, StageTimings(), error), style)


def draw_captioned(
    image: AnnotatedImage, shown: Detections, spec: ModelSpec, text: str, *, is_right: bool
) -> ImageArray | None:
    """Draw detections and ground truth, with a line of text below the image."""
    drawn = draw_detections(image, shown, spec)
    return None if drawn is None else caption_under(drawn, text, is_right=is_right)


def draw_labels(
    image: AnnotatedImage, row: LabelRow, class_names: Sequence[str], threshold: float
) -> ImageArray | None:
    """Draw class scores below an image; return None if the file can't be read."""
    ensure_gui_application()
    bgr = load_image(image.path)
    return None if bgr is None else label_tile(bgr, row, class_names, threshold)
