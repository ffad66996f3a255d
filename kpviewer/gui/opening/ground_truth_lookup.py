"""Ground truth of frames that a scan has seen, not the source that plays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from kpviewer.errors import DatasetError
from kpviewer.image_files import IMAGE_SUFFIXES
from kpviewer.sources.base import GroundTruthProvider, NamedGroundTruth
from kpviewer.sources.turn import UNTURNED, Turn
from kpviewer.structures import GroundTruth


class GroundTruthLookup:
    """Look-up by frame number, for one thread.

    Args:
        provider: ground truth that no other thread changes.
        files: the images of the source, or its one video.
        turn: how the frames are rotated and mirrored.
        size_wh: size of the turned frames of a video, px; (0, 0) if unknown.
    """

    def __init__(
        self,
        provider: GroundTruthProvider,
        files: Sequence[Path] = (),
        turn: Turn = UNTURNED,
        size_wh: tuple[int, int] = (0, 0),
    ) -> None:
        self._provider, self._files = provider, files
        self._turn, self._size_wh = turn, size_wh

    def turned(self, turn: Turn, size_wh: tuple[int, int]) -> GroundTruthLookup:
        """Return the ground truth of the same frames when they are turned."""
        return GroundTruthLookup(self._provider, self._files, turn, size_wh)

    def for_names(
        self, class_names: Sequence[str], keypoint_names: Sequence[str]
    ) -> GroundTruthLookup | None:
        """Return the same ground truth as a model numbers it; None if it shares no class.

        It takes seconds for COCO, unless the names are the present ones.
        """
        if not isinstance(self._provider, NamedGroundTruth):
            return self
        own = self._provider.copy()
        try:
            own.use_names(class_names, keypoint_names)
        except DatasetError:
            return None
        return GroundTruthLookup(own, self._files, self._turn, self._size_wh)

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
            size_wh: its size as it is turned, px; None if unknown, and for videos.
            file: its file as ``Frame.file`` has it; None is the one in place ``index``.
        """
        name = self._name(index, file)
        width, height = self._size_wh if size_wh is None else size_wh
        stored_wh = (height, width) if self._turn.swaps_sides else (width, height)
        is_known = size_wh is not None or (not self.needs_sizes and all(self._size_wh))
        known = self._provider.for_frame(index, name, stored_wh if is_known else None)
        if known is None or self._turn == UNTURNED:
            return known
        return self._turn.ground_truth(known, stored_wh)

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
