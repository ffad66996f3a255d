"""Frames that deserve a look, found without ground truth.

A run of frames with one kind of sign is one suspect, at its most suspicious frame.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kpviewer.scanning.selection import Survivors
from kpviewer.scanning.sightings import Sightings, links_of, sightings_of
from kpviewer.scanning.signs import (
    MARGIN,
    Kind,
    SecondScan,
    Signs,
    count_changes,
    disagreement,
    flicker,
    jumps,
    near_threshold,
    odd_landmarks,
)
from kpviewer.structures import Thresholds

MAX_SUSPECTS = 100
"""Greatest number of suspects of one kind."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A frame that deserves a look."""

    frame_index: int
    position_s: float | None
    """Media time, s; None if unknown."""
    kind: Kind
    suspicion: float
    """In [0, 1], as ``scanning.signs`` describes."""
    class_id: int | None = None
    """Class of the object; None if the whole frame is suspected."""
    values: Mapping[str, float] = field(default_factory=dict)
    """What words need, by name: ``frames`` (GONE), ``share`` (of the diagonal: jumps), ``point``
    (row of the landmark), ``before`` and ``after`` (COUNT), ``both``, ``only_a``, ``only_b``
    (DISAGREEMENT), ``points`` (OUTSIDE), ``score`` and ``threshold`` (NEAR); always ``run``, the
    number of suspicious frames in a row."""


def suspects(
    survivors: Sequence[Survivors],
    thresholds: Thresholds,
    *,
    is_video: bool,
    other: SecondScan | None = None,
    is_wanted: Callable[[], bool] = lambda: True,
) -> list[Suspect]:
    """Find suspicious frames, the most suspicious first, at most MAX_SUSPECTS of a kind.

    Args:
        survivors: what suppression leaves of each part of a scan, ascending; at least one part.
        thresholds: thresholds of the model.
        is_video: whether neighbouring frames show the same objects.
        other: a second model on the same frames.
        is_wanted: asked now and then.

    Raises:
        Superseded: if they aren't wanted any longer.
    """
    likely = sightings_of(survivors, thresholds, margin=MARGIN)
    seen = likely.take(likely.scores >= likely.least)
    signs = [near_threshold(likely), *odd_landmarks(seen)]
    if is_video:
        links = links_of(seen, is_wanted)
        signs += [*flicker(seen, links, is_wanted), *jumps(seen, links), count_changes(seen)]
    if other is not None and other.survivors:
        signs.append(disagreement(seen, other, is_wanted))
    found = [suspect for each in signs for suspect in _runs(each, seen, is_video=is_video)]
    return sorted(found, key=lambda each: (-each.suspicion, each.frame_index))


def _runs(signs: Signs, seen: Sightings, *, is_video: bool) -> list[Suspect]:
    """Return a suspect for each run of neighbouring frames, at its most suspicious frame.

    Only the most suspicious runs are returned.
    """
    order = np.lexsort((-signs.suspicion, signs.frames))
    frames, suspicion = signs.frames[order], signs.suspicion[order]
    apart = np.diff(seen.frame_index[frames], prepend=-9) > (2 if is_video else 0)
    starts = np.flatnonzero(apart)
    if not len(starts):
        return []
    ends = np.append(starts[1:], len(frames))
    worst = np.argsort(-np.maximum.reduceat(suspicion, starts), kind="stable")[:MAX_SUSPECTS]
    found = []
    for start, end in zip(starts[worst], ends[worst], strict=True):
        best = start + int(np.argmax(suspicion[start:end]))
        row, frame = order[best], frames[best]
        second = seen.position_s[frame]
        values = {name: float(each[row]) for name, each in signs.values.items()}
        values["run"] = float(len(np.unique(frames[start:end])))
        found.append(
            Suspect(
                int(seen.frame_index[frame]),
                float(second) if np.isfinite(second) else None,
                signs.kind,
                round(float(np.clip(suspicion[best], 0, 1)), 4),
                None if signs.class_ids is None else int(signs.class_ids[row]),
                values,
            )
        )
    return found
