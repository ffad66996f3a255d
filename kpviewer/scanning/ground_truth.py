"""Ground truth of many frames in flat arrays."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from kpviewer.structures import BoolArray, GroundTruth, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class GroundTruthColumns:
    """Ground truth of F frames with N objects, in source px; frames without any are not listed."""

    frame_index: IntArray
    """(F,) numbers of the frames, ascending."""
    frame_rows: IntArray
    """(N,) row of ``frame_index`` that each object belongs to, ascending."""
    objects: GroundTruth
    """The objects; their ``labelled_ids`` mean nothing."""
    labelled: tuple[frozenset[int] | None, ...]
    """Distinct sets of completely annotated classes; None means all classes."""
    labelled_rows: IntArray
    """(F,) row of ``labelled`` for each frame."""

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.frame_index)

    def rows_of(self, frame_index: IntArray) -> IntArray:
        """Return the row of each frame number, -1 if it has no ground truth."""
        if not len(self):
            return np.full(len(frame_index), -1, np.int64)
        rows = np.minimum(np.searchsorted(self.frame_index, frame_index), len(self) - 1)
        return np.where(self.frame_index[rows] == frame_index, rows, -1)

    def is_labelled(self, frame_rows: IntArray, class_ids: IntArray) -> BoolArray:
        """Return whether frames label a class: (M,) for M pairs of a frame's row and a class."""
        sets, side = self.labelled_rows[frame_rows], 1 + int(class_ids.max(initial=0))
        has_all = np.array([ids is None for ids in self.labelled], np.bool_)
        keys = [row * side + class_id for row, ids in enumerate(self.labelled)
                for class_id in ids or () if class_id < side]  # fmt: skip
        return has_all[sets] | np.isin(sets * side + class_ids, keys)


def ground_truth_columns(by_frame: Mapping[int, GroundTruth]) -> GroundTruthColumns:
    """Put the ground truth of frames, by their numbers, into flat arrays."""
    numbers = sorted(by_frame)
    frames = [by_frame[number] for number in numbers]
    points = max((each.keypoints_xy.shape[1] for each in frames), default=0)
    frames = [_with_points(each, points) for each in frames]
    sets = {each.labelled_ids: None for each in frames}
    rows = {ids: row for row, ids in enumerate(sets)}
    return GroundTruthColumns(
        frame_index=np.array(numbers, np.int64),
        frame_rows=np.repeat(np.arange(len(frames)), [len(each) for each in frames]),
        objects=GroundTruth.joined([GroundTruth.empty(points), *frames]),
        labelled=tuple(sets),
        labelled_rows=np.array([rows[each.labelled_ids] for each in frames], np.int64),
    )


def _with_points(ground_truth: GroundTruth, count: int) -> GroundTruth:
    """Return ground truth with ``count`` keypoints; those that it lacks aren't labelled."""
    lacking = count - ground_truth.keypoints_xy.shape[1]
    if not lacking:
        return ground_truth
    return replace(
        ground_truth,
        keypoints_xy=np.pad(ground_truth.keypoints_xy, ((0, 0), (0, lacking), (0, 0))),
        keypoints_visible=np.pad(ground_truth.keypoints_visible, ((0, 0), (0, lacking))),
    )
