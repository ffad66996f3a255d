"""Ground truth of each frame of a source: a ``sources.base.GroundTruthProvider``."""

from __future__ import annotations

import contextlib
import copy
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import TypeAlias

import numpy as np

from kpviewer.annotations.derived.classes import align_classes
from kpviewer.annotations.derived.fingerprint import fingerprint_of
from kpviewer.annotations.derived.keypoints import align_keypoints
from kpviewer.annotations.finishing.entries import (
    FileRows,
    match_entries,
    match_images,
    match_video,
)
from kpviewer.annotations.finishing.pixels import size_problem, without_outside
from kpviewer.annotations.problems import Problem, kind_note
from kpviewer.annotations.spec import read_usable
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.image_files import IMAGE_SUFFIXES
from kpviewer.structures import GroundTruth

_NO_ROWS = np.zeros(0, np.int64)

_Names: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]
"""Names of a model's classes, and of its keypoints."""


class AnnotationGroundTruth:
    """Lookup of frames in a data set: images by their file, video frames by number.

    ``finishing.entries`` matches the set to the source once that has set its files. YOLO labels
    without images have the size of the frame.
    """

    def __init__(self, annotations: AnnotationSet) -> None:
        """Index the set.

        Args:
            annotations: the set as it was read; ``use_names`` numbers it as a model does.
        """
        self._annotations = self._shown = annotations
        self._targets = _targets(annotations)
        self._names: _Names = (annotations.class_names, annotations.keypoint_names)
        self._prepared: tuple[_Names, AnnotationSet, dict[int, GroundTruth]] | None = None
        names = [image.path.name for image in annotations.images]
        counts = Counter(names)
        self._by_name = {name: row for row, name in enumerate(names) if counts[name] == 1}
        self._files: FileRows | None = None
        self._frames = match_entries(annotations)
        self._is_video = False
        self._fit: tuple[str, ...] = ()
        self._other_sizes: list[Problem] = []
        self._outside: list[Problem] = []
        self._measured: set[int] = set()
        self._unusable: set[int] = set()
        self.spec = ""
        """Specification that ``read_ground_truth`` read the set from, or ""."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user: what is left out, and how the set matches the source."""
        seen = [found for found in (self._other_sizes, self._outside) if found]
        notes = (kind_note(found[0], len(found)) for found in seen)
        return (*self._shown.notes, *self._fit, *notes)

    @property
    def fingerprint(self) -> str:
        """Hash of the annotations as they were read."""
        return fingerprint_of(self._annotations)

    @property
    def category_ids(self) -> Mapping[int, int | str] | None:
        """COCO categories by class id; None for other formats."""
        return self._shown.category_ids or None

    def use_names(self, class_names: Sequence[str], keypoint_names: Sequence[str]) -> None:
        """Use the class ids and the order of keypoints of another model.

        Other threads may look frames up meanwhile; they get either the old ids or the new ones.

        Raises:
            DatasetError: if no class matches; then no frame has ground truth.
        """
        names = (tuple(class_names), tuple(keypoint_names))
        prepared, self._prepared = self._prepared, None
        if self._targets and self._names == names:
            return
        if prepared is None or prepared[0] != names:
            try:
                prepared = self._with(names)
            except DatasetError:
                self._targets = {}
                raise
        self._names, self._shown, self._targets = prepared

    def prepare_names(self, class_names: Sequence[str], keypoint_names: Sequence[str]) -> None:
        """Prepare the next ``use_names``, in any thread; it takes seconds for COCO."""
        with contextlib.suppress(DatasetError):  # raised again when they are used
            self._prepared = self._with((tuple(class_names), tuple(keypoint_names)))

    def _with(self, names: _Names) -> tuple[_Names, AnnotationSet, dict[int, GroundTruth]]:
        shown = align_keypoints(align_classes(self._annotations, names[0]), names[1])
        return names, shown, _targets(shown)

    def copy(self) -> AnnotationGroundTruth:
        """Return an independent look-up of the same annotations, for another thread or model."""
        other = copy.copy(self)
        other.forget_sizes()
        return other

    def forget_sizes(self) -> None:
        """Forget the sizes of the frames that were looked up, and the notes on them."""
        self._other_sizes, self._outside = [], []
        self._measured, self._unusable = set(), set()

    def set_source_files(self, files: Sequence[Path], frames: int | None = None) -> None:
        """Match the set to the files of the source, before its first frame; see ``notes``.

        Args:
            files: the images of the source, or its one video.
            frames: number of frames of the video; None if unknown, and for images.
        """
        self.forget_sizes()
        self._is_video = bool(files) and files[0].suffix.lower() not in IMAGE_SUFFIXES
        self._is_video = self._is_video or (frames or 0) > 1  # an animation
        if self._is_video:
            self._frames = match_video(self._annotations, files[0], frames)
            self._fit = self._frames.notes
        else:
            self._files = match_images(self._annotations, files)
            self._fit = self._files.notes

    def for_frame(
        self, index: int, name: str, size_wh: tuple[int, int] | None = None
    ) -> GroundTruth | None:
        """Return the ground truth of one frame, or None if it has none.

        Args:
            index: number of the frame in the source, from 0.
            name: path of the image or video.
            size_wh: size of the frame, px, which YOLO labels without images need; ``notes`` counts
                frames whose annotated size differs.
        """
        is_video = self._is_video or PurePath(name).suffix.lower() not in IMAGE_SUFFIXES
        if is_video:
            row = self._frames.by_frame.get(index)
            if self._frames.others_are_empty and index not in self._frames.by_frame:
                return next((each.take(_NO_ROWS) for each in self._targets.values()), None)
        elif self._files is not None:
            row = self._files.by_file.get(name)
        else:
            row = self._by_name.get(PurePath(name).name)
        if row is None:
            return None
        if self._annotations.label_files:
            shares = None if size_wh is None else self._targets.get(row)
            return None if shares is None or size_wh is None else _in_px(shares, size_wh)
        if size_wh is not None and row not in self._measured:
            self._measured.add(row)
            image = self._annotations.images[row]
            self._other_sizes += size_problem(image, size_wh)
            outside = without_outside(image, size_wh)[1]
            if outside:
                self._outside.append(outside[0])
                self._unusable.add(row)
        return None if row in self._unusable else self._targets.get(row)


def _in_px(shares: GroundTruth, size_wh: tuple[int, int]) -> GroundTruth:
    return shares.scaled(np.array(size_wh, np.float32))


def _targets(annotations: AnnotationSet) -> dict[int, GroundTruth]:
    return {row: image.targets for row, image in enumerate(annotations.images)}


def read_ground_truth(
    spec: str, class_names: Sequence[str], keypoint_names: Sequence[str] = ()
) -> AnnotationGroundTruth:
    """Read annotations as the ground truth of a source.

    Args:
        spec: as for ``read_annotations``.
        class_names: names of the model's classes; if empty (unknown), the set is used as it is.
        keypoint_names: names of the model's keypoints; if empty, the set keeps its own order.

    Raises:
        DatasetError: if it can't be read, or shares no class with the model.
    """
    # images beside the set are counted by ``set_source_files``
    ground_truth = AnnotationGroundTruth(read_usable(spec, of_source=True))
    ground_truth.spec = spec
    if class_names:
        ground_truth.use_names(class_names, keypoint_names)
    return ground_truth
