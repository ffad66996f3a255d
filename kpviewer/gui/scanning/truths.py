"""Ground truth of everything that was scanned, numbered as each model does. No Qt."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from kpviewer.gui.opening.ground_truth_lookup import GroundTruthLookup
from kpviewer.pipeline.results.comparing import shared_ids
from kpviewer.scanning.columns import CandidateColumns
from kpviewer.scanning.ground_truth import GroundTruthColumns, ground_truth_columns
from kpviewer.structures import GroundTruth

Names = tuple[str, ...]
"""Names by class id or keypoint."""


class Truths:
    """Ground truth of one source, which one thread asks for; live frames bring it on another.

    All frames of a source are looked up at once, so that the result stays the same object while
    more frames are scanned.

    Args:
        find: finds the ground truth; None if only live frames have any.
        class_names: classes of the first model, whose ids live frames have.
        frame_count: number of frames of the source; None if unknown.
    """

    def __init__(
        self,
        find: Callable[[], GroundTruthLookup | None],
        class_names: Names,
        frame_count: int | None,
    ) -> None:
        self._find, self._first_names, self._count = find, class_names, frame_count
        self._live: dict[int, GroundTruth] = {}
        self._models: dict[tuple[Names, Names], _OfModel] = {}
        self._lookup: GroundTruthLookup | None = None
        self._is_found = False

    def needs(self, index: int) -> bool:
        """Return whether what a live frame brings could be new; any thread may ask."""
        return self._lookup is None and index not in self._live

    def add_live(self, live: Mapping[int, GroundTruth]) -> None:
        """Add the ground truth that frames brought themselves, by frame number."""
        self._live.update(live)

    def columns(
        self,
        class_names: Names,
        keypoint_names: Names,
        blocks: Sequence[CandidateColumns],
        files: Mapping[int, str],
    ) -> GroundTruthColumns:
        """Return the ground truth for a model; the same object as long as nothing changes."""
        if not self._is_found:
            self._lookup, self._is_found = self._find(), True
        names = (class_names, keypoint_names)
        kept = self._models.get(names)
        if kept is None:
            lookup = self._lookup.for_names(*names) if self._lookup is not None else None
            kept = self._models[names] = _OfModel(lookup, self._count)
        kept.see(blocks, files)
        if self._lookup is None:  # else one that shares no class: live frames had no model yet
            kept.add(self._live_for(class_names, kept.by_frame))
        return kept.columns()

    def _live_for(
        self, class_names: Names, known: Mapping[int, GroundTruth]
    ) -> dict[int, GroundTruth]:
        live = dict(self._live)  # the thread of the lanes adds to it
        new = {index: each for index, each in live.items() if index not in known}
        if class_names == self._first_names:
            return new
        ids = {its: own for own, its in shared_ids(self._first_names, class_names).items()}
        return {index: _renumbered(each, ids) for index, each in new.items()}


class _OfModel:
    """Ground truth as one model numbers it."""

    def __init__(self, lookup: GroundTruthLookup | None, count: int | None) -> None:
        self.lookup = lookup
        self.by_frame: dict[int, GroundTruth] = {}
        self._columns: GroundTruthColumns | None = None
        self._seen: dict[int, CandidateColumns] = {}
        self._checked: set[int] = set()
        self._needs_frames = lookup is not None and (lookup.needs_sizes or count is None)
        if lookup is not None and count is not None:
            self._look_up((index, None, None) for index in range(count))

    def see(self, blocks: Sequence[CandidateColumns], files: Mapping[int, str]) -> None:
        """Look frames up whose size or number is known only now."""
        if not self._needs_frames:
            return
        new = [block for block in blocks if id(block) not in self._seen]
        self._seen = {id(block): block for block in blocks}
        for block in new:
            rows = zip(block.frame_index.tolist(), block.size_wh.tolist(), strict=True)
            fresh = [(index, size) for index, size in rows if index not in self._checked]
            self._checked.update(index for index, _ in fresh)
            self._look_up(
                (index, (size[0], size[1]) if all(size) else None, files.get(index))
                for index, size in fresh
            )

    def add(self, by_frame: Mapping[int, GroundTruth]) -> None:
        """Add the ground truth of frames."""
        if by_frame:
            self.by_frame.update(by_frame)
            self._columns = None

    def columns(self) -> GroundTruthColumns:
        """Return the ground truth in columns."""
        if self._columns is None:
            self._columns = ground_truth_columns(self.by_frame)
        return self._columns

    def _look_up(self, frames: Iterable[tuple[int, tuple[int, int] | None, str | None]]) -> None:
        assert self.lookup is not None
        for index, size_wh, file in frames:
            found, before = self.lookup.for_frame(index, size_wh, file), self.by_frame.get(index)
            if found is before:
                continue
            self._columns = None
            if found is None:
                del self.by_frame[index]
            else:
                self.by_frame[index] = found


def _renumbered(truth: GroundTruth, ids: Mapping[int, int]) -> GroundTruth:
    """Return ground truth with other class ids; objects of classes without one are left out."""
    kept = truth.take(np.isin(truth.class_ids, list(ids)))
    class_ids = np.array([ids[each] for each in kept.class_ids.tolist()], np.int64)
    labelled = ids if truth.labelled_ids is None else truth.labelled_ids & set(ids)
    labelled_ids = frozenset(ids[each] for each in labelled)
    return replace(kept, class_ids=class_ids, labelled_ids=labelled_ids)
