"""Text formats of results: a JSON line per frame, or a CSV row per detection.

The formats are stable: fields may be added, but none changes its meaning while ``FORMAT_VERSION``
stays. Coordinates are source pixels, times are seconds, timings are ms.
"""

from __future__ import annotations

import csv
import io
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from kpviewer.models.names.classes import class_name
from kpviewer.models.spec import ModelSpec
from kpviewer.structures import Detections, FrameError, FrameResult, Thresholds

FORMAT_VERSION = 1
PX_DECIMALS, SCORE_DECIMALS, _MS_DECIMALS, _S_DECIMALS = 2, 4, 3, 6


@dataclass(frozen=True, slots=True)
class ResultHeader:
    """Description of the source and the model of results."""

    source: str
    model: str | None = None
    class_names: tuple[str, ...] = ()
    keypoint_names: tuple[str, ...] = ()
    thresholds: Thresholds | None = None
    mirrored_keypoints: tuple[int, ...] = ()
    """Index of each keypoint in a mirrored image; empty if unknown."""
    skeleton: tuple[tuple[int, int], ...] = ()
    """Pairs of indices of keypoints that a line joins."""
    category_ids: Mapping[int, int | str] | None = None
    """Category ids of the COCO ground truth by class id; None without one."""
    has_keypoint_scores: bool = False
    """Whether the model predicts scores of keypoints."""
    has_outlines: bool = False
    """Whether objects have outlines: the corners of rotated boxes, or those of masks."""
    has_clock: bool = True
    """Whether frames have the time of capture and timings; without, files of two runs are equal."""

    @classmethod
    def of_model(
        cls,
        source: str,
        spec: ModelSpec,
        thresholds: Thresholds,
        category_ids: Mapping[int, int | str] | None = None,
        *,
        has_clock: bool = True,
    ) -> ResultHeader:
        """Return the header of a model's results."""
        return cls(
            source,
            spec.name,
            spec.class_names,
            spec.keypoint_names,
            thresholds,
            spec.mirrored_keypoints,
            spec.skeleton,
            category_ids,
            spec.keypoint_threshold is not None,
            spec.has_outlines,
            has_clock,
        )

    def is_of(self, spec: ModelSpec) -> bool:
        """Return whether results of a model fit below this header."""
        own = self.model, self.class_names, self.keypoint_names
        return own == (spec.name, spec.class_names, spec.keypoint_names)

    def class_name(self, class_id: int) -> str:
        """Return the name of a class; ``class N`` if it has none."""
        return class_name(class_id, self.class_names)


def describe_header(kind: str, header: ResultHeader) -> dict[str, Any]:
    """Return a header as a JSON object, with the name of the format."""
    return {
        "format": kind,
        "version": FORMAT_VERSION,
        "source": header.source,
        "model": header.model,
        "class_names": header.class_names,
        "keypoint_names": header.keypoint_names,
        "thresholds": _describe_thresholds(header.thresholds),
    }


def describe_frame(header: ResultHeader, result: FrameResult) -> dict[str, Any]:
    """Return a frame as a JSON object: its detections, timings and error."""
    frame = result.frame
    return {
        "index": frame.index,
        "position_s": rounded(frame.position_s, _S_DECIMALS),
        "captured_ns": frame.captured_ns if header.has_clock else None,
        "file": frame.file,
        **({} if frame.frame_in_file is None else {"frame_in_file": frame.frame_in_file}),
        "detections": _describe_detections(header, result.detections),
        "timings": rounded(result.timings.by_stage(), _MS_DECIMALS) if header.has_clock else None,
        "error": None if result.error is None else _describe_error(result.error),
    }


def _describe_error(error: FrameError) -> dict[str, Any]:
    keys = {"false_negatives": "missed", "false_positives": "spurious"}
    values = {keys.get(name, name): value for name, value in asdict(error).items()}
    described: dict[str, Any] = rounded(values, SCORE_DECIMALS)
    return described


def _describe_detections(header: ResultHeader, found: Detections) -> list[dict[str, Any]]:
    tracks, has_scores = _track_ids(found), found.has_keypoint_scores
    outlines = outlines_of(found)
    return [
        {
            "class": header.class_name(class_id),
            "class_id": class_id,
            "score": rounded(score, SCORE_DECIMALS),
            "xyxy": rounded(box, PX_DECIMALS),
            "keypoints": rounded(points, PX_DECIMALS),
            **({"keypoint_scores": rounded(sure, SCORE_DECIMALS)} if has_scores else {}),
            **({} if found.track_ids is None else {"track_id": track_id}),
            **({} if outline is None else {"outline": outline}),
        }
        for class_id, score, box, points, sure, track_id, outline in zip(
            found.class_ids.tolist(),
            found.scores.tolist(),
            found.xyxy.tolist(),
            found.keypoints_xy.tolist(),
            found.keypoint_scores.tolist(),
            tracks,
            outlines,
            strict=True,
        )
    ]


