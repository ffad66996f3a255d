"""Conversion of decoded frames to images: BGR, upright, with square pixels."""

from fractions import Fraction
from typing import Any

import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from kpviewer.sources.base import Allocate
from kpviewer.sources.orientation import (
    displayed_size,
    orientation_of_matrix,
    plausible_aspect,
    stretched_width,
    turned,
)
from kpviewer.sources.video.pyav import exact
from kpviewer.structures import ImageArray

# PyAV refuses all side data of a frame for one block that it doesn't know, such as a camera's EXIF
# or the views of a 3D film. Such a block gets a type that isn't read here.
SideDataType._missing_ = lambda _: SideDataType.SEI_UNREGISTERED  # type: ignore[method-assign, assignment]


class FrameConverter:
    """Converter of the frames of one stream."""

    def __init__(self, stream: VideoStream) -> None:
        self._stream = stream
        self._first_aspect = stream.codec_context.sample_aspect_ratio
        self._reformatter = VideoReformatter()

    def to_bgr(self, frame: VideoFrame, allocate: Allocate) -> ImageArray:
        """Convert a frame to BGR in a buffer, upright and with square pixels."""
        width, height = self.shown_size(frame)
        stored_width = stretched_width(frame.width, self._pixel_aspect())
        # One thread: at 1080p it takes 2.0 ms, and 3.5 ms with one thread per core.
        plane = self._reformatter.reformat(
            frame, width=stored_width, format="bgr24", threads=1
        ).planes[0]
        image: ImageArray = np.ndarray(
            (frame.height, stored_width, 3),
            np.uint8,
            memoryview(plane),
            strides=(plane.line_size, 3, 1),
        )
        buffer = allocate(height, width)
        np.copyto(buffer, turned(image, _orientation(frame)))
        return buffer

    def shown_size(self, frame: VideoFrame) -> tuple[int, int]:
        """Return the displayed width and height of a frame, px: upright, with square pixels."""
        aspect, orientation = self._pixel_aspect(), _orientation(frame)
        return displayed_size(frame.width, frame.height, aspect, orientation)

    @property
    def stated_size(self) -> tuple[int, int]:
        """Width and height by the header, px, with square pixels; frames may be rotated."""
        context = self._stream.codec_context
        return displayed_size(context.width, context.height, self._pixel_aspect(), 1)

    def _pixel_aspect(self) -> Fraction:
        """Return the pixel aspect ratio: the container's, or else that of the current frames."""
        stated = self._stream.sample_aspect_ratio
        if stated == self._first_aspect:  # taken from the frames, and broadcasts change it
            stated = self._stream.codec_context.sample_aspect_ratio
        return plausible_aspect(exact(stated))


def _orientation(frame: VideoFrame) -> int:
    """Return the EXIF orientation of a frame's display matrix."""
    blocks: Any = frame.side_data  # a mapping, although PyAV's type hints differ
    matrix = blocks.get(SideDataType.DISPLAYMATRIX)
    return 1 if matrix is None else orientation_of_matrix(memoryview(matrix))
