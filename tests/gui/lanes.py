"""Lanes of made-up values."""

import numpy as np

from kpviewer.scanning.lanes import BINS, Lanes


def make_lanes(
    frames: int, *, scanned: int | None = None, found: int = 2, error_px: float | None = 1.0
) -> Lanes:
    """Return lanes of frames that are all alike, with every score at 0.8.

    Args:
        frames: number of frames of the source.
        scanned: number of frames that were scanned, from the start; None is all.
        found: number of detections in each.
        error_px: error of each; None without ground truth.
    """
    known = np.arange(frames) < (frames if scanned is None else scanned)
    labelled = known & (error_px is not None)
    heat = np.zeros((frames, BINS), np.int32)
    heat[known, int(0.8 * BINS)] = found
    return Lanes(
        first=0,
        found=np.where(known, found, -1).astype(np.int32),
        best=np.where(known, 0.8, np.nan).astype(np.float32),
        heat=heat,
        error_px=np.where(labelled, error_px or 0.0, np.nan).astype(np.float32),
        missed=np.where(labelled, 0, -1).astype(np.int32),
        false_alarms=np.where(labelled, 0, -1).astype(np.int32),
        difference_px=np.full(frames, np.nan, np.float32),
        disagreements=np.full(frames, -1, np.int32),
        position_s=np.full(frames, np.nan),
    )
