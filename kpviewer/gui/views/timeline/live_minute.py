"""The last minute of a live source, as lanes: now is at the right."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kpviewer.gui.language import tr
from kpviewer.gui.views.timeline.lane_values import ScannedLanes
from kpviewer.scanning.lanes import BINS, Lanes
from kpviewer.structures import FrameError, FrameResult

SECONDS, SLOTS = 60.0, 600
"""Time that is shown, and its number of slots."""
GAP_S = 1.0
"""Longest time between two frames that is shown as the earlier of them."""
MOST_FRAMES = 20_000
"""Greatest number of frames that are kept: a minute at 333 fps."""


class _Seen(NamedTuple):
    """What was found in a frame."""

    captured_ns: int
    found: int
    best: float
    heat: NDArray[np.int32]
    error: FrameError | None
    difference: FrameError | None


class LiveMinute:
    """Frames of the last minute.

    Args:
        clock_ns: current time on the clock of captured frames, ns.
    """

    def __init__(self, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._clock_ns = clock_ns
        self._seen: deque[_Seen] = deque(maxlen=MOST_FRAMES)
        self._began_ns: int | None = None

    def seconds_at(self, captured_ns: int) -> float:
        """Return the time of a frame since the first one that was asked for."""
        if self._began_ns is None:
            self._began_ns = captured_ns
        return (captured_ns - self._began_ns) / 1e9

    def add(self, result: FrameResult) -> None:
        """Add a frame that a model has processed."""
        if not result.has_model:
            return
        scores = result.detections.scores
        bins = np.minimum((scores * BINS).astype(np.intp), BINS - 1)
        difference = result.second.difference if result.second is not None else None
        self._seen.append(
            _Seen(
                result.frame.captured_ns,
                len(scores),
                float(scores.max(initial=0.0)),
                np.bincount(bins, minlength=BINS).astype(np.int32),
                result.error,
                difference,
            )
        )

    def values(self) -> LiveLanes:
        """Return the lanes up to now."""
        now_ns = self._clock_ns()
        while self._seen and now_ns - self._seen[0].captured_ns > SECONDS * 1e9:
            self._seen.popleft()
        ages_s = np.array([(now_ns - each.captured_ns) / 1e9 for each in self._seen])
        slots = np.clip((SECONDS - ages_s) / SECONDS * SLOTS, 0, SLOTS - 1).astype(np.intp)
        rows = np.full(SLOTS, -1)
        rows[slots] = np.arange(len(slots))  # the newest frame of a slot counts
        reach = round(GAP_S / SECONDS * SLOTS)
        latest = np.maximum.accumulate(np.where(rows >= 0, np.arange(SLOTS), -SLOTS))
        is_near = np.arange(SLOTS) - latest <= reach
        rows = np.where(is_near, rows[np.maximum(latest, 0)], -1)
        return LiveLanes(_lanes([self._seen[row] if row >= 0 else None for row in rows]))


class LiveLanes(ScannedLanes):
    """Lanes of a live source."""

    @property
    def hints(self) -> tuple[str, str, str]:
        """Text in each lane; empty where values are."""
        return "", "", "" if self.is_difference else tr("the last minute")


def _lanes(frames: list[_Seen | None]) -> Lanes:
    """Return lanes of a frame in each slot; None is none."""
    empty = np.zeros(BINS, np.int32)
    errors = [None if each is None else each.error for each in frames]
    differences = [None if each is None else each.difference for each in frames]
    only_one = [
        -1 if each is None else each.false_negatives + each.false_positives for each in differences
    ]
    return Lanes(
        first=0,
        found=np.array([-1 if each is None else each.found for each in frames], np.int32),
        best=np.array([np.nan if each is None else each.best for each in frames], np.float32),
        heat=np.array([empty if each is None else each.heat for each in frames], np.int32),
        error_px=_mean_px(errors),
        missed=np.array([-1 if e is None else e.false_negatives for e in errors], np.int32),
        false_alarms=np.array([-1 if e is None else e.false_positives for e in errors], np.int32),
        difference_px=_mean_px(differences),
        disagreements=np.array(only_one, np.int32),
        position_s=np.full(len(frames), np.nan),
    )


def _mean_px(errors: list[FrameError | None]) -> NDArray[np.float32]:
    known = (None if each is None else each.mean_px for each in errors)
    return np.array([np.nan if each is None else each for each in known], np.float32)
