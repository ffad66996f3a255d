"""Ground truth of frames that a scan has seen, not the source that plays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from kpviewer.annotations.ground_truth import AnnotationGroundTruth
from kpviewer.errors import DatasetError
from kpviewer.image_files import IMAGE_SUFFIXES
from kpviewer.sources.base import GroundTruthProvider
from kpviewer.structures import GroundTruth


class GroundTruthLookup:
    """Look-up by frame number, for one thread.

    Args:
        provider: ground truth that no other thread changes.
        files: the images of the source, or its one video.
    """

    def __init__(self, provider: GroundTruthProvider, files: Sequence[Path] = ()) -> None:
        self._provider, self._files = provider, files

    def for_classes(self, class_names: Sequence[str]) -> GroundTruthLookup | None:
        """Return the same ground truth with the class ids of a model; None if it shares no class.

        It takes seconds for COCO, unless they are the present ids.
        """
        if not isinstance(self._provider, AnnotationGroundTruth):
            return self
        own = self._provider.copy()
        try:
            own.use_classes(class_names)
        except DatasetError:
            return None
        return GroundTruthLookup(own, self._files)

    @property
    def needs_sizes(self) -> bool:
        """Whether frames have sizes of their own, which their ground truth must fit."""
        return bool(self._files) and self._files[0].suffix.lower() in IMAGE_SUFFIXES

    def for_frame(
        self, index: int, size_wh: tuple[int, int] | None = None, file: str | None = None
    ) -> GroundTruth | None:
        """Return the ground truth of one frame; None if it has none.

        Args:
            index: number of the frame in the source.
            size_wh: its size, px; None if unknown, and for videos.
            file: its file as ``Frame.file`` has it; None is the one in place ``index``.
        """
        return self._provider.for_frame(index, self._name(index, file), size_wh)

    def _name(self, index: int, file: str | None) -> str:
        if not self.needs_sizes:
            return str(self._files[0]) if self._files else ""
        if file is None:
            return str(self._files[index]) if index < len(self._files) else ""
        for path in self._by_name.get(file.rpartition("/")[2], ()):
            if path.as_posix().endswith(f"/{file}") or path.as_posix() == file:
                return str(path)
        return file

    @cached_property
    def _by_name(self) -> dict[str, list[Path]]:
        found = defaultdict(list)
        for path in self._files:
            found[path.name].append(path)
        return dict(found)
