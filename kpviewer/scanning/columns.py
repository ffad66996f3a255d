"""Candidates of many frames, in flat arrays that are fast to select from and small to keep."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpviewer.scanning.outlines import Outlines, ragged
from kpviewer.structures import Candidates, FloatArray, IntArray, arrays_of, check

FLOOR = 0.05
"""Default lowest score that is kept, as far as a model's own threshold isn't low itself.

Hundreds of candidates a frame have scores below it: they would take most of the space and time,
for a part of the curves where false positives outnumber true positives."""

Int32Array = NDArray[np.int32]
Float64Array = NDArray[np.float64]


def floor_for(score_threshold: float) -> float:
    """Return the lowest score to keep of a model with this default threshold."""
    return min(FLOOR, score_threshold / 4)


@dataclass(frozen=True, slots=True, eq=False)
class ScannedFrame:
    """Candidates of one frame."""

    index: int
    """Frame number from 0 in the source."""
    position_s: float | None
    """Media time in seconds; None if the source has none."""
    candidates: Candidates
    file: str | None = None
    """File of the frame, relative to the opened folder; None if there is no file."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class CandidateColumns:
    """Candidates of F frames of one model: M rows in all, at most 2**31.

    Scores are sparse: an *entry* is the score of one row for one class, at least ``floor``. Each
    row has at least one. Never changed after construction; two are equal if they are the same.
    """

    frame_index: IntArray
    """(F,) int64 frame numbers, ascending, each once."""
    position_s: Float64Array
    """(F,) float64 media time in seconds; NaN if unknown."""
    size_wh: Int32Array
    """(F, 2) int32 width and height that detections are clipped to, px; 0: they aren't."""
    starts: IntArray
    """(F + 1,) int64 first row of each frame, and M."""
    xyxy: FloatArray
    """(M, 4) float32 corners of the boxes, source px."""
    keypoints_xy: FloatArray
    """(M, K, 2) float32 keypoints, source px."""
    keypoint_scores: FloatArray | None
    """(M, K) float32; None if the model predicts none."""
    overlaps: FloatArray | None
    """(M,) float32 largest IoU with a better candidate of the class; None: NMS compares boxes."""
    entry_rows: IntArray
    """(E,) int64 row of each entry, ascending."""
    entry_classes: Int32Array
    """(E,) int32 class of each entry, ascending within a row."""
    entry_scores: FloatArray
    """(E,) float32 scores."""
    num_classes: int
    floor: float
    """Lowest score kept; selection is exact for thresholds from here on."""
    outlines: Outlines | None = None
    """Outlines of the candidates; None if there are none."""

    def __post_init__(self) -> None:
        """Check shapes and dtypes; ``check_values`` checks the rest."""
        frames, rows, entries = len(self.frame_index), len(self.xyxy), len(self.entry_rows)
        expected: dict[str, tuple[tuple[int | str, ...], type]] = {
            "frame_index": ((frames,), np.int64),
            "position_s": ((frames,), np.float64),
            "size_wh": ((frames, 2), np.int32),
            "starts": ((frames + 1,), np.int64),
            "xyxy": ((rows, 4), np.float32),
            "keypoints_xy": ((rows, "K", 2), np.float32),
            "keypoint_scores": ((rows, *self.keypoints_xy.shape[1:2]), np.float32),
            "overlaps": ((rows,), np.float32),
            "entry_rows": ((entries,), np.int64),
            "entry_classes": ((entries,), np.int32),
            "entry_scores": ((entries,), np.float32),
        }
        for name, (shape, dtype) in expected.items():
            if (array := getattr(self, name)) is not None:
                check(name, array, shape, dtype)

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.frame_index)

    @property
    def num_keypoints(self) -> int:
        """K, the number of keypoints."""
        return int(self.keypoints_xy.shape[1])

    @property
    def nbytes(self) -> int:
        """Size of all arrays, bytes."""
        own = [self] if self.outlines is None else [self, self.outlines]
        return sum(array.nbytes for each in own for array in arrays_of(each).values())

    @property
    def entry_starts(self) -> IntArray:
        """(F + 1,) first entry of each frame, and E."""
        return np.searchsorted(self.entry_rows, self.starts)

    def check_values(self) -> None:
        """Check order and ranges, as of a file that anybody may have written.

        Raises:
            ValueError: if a row, class or score is out of its range or order.
        """
        starts, rows, classes = self.starts, self.entry_rows, self.entry_classes
        steps = np.diff(rows)
        checks = {
            "frame_index must ascend from 0": not len(self)
            or bool(self.frame_index[0] >= 0 and (np.diff(self.frame_index) > 0).all()),
            "size_wh must not be negative": bool((self.size_wh >= 0).all()),
            "starts must ascend from 0 to the number of rows": bool(
                starts[0] == 0 and starts[-1] == len(self.xyxy) and (np.diff(starts) >= 0).all()
            ),
            "entry_rows must ascend and have every row": len(rows) == len(self.xyxy) == 0
            or bool(
                len(rows)
                and rows[0] == 0
                and rows[-1] == len(self.xyxy) - 1
                and ((steps == 0) | (steps == 1)).all()
            ),
            "entry_classes must ascend in each row, below num_classes": bool(
                (classes >= 0).all()
                and (classes < self.num_classes).all()
                and (np.diff(classes)[steps == 0] > 0).all()
            ),
            "entry_scores must be from floor to 1": bool(
                ((self.entry_scores >= np.float32(self.floor)) & (self.entry_scores <= 1)).all()
            ),
        }
        for rule, is_kept in checks.items():
            if not is_kept:
                raise ValueError(rule)

    def candidates(self, frame_row: int) -> Candidates:
        """Return the candidates of one frame.

        ``select`` returns the same detections from them as from the original ones, for all
        thresholds of at least ``floor``. Scores below it are 0, and rows without another are gone.
        """
        first, end = self.starts[frame_row : frame_row + 2].tolist()
        left, right = np.searchsorted(self.entry_rows, (first, end)).tolist()
        scores = np.zeros((end - first, self.num_classes), np.float32)
        columns = self.entry_classes[left:right]
        scores[self.entry_rows[left:right] - first, columns] = self.entry_scores[left:right]
        width, height = self.size_wh[frame_row].tolist()
        confidences, overlaps = self.keypoint_scores, self.overlaps
        return Candidates(
            self.xyxy[first:end],
            scores,
            self.keypoints_xy[first:end],
            None if confidences is None else confidences[first:end],
            (width, height) if width and height else None,
            None if overlaps is None else overlaps[first:end],
            self.outlines_of(np.arange(first, end)),
        )

    def outlines_of(self, rows: IntArray) -> FloatArray | None:
        """Return the (N, V, 2) outlines of (N,) rows, source px; None if there are none."""
        return None if self.outlines is None else self.outlines.dense(rows, self.xyxy[rows])

    def take(self, frame_rows: IntArray) -> CandidateColumns:
        """Return some frames in the given order, which must leave ``frame_index`` ascending."""
        rows, starts = ragged(self.starts, frame_rows)
        entries, entry_starts = ragged(self.entry_starts, frame_rows)
        shift = np.repeat(starts[:-1] - self.starts[frame_rows], np.diff(entry_starts))
        confidences, overlaps = self.keypoint_scores, self.overlaps
        return replace(
            self,
            frame_index=self.frame_index[frame_rows],
            position_s=self.position_s[frame_rows],
            size_wh=self.size_wh[frame_rows],
            starts=starts,
            xyxy=self.xyxy[rows],
            keypoints_xy=self.keypoints_xy[rows],
            keypoint_scores=None if confidences is None else confidences[rows],
            overlaps=None if overlaps is None else overlaps[rows],
            entry_rows=self.entry_rows[entries] + shift,
            entry_classes=self.entry_classes[entries],
            entry_scores=self.entry_scores[entries],
            outlines=None if self.outlines is None else self.outlines.take(rows),
        )


