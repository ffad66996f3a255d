"""``kpviewer bench --lanes``: how fast the timeline follows a slider, and what a scan takes.

Frames are simulated: no model runs, and every frame has ground truth. ``docs/guide/bench.md``
describes the JSON.
"""

import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from kpviewer.benchmarking.versions import versions
from kpviewer.evaluation.text import text_table
from kpviewer.scanning.columns import FLOOR, CandidateColumns
from kpviewer.scanning.ground_truth import GroundTruthColumns
from kpviewer.scanning.lanes import How, lanes_of, reduced
from kpviewer.scanning.scorer import Scorer
from kpviewer.scanning.selector import Selector
from kpviewer.scanning.store import ScanStore
from kpviewer.structures import FloatArray, GroundTruth, Thresholds

WIDTH_PX = 1200
OBJECTS, KEYPOINTS = 4, 5
CHUNK_FRAMES = 200
"""Frames of a second of a scan."""
SIZE_WH = (1280, 720)
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class LanesPlan:
    """What is measured."""

    frames: tuple[int, ...] = (1_000, 10_000, 100_000)
    candidates: tuple[int, ...] = (5, 20, 50)
    """Numbers of candidates a frame."""
    repeats: int = 20
    hour_frames: int = 108_000
    """Frames of the video that is scanned bit by bit: an hour at 30 fps."""
    hour_candidates: int = 20
    hour_parts: int = 4

    @property
    def steps(self) -> int:
        """Number of rows and parts."""
        return len(self.frames) * len(self.candidates) + self.hour_parts


def measure(plan: LanesPlan, progress: Callable[[], object] = lambda: None) -> dict[str, Any]:
    """Measure all sizes of the plan; ``progress`` is called after each row and part."""
    rows = []
    for frames in plan.frames:
        for candidates in plan.candidates:
            rows.append(_row(frames, candidates, plan.repeats))
            progress()
    return {
        "width_px": WIDTH_PX,
        "objects": OBJECTS,
        "keypoints": KEYPOINTS,
        "repeats": plan.repeats,
        "versions": versions("numpy"),
        "rows": rows,
        "hour": _hour(plan, progress),
    }


def report_table(values: Mapping[str, Any]) -> str:
    """Return ``measure``'s values as tables."""
    keys = ("confidence_ms", "iou_ms", "chunk_ms", "scores_ms")
    head = ["frames", "candidates", "confidence", "p95", "IoU", "p95", "chunk", "p95"]
    table = [[*head, "scores", "p95", "IoU us/frame", "bytes"]]
    for row in values["rows"]:
        times = [f"{row[key][rank]:.1f}" for key in keys for rank in ("p50", "p95")]
        sizes = [f"{row['iou_us_a_frame']:.2f}", f"{row['bytes_a_candidate']:.0f}"]
        table.append([f"{row['frames']:,}", str(row["candidates"]), *times, *sizes])
    found = values["versions"]
    lines = [
        f"ms until lanes of {values['width_px']} px are new, {values['repeats']} times each; "
        "candidates a frame, bytes a candidate",
        f"kpviewer {found['kpviewer']}, numpy {found['numpy']}, "
        f"Python {found['python']}, {found['platform']}",
        "",
        text_table(table, left=0),
    ]
    return "\n".join([*lines, *_hour_lines(values["hour"])])


def _hour_lines(hour: Mapping[str, Any]) -> list[str]:
    table = [["frames", "kept MiB", "working MiB", "chunk ms", "p95"]]
    for part in hour["parts"]:
        times = [f"{part['chunk_ms'][rank]:.1f}" for rank in ("p50", "p95")]
        sizes = [f"{part[key]:.1f}" for key in ("kept_mib", "working_mib")]
        table.append([f"{part['frames']:,}", *sizes, *times])
    title = (
        f"A scan of {hour['frames']:,} frames with {hour['candidates']} candidates each, lanes "
        f"after every {hour['chunk_frames']} frames, with memory traced"
    )
    return ["", title, "", text_table(table, left=0)]


class _Timeline:
    """What the window keeps of a scan, and how it paints the lanes of it."""

    def __init__(self, frame_count: int) -> None:
        self.store = ScanStore(1, KEYPOINTS, FLOOR)
        self._frames = range(frame_count)
        self._edges = np.linspace(0, frame_count, WIDTH_PX + 1)
        self._selector, self._scorer = Selector(), Scorer()

    def paint(
        self, thresholds: Thresholds, truth: GroundTruthColumns | None = None
    ) -> list[FloatArray]:
        """Return the pixel columns of the lanes."""
        parts = self._selector.survivors(self.store.blocks(), thresholds)
        errors = None
        if truth is not None:
            errors = self._scorer.kept_errors(parts, truth, thresholds)
        lanes = lanes_of(parts, thresholds, frames=self._frames, errors=errors)
        return [
            reduced(lanes.found, self._edges, How.MAX),
            reduced(lanes.best, self._edges, How.MEAN),
            reduced(lanes.deviation_px, self._edges, How.MAX),
            reduced(lanes.mistakes, self._edges, How.MAX),
        ]

    def score(self, thresholds: Thresholds, truth: GroundTruthColumns) -> object:
        """Return the scores of everything that was scanned."""
        parts = self._selector.survivors(self.store.blocks(), thresholds)
        return self._scorer.score(parts, truth, thresholds)


