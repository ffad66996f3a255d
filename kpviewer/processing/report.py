"""Report of ``process``: the page of ``eval`` on the frames of one source."""

import heapq
from dataclasses import replace
from pathlib import Path

import numpy as np

from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.evaluation.detections import SCORE_FLOOR, DetectionScores, score_images
from kpviewer.evaluation.kind import Evaluated, EvaluationOptions
from kpviewer.evaluation.kinds.detections import DetectionReport, failure_of
from kpviewer.evaluation.kinds.grid import largest_distance
from kpviewer.evaluation.report import WORST, Setting
from kpviewer.evaluation.timing import FrameTime
from kpviewer.metrics.keypoint import normaliser_notes
from kpviewer.models.selection import of_shown_classes, select
from kpviewer.overlay import OverlayStyle, image_of
from kpviewer.overlay.privacy import hide_boxes
from kpviewer.pipeline.protocols import InferenceEngine
from kpviewer.processing.names import REPORT_ENDING
from kpviewer.recording.files import free_stem, source_stem
from kpviewer.sources.resizing import resized
from kpviewer.structures import (
    Detections,
    FrameResult,
    GroundTruth,
    ImageArray,
    StreamInfo,
    Thresholds,
)

_SCANNED = (
    "The scan keeps no scores below {:g}: precision against recall and calibration begin there."
)
SIDE_PX = 420
"""Longer side of the images that are kept for the page."""


class FramesReport(DetectionReport):
    """Scores of the frames of a source; its images are kept small, as frames can't be reopened."""

    def __init__(
        self,
        run: Evaluated,
        result: DetectionScores,
        options: EvaluationOptions,
        kept: dict[Path, ImageArray],
    ) -> None:
        super().__init__(run, result, options)
        self._kept = kept

    def _draw(self, image: AnnotatedImage, shown: Detections) -> ImageArray | None:
        from kpviewer.evaluation.drawing import draw_on  # noqa: PLC0415 - Qt may be missing

        bgr = self._kept.get(image.path)
        if bgr is None:
            return None
        scale = bgr.shape[1] / image.size_wh[0]
        return draw_on(
            bgr, scale, self._counted(image), shown, self.setting.spec, self._options.within_px
        )


class SourceReport:
    """Collector of results with ground truth; memory is bounded but for the detections.

    Args:
        engine: engine of the model.
        thresholds: thresholds of precision, recall and the worst frames.
        folder: folder that gets ``NAME_report``.
        style: its ``anonymise`` hides detections and true objects in the images.
        floor: lowest score that the candidates of all frames have, as a scan keeps no lower ones.
    """

    def __init__(
        self,
        engine: InferenceEngine,
        thresholds: Thresholds,
        folder: Path,
        style: OverlayStyle,
        floor: float = 0.0,
    ) -> None:
        self._engine, self._thresholds, self._folder = engine, thresholds, folder
        self._style = style.of_model(engine.spec, thresholds)
        self._floor = max(SCORE_FLOOR, floor)
        self._within_px = largest_distance(engine.spec)
        self._seen: list[Detections] = []
        self._images: list[AnnotatedImage] = []
        self._times_ms: list[float] = []
        self._worst: list[tuple[float, int]] = []
        """Heap of badness and place, reversed so that of equal ones the earlier stays."""
        self._kept: dict[int, ImageArray] = {}

    def accept(self, result: FrameResult) -> None:
        """Take a result; those without ground truth or model don't count."""
        frame = result.frame
        if frame.ground_truth is None or not result.has_model:
            return
        low = replace(self._thresholds, score=self._floor, class_scores={})
        found = select(result.candidates, low)
        image = _image_of(result, of_shown_classes(frame.ground_truth, self._thresholds))
        place = len(self._images)
        self._seen.append(found)
        self._images.append(image)
        if result.timings.forward_ms:  # 0 in a scan
            self._times_ms.append(result.timings.model_ms)
        score = self._thresholds.score
        badness = failure_of(found, image.targets, score, self._within_px).badness
        if badness > 0 and (len(self._worst) < WORST or (badness, -place) > self._worst[0]):
            heapq.heappush(self._worst, (badness, -place))
            bgr = image_of(result, self._style)
            if self._style.anonymise:  # what was missed is shown here, too
                bgr = hide_boxes(bgr, frame.ground_truth.xyxy)
            self._kept[place] = _small(bgr)
            if len(self._worst) > WORST:
                del self._kept[-heapq.heappop(self._worst)[1]]

    def save(self, info: StreamInfo | None, stem: str | None = None) -> Path:
        """Write the page and return its path; main thread only.

        Args:
            info: description of the source; None if it was never open.
            stem: start of the folder's name; None: the source's name.

        Raises:
            DatasetError: if no frame had ground truth.
            RecordingError: if it can't be written.
        """
        if info is None or not self._images:
            name = info.name if info is not None else "the source"
            raise DatasetError(f"No report: no frame of {name} has ground truth that fits.")
        stem = free_stem(self._folder, stem or source_stem(info.name), [REPORT_ENDING])
        return self._report(info.name).save(self._folder / f"{stem}{REPORT_ENDING}")

    def _report(self, name: str) -> FramesReport:
        """Score the frames, of which there must be one."""
        setting = Setting.of(self._engine, name)
        spec = replace(setting.spec, score_threshold=self._thresholds.score)
        data = AnnotationSet(
            tuple(self._images), spec.class_names, spec.keypoint_names, spec.skeleton
        )
        result = DetectionScores(
            overall=score_images(self._seen, data.images, data),
            groups={},
            frame_ms=FrameTime.of(self._times_ms) if self._times_ms else None,
            seen=tuple(self._seen),
        )
        notes = (*spec.named_notes, *normaliser_notes(spec.keypoint_names))
        if self._floor > SCORE_FLOOR:
            notes = (*notes, _SCANNED.format(self._floor))
        run = Evaluated(replace(setting, spec=spec), data, self._thresholds, notes)
        kept = {self._images[place].path: image for place, image in self._kept.items()}
        options = EvaluationOptions(within_px=self._within_px, data_name=name)
        return FramesReport(run, result, options, kept)


def _image_of(result: FrameResult, targets: GroundTruth) -> AnnotatedImage:
    frame = result.frame
    height, width = frame.bgr.shape[:2]
    name = frame.file or ""
    if frame.file is None or frame.frame_in_file is not None:
        name = f"{name} frame {frame.index}".strip()
    if frame.position_s is not None and frame.frame_in_file is not None:
        name = f"{name} ({frame.position_s:.2f} s)"
    points = targets.keypoints_visible
    return AnnotatedImage(
        Path(name), (width, height), targets, "", np.zeros(len(targets), np.bool_), points, name
    )


def _small(bgr: ImageArray) -> ImageArray:
    """Return a copy that is SIDE_PX along its longer side."""
    scale = SIDE_PX / max(bgr.shape[:2])
    size_hw = (max(1, round(bgr.shape[0] * scale)), max(1, round(bgr.shape[1] * scale)))
    small = resized(bgr, size_hw)
    return small.copy() if small is bgr or np.shares_memory(small, bgr) else small
