"""Finds the truth of a frame that a source gives; satisfies ``sources.base.TruthProvider``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from kpviewer.annotations.classes import align_classes
from kpviewer.annotations.spec import read_usable
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.annotations.values import PICTURE_SUFFIXES
from kpviewer.errors import DatasetError
from kpviewer.structures import Targets


class AnnotationTruth:
    """Looks frames up in a data set: pictures by file name, frames of a video by number.

    The number of a frame is the ``frame`` of its entry. In a set that has none, the entries' ids
    stand for it if they count from 0.
    """

    def __init__(self, annotations: AnnotationSet) -> None:
        """Index the set.

        Args:
            annotations: with the class ids of the model (``annotations.classes``).

        Raises:
            DatasetError: if two pictures have one file name, or two entries one frame.
        """
        self._annotations = self._shown = annotations
        self._by_frame: dict[int, Targets] = {}
        self._by_name: dict[str, Targets] = {}
        self._index(annotations)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is left out of the ground truth, and why, for people."""
        return self._shown.notes

    def use_classes(self, class_names: Sequence[str]) -> None:
        """Number the objects as another model does.

        Any thread may be looking frames up meanwhile: it sees the old numbers or the new ones.

        Raises:
            DatasetError: if no class fits; then nothing is known of any frame.
        """
        try:
            self._index(align_classes(self._annotations, class_names))
        except DatasetError:
            self._by_name, self._by_frame = {}, {}
            raise

    def _index(self, annotations: AnnotationSet) -> None:
        images = annotations.images
        numbered = [(image.frame_index, image) for image in images if image.frame_index is not None]
        if not numbered:
            by_id = [(image.image_id, image) for image in images if isinstance(image.image_id, int)]
            numbered = by_id if any(number == 0 for number, _ in by_id) else []
        by_frame = {number: image.targets for number, image in numbered}
        by_name = {image.path.name: image.targets for image in images}
        frames_alone = len(by_name) == 1 and len(by_frame) > 1
        if len(by_frame) < len(numbered):
            raise DatasetError("The truth of a video must name each frame once. Split it by video.")
        if len(by_name) < len(images) and not frames_alone:
            raise DatasetError(
                "The truth of a folder must name each picture once, got one name in two folders. "
                "Use a file for each folder."
            )
        self._by_frame, self._by_name = by_frame, by_name
        self._shown = annotations

    def for_frame(self, index: int, name: str) -> Targets | None:
        """Give the truth of one frame, None where nothing is known.

        Args:
            index: number of the frame in the source, from 0.
            name: file name of the picture, or of the video.
        """
        if PurePath(name).suffix.lower() in PICTURE_SUFFIXES:
            return self._by_name.get(PurePath(name).name)
        return self._by_frame.get(index)


def read_truth(spec: str, class_names: Sequence[str]) -> AnnotationTruth:
    """Read annotations as the truth of a source.

    Args:
        spec: as for ``read_annotations``.
        class_names: of the model; where they are not known (empty), the set keeps its own ids.

    Raises:
        DatasetError: if it can't be read, fits no frames, or shares no class with the model.
    """
    truth = AnnotationTruth(read_usable(spec))
    if class_names:
        truth.use_classes(class_names)
    return truth
