"""Drawing of results, with the renderer of the window and the files."""

from dataclasses import replace

from kpviewer.errors import InputError, KpviewerError
from kpviewer.models.spec import Task
from kpviewer.models.tables import shown
from kpviewer.overlay import OverlayStyle, ensure_gui_application, has_application, render
from kpviewer.overlay.jpeg import encoded
from kpviewer.runtime.process.threads import is_main_thread
from kpviewer.structures import FrameResult, ImageArray

_PNG_QUALITY = 80
"""Quality for Qt: little compression, so that a notebook shows the image at once."""


def draw(result: FrameResult, style: OverlayStyle | None = None) -> ImageArray:
    """Draw what the model detected on a copy of the frame.

    Args:
        result: result of ``stream``.
        style: what to draw, and how large; ``OverlayStyle(anonymise=True)`` hides detections.
            Names and skeleton default to the model's.

    Returns:
        (H, W, 3) uint8 BGR, at the resolution of the frame.

    Raises:
        InputError: if an argument has another type.
        KpviewerError: if the first call isn't on the main thread, as Qt requires.
    """
    if not isinstance(result, FrameResult):
        raise InputError(f"kpviewer.draw needs a FrameResult, got {shown(result)}.")
    if not isinstance(style, OverlayStyle | None):
        raise InputError(f"A style must be a kpviewer.OverlayStyle, got {shown(style)}.")
    if not has_application() and not is_main_thread():
        raise KpviewerError("The first call of kpviewer.draw must be on the main thread.")
    ensure_gui_application()
    style, spec = style or OverlayStyle(tracks=True), result.spec
    if spec is not None:
        style = replace(
            style,
            class_names=style.class_names or spec.class_names,
            skeleton=style.skeleton or spec.skeleton,
            keypoint_names=style.keypoint_names or spec.keypoint_names,
            bars=style.bars or (result.thresholds if spec.task == Task.CLASSIFY else None),
        )
    return render(result, style)


def png_of(result: FrameResult) -> bytes:
    """Return the image of ``draw`` as a PNG file."""
    return encoded(draw(result), "PNG", _PNG_QUALITY)