class ResultFormat(ABC):
    """Turns results into text."""

    def __init__(self, header: ResultHeader) -> None:
        self._header = header

    @abstractmethod
    def begin(self) -> str:
        """Return the text before all results."""

    @abstractmethod
    def frame(self, result: FrameResult) -> str:
        """Return the text of one frame."""

    def end(self) -> str:
        """Return the text after all results."""
        return ""

    def whole_bytes(self, cut: bytes) -> int:
        """Return the length of the whole entries of text whose end couldn't be written."""
        return cut.rfind(b"\n") + 1

    def end_of_cut(self) -> str:
        """Return the text that makes a file readable which ends with a whole entry."""
        return ""

    def notes(self) -> list[str]:
        """Return notes for the user on results that the file leaves out, and why."""
        return []


class JsonLines(ResultFormat):
    """JSON Lines: the first line describes the file, each other line is a frame."""

    def begin(self) -> str:
        """Return the line that describes the file."""
        return _json_line(describe_header("kpviewer-results", self._header))

    def frame(self, result: FrameResult) -> str:
        """Return the line of a frame."""
        return _json_line(describe_frame(self._header, result))


class CsvRows(ResultFormat):
    """CSV with one row per detection; a frame without detections has none."""

    _COLUMNS = ("index", "position_s", "class_id", "class", "score", "x1", "y1", "x2", "y2")

    def begin(self) -> str:
        """Return the header row."""
        names = self._header.keypoint_names
        points = [f"{name}_{axis}" for name in names for axis in "xy"]
        scores = [f"{name}_score" for name in names if self._header.has_keypoint_scores]
        outline = ["outline"] if self._header.has_outlines else []
        last = ("track_id", "file", "frame_in_file", *scores, *outline)
        return _csv_row([*self._COLUMNS, *points, *last])

    def frame(self, result: FrameResult) -> str:
        """Return the rows of a frame."""
        found, frame = result.detections, result.frame
        point_count = len(self._header.keypoint_names)
        score_count = point_count if self._header.has_keypoint_scores else 0
        tracks, outlines = _track_ids(found), outlines_of(found)
        rows = []
        for row in range(len(found)):
            class_id = int(found.class_ids[row])
            points = found.keypoints_xy[row, :point_count].reshape(-1).tolist()
            values = [*found.xyxy[row].tolist(), *points]
            scores = found.keypoint_scores[row, :score_count].tolist()
            corners = [value for corner in outlines[row] or () for value in corner]
            rows.append(
                _csv_row(
                    [
                        frame.index,
                        rounded(frame.position_s, _S_DECIMALS),
                        class_id,
                        self._header.class_name(class_id),
                        rounded(float(found.scores[row]), SCORE_DECIMALS),
                        *rounded(values, PX_DECIMALS),
                        tracks[row],
                        frame.file,
                        frame.frame_in_file,
                        *rounded(scores, SCORE_DECIMALS),
                        *([" ".join(map(str, corners))] if self._header.has_outlines else []),
                    ]
                )
            )
        return "".join(rows)


def _describe_thresholds(thresholds: Thresholds | None) -> dict[str, Any] | None:
    if thresholds is None:
        return None
    values = {item.name: getattr(thresholds, item.name) for item in fields(thresholds)}
    values["classes"] = None if thresholds.classes is None else sorted(thresholds.classes)
    values["class_scores"] = {str(key): value for key, value in thresholds.class_scores.items()}
    return values


def _track_ids(found: Detections) -> list[int | None]:
    """Return the track id of each detection; None if it has none."""
    if found.track_ids is None:
        return [None] * len(found)
    return [track_id if track_id >= 0 else None for track_id in found.track_ids.tolist()]


def outlines_of(found: Detections) -> list[list[list[float]] | None]:
    """Return the corners of each detection's outline, rounded, px; None if it is its box."""
    if found.outlines_xy is None:
        return [None] * len(found)
    return [rounded(found.outline(row).tolist(), PX_DECIMALS) for row in range(len(found))]


def rounded(value: Any, decimals: int) -> Any:
    """Round every number, at any depth; those that JSON lacks (NaN, infinity) become None."""
    if isinstance(value, float):
        return round(value, decimals) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: rounded(item, decimals) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item, decimals) for item in value]
    return value


def _json_line(value: dict[str, Any]) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")) + "\n"


def _csv_row(values: list[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(values)
    return buffer.getvalue()
