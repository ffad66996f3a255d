"""Generated videos, which need no file and have exact ground truth."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np

from kpviewer.annotations.derived.classes import align_classes, normalised_name
from kpviewer.annotations.derived.keypoints import align_keypoints
from kpviewer.annotations.reading.values import listed
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.sources.base import Allocate, Captured, OpenedSource, closed_error
from kpviewer.structures import GroundTruth, ImageArray, StreamInfo


class GeneratedVideo(OpenedSource):
    """FrameSource whose frames depend on their index alone.

    Args:
        info: description of the video, with frame rate and number of frames.
        prepare: function that loads and caches the data of all frames; raises SourceError.
        paint: function that fills a (height, width, 3) uint8 BGR buffer with a frame and returns
            its ground truth, or None if it has none.
        ground_truth: numbers the ground truth of the frames; None leaves it as it is painted.
    """

    open_timeout_s = 60.0
    """It waits for no device: where it takes long, the machine is busy."""

    def __init__(
        self,
        info: StreamInfo,
        prepare: Callable[[], object],
        paint: Callable[[int, ImageArray], GroundTruth | None],
        ground_truth: GeneratedGroundTruth | None = None,
    ) -> None:
        assert info.nominal_fps is not None and info.frame_count is not None
        self._name, self._described = info.name, info
        self._fps, self._count = info.nominal_fps, info.frame_count
        self._prepare, self._paint = prepare, paint
        self.own_ground_truth = ground_truth
        """Ground truth of the frames, to be numbered as a model does."""

    def open(self) -> StreamInfo:
        """Load the data of the frames. Raises SourceError if that fails."""
        self._prepare()
        self._info, self._next_index = self._described, 0
        return self._info

    def read(self, allocate: Allocate) -> Captured | None:
        """Paint the next frame into a buffer; None at the end. Raises SourceError if closed."""
        info = self.info
        if self._next_index >= self._count:
            return None
        index, self._next_index = self._next_index, self._next_index + 1
        bgr = allocate(info.height, info.width)
        ground_truth = self._paint(index, bgr)
        if ground_truth is not None and self.own_ground_truth is not None:
            ground_truth = self.own_ground_truth.numbered(ground_truth)
        return Captured(bgr, time.monotonic_ns(), index / self._fps, ground_truth)

    def seek(self, index: int) -> None:
        """Make frame ``index`` the next one. Raises SourceError if closed."""
        if self._info is None:
            raise closed_error(self._name)
        self._next_index = min(max(index, 0), self._count)

    def close(self) -> None:
        """Close the source."""
        self._info = None


class GeneratedGroundTruth:
    """NamedGroundTruth of a generated video, which paints nothing.

    Args:
        ground_truth_at: function that returns the ground truth of a frame.
        class_names: names of its classes.
        keypoint_names: names of its keypoints.
    """

    spec, category_ids = "", None
    notes: Sequence[str] = ()
    """Sentences for the user on what is left out."""

    def __init__(
        self,
        ground_truth_at: Callable[[int], GroundTruth],
        class_names: Sequence[str],
        keypoint_names: Sequence[str],
    ) -> None:
        self._ground_truth_at = ground_truth_at
        self._own = AnnotationSet((), tuple(class_names), tuple(keypoint_names))
        self._own_names = self._own.class_names, self._own.keypoint_names
        self._names: tuple[Sequence[str], Sequence[str]] | None = self._own_names
        """Names of the model; None if it shares no class."""

    def use_names(self, class_names: Sequence[str], keypoint_names: Sequence[str]) -> None:
        """Use the class ids and the order of keypoints of a model.

        Raises:
            DatasetError: if no class has the same name, even if each has one; then no frame has
                ground truth.
        """
        self._names, self.notes = None, ()
        names = tuple(class_names), tuple(keypoint_names)
        own = self._own.class_names
        if not {*map(normalised_name, own)} & {*map(normalised_name, class_names)}:
            raise DatasetError(
                f"The model knows {listed(class_names)}; the video shows {listed(own)}."
            )
        self.notes = self._aligned(self._ground_truth_at(0), names).notes
        self._names = names

    def prepare_names(self, class_names: Sequence[str], keypoint_names: Sequence[str]) -> None:
        """Do nothing: ``use_names`` takes no time."""

    def copy(self) -> Self:
        """Return an independent one, for another thread or model."""
        return copy.copy(self)

    def numbered(self, ground_truth: GroundTruth) -> GroundTruth | None:
        """Return the ground truth of a frame as the model numbers it; None if no class matches."""
        names = self._names
        if names is None:
            return None
        if names == self._own_names:
            return ground_truth
        return self._aligned(ground_truth, names).images[0].targets

    def _aligned(
        self, ground_truth: GroundTruth, names: tuple[Sequence[str], Sequence[str]]
    ) -> AnnotationSet:
        pseudo, known = np.zeros(len(ground_truth), np.bool_), ground_truth.keypoints_visible
        image = AnnotatedImage(Path(), (0, 0), ground_truth, "", pseudo, known, 0)
        own = replace(self._own, images=(image,))
        return align_keypoints(align_classes(own, names[0]), names[1])

    def set_source_files(self, files: Sequence[Path], frames: int | None = None) -> None:
        """Do nothing: a generated video has no files."""

    def for_frame(
        self, index: int, name: str, size_wh: tuple[int, int] | None = None
    ) -> GroundTruth | None:
        """Return the ground truth of a frame."""
        return self.numbered(self._ground_truth_at(index))