def columns_of(
    frames: Iterable[ScannedFrame], num_classes: int, num_keypoints: int, floor: float
) -> CandidateColumns:
    """Return the candidates of frames as columns.

    Args:
        frames: frames in any order; of several with one index the last counts.
        num_classes: number of classes of the model.
        num_keypoints: number of keypoints of the model.
        floor: lowest score to keep; rows with none are dropped.
    """
    newest = {frame.index: frame for frame in frames}
    ordered = [newest[index] for index in sorted(newest)]
    kept = [likely(frame.candidates, floor) for frame in ordered]
    entries = [np.nonzero(one.scores >= np.float32(floor)) for one in kept]
    starts = np.cumsum([0, *map(len, kept)], dtype=np.int64)
    seconds = [np.nan if frame.position_s is None else frame.position_s for frame in ordered]
    full = [one for one in kept if len(one)]  # empty ones may lack classes and keypoints
    has_scores = any(one.keypoint_scores is not None for one in full)
    has_overlaps = any(one.overlaps is not None for one in full)
    rows = [first + at for first, (at, _) in zip(starts.tolist(), entries, strict=False)]
    scores = [one.scores[at] for one, at in zip(kept, entries, strict=True)]
    return CandidateColumns(
        frame_index=np.array([frame.index for frame in ordered], np.int64),
        position_s=np.array(seconds, np.float64),
        size_wh=np.array([one.size_wh or (0, 0) for one in kept], np.int32).reshape(-1, 2),
        starts=starts,
        xyxy=_joined([one.xyxy for one in full], np.float32, 4),
        keypoints_xy=_joined([one.keypoints_xy for one in full], np.float32, num_keypoints, 2),
        keypoint_scores=_joined([_scores(one) for one in full], np.float32, num_keypoints)
        if has_scores
        else None,
        overlaps=_joined([_overlaps(one) for one in full], np.float32) if has_overlaps else None,
        entry_rows=_joined(rows, np.int64),
        entry_classes=_joined([each.astype(np.int32) for _, each in entries], np.int32),
        entry_scores=_joined(scores, np.float32),
        num_classes=num_classes,
        floor=floor,
        outlines=Outlines.of_frames(full),
    )


