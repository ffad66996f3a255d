"""Collection of the candidates of one model on one source, as frames come in any order."""

import threading
from dataclasses import replace

import numpy as np

from kpviewer.scanning.columns import (
    CandidateColumns,
    ScannedFrame,
    columns_of,
    concatenated,
    likely,
)
from kpviewer.structures import BoolArray

BLOCK = 1024
"""Frame numbers of one block, the piece in which frames are kept and computed anew."""
MAX_BYTES = 1 << 30
"""Default greatest size of the kept candidates, bytes: two hours at 30 fps of 40 a frame."""


class ScanStore:
    """Thread-safe, bounded collection; a frame counts once.

    Its newest result counts, but one of a scan is never replaced by a live one: it is the same, but
    for the precision that a live run may have had.

    Frames are kept in blocks of ``BLOCK`` frame numbers. A block is replaced as a whole when frames
    come, so whatever is computed from one stays right as long as ``blocks`` returns the same
    object: a chunk of a scan changes one block or two.
    """

    def __init__(
        self, num_classes: int, num_keypoints: int, floor: float, max_bytes: int = MAX_BYTES
    ) -> None:
        self._shape = (num_classes, num_keypoints)
        self._floor = floor
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._blocks: dict[int, CandidateColumns] = {}
        """By block number; the one that changed last is last."""
        self._is_scanned: dict[int, BoolArray] = {}
        """(BLOCK,) whether a scan brought a frame, by block number."""
        self._live: dict[int, ScannedFrame] = {}
        """Frames that are in no block yet, by index."""
        self._bytes = 0
        self.has_dropped = False
        """Whether frames were dropped, as not all can be kept."""

    def __len__(self) -> int:
        return sum(map(len, self.blocks()))

    @property
    def nbytes(self) -> int:
        """Size of all candidates, bytes."""
        with self._lock:
            self._merge_live()
            return self._bytes

    def has_scanned(self, index: int) -> bool:
        """Return whether a scan brought a frame; never waits."""
        block, at = divmod(index, BLOCK)
        flags = self._is_scanned.get(block)
        return flags is not None and bool(flags[at])

    def add(self, frame: ScannedFrame) -> None:
        """Add a live result, unless a scan has brought the frame."""
        with self._lock:
            if self.has_scanned(frame.index):
                return
            self._live[frame.index] = replace(
                frame, candidates=likely(frame.candidates, self._floor)
            )
            if len(self._live) >= BLOCK:
                self._merge_live()

    def add_columns(self, columns: CandidateColumns) -> None:
        """Add frames of a scan, in place of those that are there.

        Raises:
            ValueError: if they are of a model with another number of classes or keypoints.
        """
        shape = (columns.num_classes, columns.num_keypoints)
        if shape != self._shape:
            raise ValueError(f"need {self._shape} classes and keypoints, got {shape}")
        with self._lock:
            self._merge_live()
            for block, part in _by_block(columns):
                flags = self._is_scanned.setdefault(block, np.zeros(BLOCK, np.bool_))
                flags[part.frame_index - block * BLOCK] = True
                self._put(block, part)

    def blocks(self) -> tuple[CandidateColumns, ...]:
        """Return the frames in blocks, ascending; a block that is the same object is unchanged."""
        with self._lock:
            self._merge_live()
            return tuple(self._blocks[number] for number in sorted(self._blocks))

    def _merge_live(self) -> None:
        """Move live frames to their blocks; the caller holds the lock."""
        if not self._live:
            return
        frames, self._live = self._live.values(), {}
        for block, part in _by_block(columns_of(frames, *self._shape, self._floor)):
            self._put(block, part)

    def _put(self, number: int, part: CandidateColumns) -> None:
        before = self._blocks.pop(number, None)
        after = part if before is None else concatenated([before, part])
        self._blocks[number] = after
        self._bytes += after.nbytes - (0 if before is None else before.nbytes)
        while self._bytes > self._max_bytes and len(self._blocks) > 1:
            oldest = next(iter(self._blocks))
            self._bytes -= self._blocks.pop(oldest).nbytes
            self._is_scanned.pop(oldest, None)
            self.has_dropped = True


def _by_block(columns: CandidateColumns) -> list[tuple[int, CandidateColumns]]:
    """Return the frames of each block that they lie in, by its number."""
    if not len(columns):
        return []
    numbers, firsts = np.unique(columns.frame_index // BLOCK, return_index=True)
    rows = np.split(np.arange(len(columns)), firsts[1:])
    return [(number, columns.take(own)) for number, own in zip(numbers.tolist(), rows, strict=True)]
