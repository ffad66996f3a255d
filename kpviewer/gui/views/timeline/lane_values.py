"""Values of the lanes and their reduction to pixel columns: of a file, and of the last minute.

The lanes of a live source are its last minute: now is at the right.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kpviewer.gui.language import tr
from kpviewer.gui.views.timeline.lane_image import LaneColumns
from kpviewer.gui.views.timeline.texts import count_text
from kpviewer.scanning.lanes import BINS, How, Lanes, reduced
from kpviewer.structures import FrameError, FrameResult

ERROR_SHARE, ERROR_HEIGHT = 99, 0.67
"""Percentage of the frames whose error stays below this share of the lane's height."""


class ScannedLanes:
    """Lanes of a file or folder.

    Args:
        lanes: values of every frame.
        threshold: confidence of the heat strip.
        lack: why there are no errors, for people; empty if they may still come.
    """

    def __init__(self, lanes: Lanes, threshold: float = 0.0, lack: str = "") -> None:
        self._threshold, self._lack = threshold, lack
        self.lanes = lanes
        """The values of every frame."""
        deviation = lanes.deviation_px[np.isfinite(lanes.deviation_px)]
        usual = float(np.percentile(deviation, ERROR_SHARE)) if len(deviation) else 1.0
        self._error_top = max(usual / ERROR_HEIGHT, 1e-9)
        self._found_top = float(max(lanes.found.max(initial=0), 1))
        some = lanes.found[lanes.found > 0]
        self._heat_top = float(some.mean()) if len(some) else 1.0

    @property
    def is_difference(self) -> bool:
        """Whether the third lane holds the difference of two models."""
        return self.lanes.has_differences and not self.lanes.has_errors

    @property
    def hints(self) -> tuple[str, str, str]:
        """Text in each lane; empty where values are."""
        if not self.lanes.scanned:
            return tr("scan or play to fill"), "", ""
        is_filled = self.lanes.has_errors or self.lanes.has_differences
        return "", "", "" if is_filled else self._lack

    def columns(self, edges: NDArray[np.float64]) -> LaneColumns:
        """Return the values between W + 1 edges, in frames."""
        lanes, edges = self.lanes, edges - self.lanes.first
        return LaneColumns(
            found=reduced(lanes.found, edges, How.MAX) / self._found_top,
            found_least=reduced(lanes.found, edges, How.MIN) / self._found_top,
            heat=reduced(lanes.heat, edges, How.MEAN) / self._heat_top,
            error=reduced(lanes.deviation_px, edges, How.MAX) / self._error_top,
            mistakes=reduced(lanes.mistakes, edges, How.MAX),
            threshold=self._threshold,
        )

    def texts(self, index: int) -> list[str]:
        """Return what was found in a frame, a line each; empty if it wasn't scanned."""
        lanes, row = self.lanes, index - self.lanes.first
        if not 0 <= row < len(lanes) or lanes.found[row] < 0:
            return []
        found = tr("found {count}").format(count=count_text(int(lanes.found[row])))
        lines = [f"{found} · {tr('best score {score:.2f}').format(score=float(lanes.best[row]))}"]
        deviation, mistakes = float(lanes.deviation_px[row]), int(lanes.mistakes[row])
        if mistakes >= 0:
            name = tr("A–B {px:.1f} px") if self.is_difference else tr("error {px:.1f} px")
            parts = [name.format(px=deviation)] if np.isfinite(deviation) else []
            if self.is_difference:
                parts += [tr("found by one model only: {count}").format(count=mistakes)] * (
                    mistakes > 0
                )
            else:
                missed, false = int(lanes.missed[row]), int(lanes.false_alarms[row])
                parts += [tr("missed {count}").format(count=missed)] * (missed > 0)
                parts += [tr("false alarms {count}").format(count=false)] * (false > 0)
            lines.append(" · ".join(parts) or tr("no mistakes"))
        return lines


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

    def forget(self) -> None:
        """Forget the frames, as a former model has seen them; their time goes on."""
        self._seen.clear()

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