def concatenated(parts: Sequence[CandidateColumns]) -> CandidateColumns:
    """Return the frames of all parts, at least one, of one model; of a frame the last one counts.

    A mixture of parts with and without keypoint scores, or overlaps, has what changes nothing.
    """
    if len(parts) == 1:
        return parts[0]
    starts = np.cumsum([0, *(len(part.xyxy) for part in parts)], dtype=np.int64)
    shifted = [part.starts[:-1] + at for part, at in zip(parts, starts.tolist(), strict=False)]
    rows = [part.entry_rows + at for part, at in zip(parts, starts.tolist(), strict=False)]
    has_scores = any(part.keypoint_scores is not None for part in parts)
    has_overlaps = any(part.overlaps is not None for part in parts)
    names = ("frame_index", "position_s", "size_wh", "xyxy", "keypoints_xy", "entry_classes")
    every: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in (*names, "entry_scores")
    }
    joined = replace(
        parts[0],
        **every,
        floor=max(part.floor for part in parts),
        starts=np.concatenate([*shifted, starts[-1:]]),
        keypoint_scores=np.concatenate([_scores(part) for part in parts]) if has_scores else None,
        overlaps=np.concatenate([_overlaps(part) for part in parts]) if has_overlaps else None,
        entry_rows=np.concatenate(rows),
        outlines=Outlines.joined(
            [part.outlines for part in parts], [len(part.xyxy) for part in parts]
        ),
    )
    index = joined.frame_index
    if (np.diff(index) > 0).all():
        return joined
    order = np.argsort(index, kind="stable")
    is_last = np.diff(index[order], append=-1) != 0
    return joined.take(order[is_last])


def likely(candidates: Candidates, floor: float) -> Candidates:
    """Return the candidates that reach the floor in a class."""
    return candidates.take(candidates.scores.max(axis=1, initial=0.0) >= np.float32(floor))


def scores_or_nan(scores: FloatArray | None, shape: tuple[int, ...]) -> FloatArray:
    """Return scores of keypoints; NaN, which no threshold leaves out, if there are none."""
    return np.full(shape, np.nan, np.float32) if scores is None else scores


def _scores(part: Candidates | CandidateColumns) -> FloatArray:
    return scores_or_nan(part.keypoint_scores, part.keypoints_xy.shape[:2])


def _overlaps(part: Candidates | CandidateColumns) -> FloatArray:
    """Return overlaps; 0, which is never too much, if there are none."""
    return np.zeros(len(part.xyxy), np.float32) if part.overlaps is None else part.overlaps


def _joined(parts: Sequence[NDArray[Any]], dtype: type, *shape: int) -> NDArray[Any]:
    return np.concatenate([np.zeros((0, *shape), dtype), *parts])