def _row(frames: int, candidates: int, repeats: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    timeline, base = _Timeline(frames), Thresholds()
    columns, truth = simulated(rng, 0, frames, candidates)
    timeline.store.add_columns(columns)
    timeline.score(base, truth)
    again = columns.take(np.arange(min(CHUNK_FRAMES, frames)))
    del columns
    scores, overlaps = rng.uniform(FLOOR, 1, repeats), rng.uniform(0.1, 0.9, repeats)
    at = [replace(base, score=float(score)) for score in scores]
    confidence_ms = [_ms(partial(timeline.paint, to, truth)) for to in at]
    scores_ms = [_ms(partial(timeline.score, to, truth)) for to in at]
    moved = [replace(base, iou=float(iou)) for iou in overlaps]
    iou_ms = [_ms(partial(timeline.paint, to, truth)) for to in moved]
    timeline.paint(base)

    def chunk() -> None:
        timeline.store.add_columns(again)
        timeline.paint(base, truth)

    rows = frames * candidates
    return {
        "frames": frames,
        "candidates": candidates,
        "confidence_ms": _percentiles(confidence_ms),
        "iou_ms": _percentiles(iou_ms),
        "chunk_ms": _percentiles([_ms(chunk) for _ in range(repeats)]),
        "scores_ms": _percentiles(scores_ms),
        "iou_us_a_frame": float(np.median(iou_ms)) * 1e3 / frames,
        "bytes_a_candidate": timeline.store.nbytes / rows,
    }


def _hour(plan: LanesPlan, progress: Callable[[], object]) -> dict[str, Any]:
    """Scan a long video chunk by chunk, and note time and memory in each part of it."""
    rng = np.random.default_rng(1)
    timeline, base, parts = _Timeline(plan.hour_frames), Thresholds(), []
    ends = np.linspace(0, plan.hour_frames, plan.hour_parts + 1).astype(int).tolist()
    tracemalloc.start()
    try:
        for begin, end in pairwise(ends):
            chunk_ms, working = [], 0
            for first in range(begin, end, CHUNK_FRAMES):
                count = min(CHUNK_FRAMES, end - first)
                columns, _ = simulated(rng, first, count, plan.hour_candidates)
                tracemalloc.reset_peak()
                began_s = time.perf_counter()
                timeline.store.add_columns(columns)
                timeline.paint(base)
                chunk_ms.append((time.perf_counter() - began_s) * 1e3)
                working = max(working, tracemalloc.get_traced_memory()[1] - timeline.store.nbytes)
            parts.append(
                {
                    "frames": end,
                    "kept_mib": timeline.store.nbytes / _MIB,
                    "working_mib": working / _MIB,
                    "chunk_ms": _percentiles(chunk_ms),
                }
            )
            progress()
    finally:
        tracemalloc.stop()
    return {
        "frames": plan.hour_frames,
        "candidates": plan.hour_candidates,
        "chunk_frames": CHUNK_FRAMES,
        "parts": parts,
    }


def simulated(
    rng: np.random.Generator, first: int, frames: int, candidates: int
) -> tuple[CandidateColumns, GroundTruthColumns]:
    """Return frames with ``OBJECTS`` objects and candidates around them, most of low score."""
    centres = rng.uniform(100, 620, (frames, OBJECTS, 2))
    total = frames * candidates
    frame_rows = np.repeat(np.arange(frames), candidates)
    middle = centres[frame_rows, rng.integers(0, OBJECTS, total)] + rng.normal(0, 8, (total, 2))
    half = rng.uniform(40, 60, (total, 2))
    points = np.repeat(middle[:, None], KEYPOINTS, axis=1).astype(np.float32)
    index = np.arange(first, first + frames)
    columns = CandidateColumns(
        frame_index=index,
        position_s=index / 30,
        size_wh=np.tile(np.array([SIZE_WH], np.int32), (frames, 1)),
        starts=np.arange(frames + 1) * candidates,
        xyxy=np.concatenate([middle - half, middle + half], axis=1).astype(np.float32),
        keypoints_xy=points,
        keypoint_scores=None,
        overlaps=None,
        entry_rows=np.arange(total),
        entry_classes=np.zeros(total, np.int32),
        entry_scores=(FLOOR + (1 - FLOOR) * rng.beta(0.5, 1.5, total)).astype(np.float32),
        num_classes=1,
        floor=FLOOR,
    )
    true = centres.reshape(-1, 2)
    truth = GroundTruthColumns(
        frame_index=index,
        frame_rows=np.repeat(np.arange(frames), OBJECTS),
        objects=GroundTruth(
            np.concatenate([true - 50, true + 50], axis=1).astype(np.float32),
            np.zeros(len(true), np.int64),
            np.repeat(true[:, None], KEYPOINTS, axis=1).astype(np.float32),
            np.ones((len(true), KEYPOINTS), np.bool_),
            np.zeros(len(true), np.bool_),
        ),
        labelled=(None,),
        labelled_rows=np.zeros(frames, np.int64),
    )
    return columns, truth


def _ms(work: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    work()
    return (time.perf_counter() - began_s) * 1e3


def _percentiles(times_ms: Sequence[float]) -> dict[str, float]:
    p50, p95 = np.percentile(times_ms, (50, 95)).tolist()
    return {"p50": p50, "p95": p95}
