"""Answers: a frame as a line of result files, or as the annotated image of recordings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kpviewer.models.spec import Task
from kpviewer.overlay import OverlayStyle, render
from kpviewer.overlay.jpeg import jpeg_of
from kpviewer.recording.formats import JsonLines

if TYPE_CHECKING:
    from kpviewer.models.spec import ModelSpec
    from kpviewer.recording.formats import ResultHeader
    from kpviewer.structures import FrameResult, Thresholds

_JPEG_QUALITY = 90


def json_of(result: FrameResult, header: ResultHeader) -> str:
    """Return a frame as a line of ``kpviewer process --jsonl``."""
    return JsonLines(header).frame(result)


def jpeg_answer(result: FrameResult, style: OverlayStyle) -> bytes:
    """Return the annotated frame as a JPEG. Needs the Qt application for its text."""
    return jpeg_of(render(result, style), _JPEG_QUALITY)


def style_of(
    spec: ModelSpec, thresholds: Thresholds, style: OverlayStyle | None = None
) -> OverlayStyle:
    """Return a style, by default that of recordings, with what a model needs."""
    return replace(
        style or OverlayStyle(),
        class_names=spec.class_names,
        skeleton=spec.skeleton,
        keypoint_names=spec.keypoint_names,
        bars=thresholds if spec.task is Task.CLASSIFY else None,
    )
