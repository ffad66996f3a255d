"""Pictures of an evaluation report: what was seen, and the truth, on the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kpviewer.cli.report_figures import jpeg_of
from kpviewer.overlay import OverlayStyle, ensure_gui_application, render
from kpviewer.sources.images import load_picture
from kpviewer.sources.resizing import resized
from kpviewer.structures import (
    Candidates,
    Detections,
    Frame,
    FrameResult,
    ImageArray,
    StageTimings,
)

if TYPE_CHECKING:
    from kpviewer.annotations.structure import AnnotatedImage
    from kpviewer.models.spec import ModelSpec

SIDE_PX = 420


def painter(spec: ModelSpec, score: float) -> Callable[[AnnotatedImage, Detections], bytes | None]:
    """Give what draws one picture of the set as a JPEG; None for a file that can't be read.

    Main thread only: drawing text needs an application object.
    """
    paint_bgr = bgr_painter(spec, score)

    def paint(image: AnnotatedImage, seen: Detections) -> bytes | None:
        bgr = paint_bgr(image, seen)
        return None if bgr is None else jpeg_of(bgr)

    return paint


def bgr_painter(
    spec: ModelSpec, score: float
) -> Callable[[AnnotatedImage, Detections], ImageArray | None]:
    """Give what draws one picture of the set, (H, W, 3) uint8 BGR, SIDE_PX along its longer side.

    None for a file that can't be read. Main thread only.
    """
    ensure_gui_application()
    style = OverlayStyle(spec.class_names, spec.skeleton)

    def paint(image: AnnotatedImage, seen: Detections) -> ImageArray | None:
        bgr = load_picture(image.path)
        if bgr is None:
            return None
        scale = SIDE_PX / max(bgr.shape[:2])
        size_hw = (round(bgr.shape[0] * scale), round(bgr.shape[1] * scale))
        # scaled before it is painted, so that labels don't hide small pictures
        truth = replace(
            image.targets,
            xyxy=image.targets.xyxy * np.float32(scale),
            keypoints_xy=image.targets.keypoints_xy * np.float32(scale),
        )
        shown = seen.take(seen.scores >= score)
        shown = replace(
            shown,
            xyxy=shown.xyxy * np.float32(scale),
            keypoints_xy=shown.keypoints_xy * np.float32(scale),
        )
        frame = Frame(0, 0, None, resized(bgr, size_hw), truth=truth)
        nothing = Candidates.empty(len(spec.class_names), seen.keypoints_xy.shape[1])
        return render(FrameResult(frame, nothing, shown, StageTimings()), style)

    return paint
