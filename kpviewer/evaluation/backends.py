"""Comparison of backends on one model: speed, scores, and differences from the reference.

Every backend runs in blocks of frames, all in turn: a busy machine slows all of them. On annotated
data, each is scored like any model, and its detections are compared with those of the reference:
single precision in torch, or in ONNX Runtime for a model in a file.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np

from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError, SourceError
from kpviewer.evaluation.evaluator import evaluate, kind_of
from kpviewer.evaluation.kind import EvaluationOptions
from kpviewer.evaluation.kinds.detections import DetectionReport
from kpviewer.evaluation.report import Report
from kpviewer.metrics.agreement import Agreement, agreement
from kpviewer.models.base import AnyDetector
from kpviewer.models.libraries.inference import BACKENDS
from kpviewer.models.names.architectures import is_point_architecture
from kpviewer.models.selection import select
from kpviewer.models.spec import ModelSpec
from kpviewer.models.tables import first_line
from kpviewer.pipeline.measuring.benchmark import Block, Plan, measure_pipeline
from kpviewer.runtime.choosing.autotune import probe_image
from kpviewer.runtime.choosing.choices import BackendChoice
from kpviewer.runtime.executor import Executor
from kpviewer.runtime.runners import PRECISIONS
from kpviewer.sources.base import FrameSource
from kpviewer.structures import Candidates, Detections, ImageArray

MODEL_STAGES = ("upload", "forward", "postprocess", "select")
"""Stages of a frame that are the model's."""
_DATA_AND_SOURCE = (DatasetError, SourceError)
"""Errors that aren't a backend's."""


@dataclass(slots=True)
class BackendFigures:
    """Figures of one backend at one precision."""

    backend: BackendChoice
    """What ran; of one that can't, what was asked for."""
    is_reference: bool = False
    blocks: list[Block] = field(default_factory=list)
    """Runs of the pipeline."""
    report: Report | None = None
    """Scores on the data; None without data."""
    agreement: Agreement | None = None
    """Differences from the reference on the data; None for the reference and without data."""
    failure: str | None = None
    """Reason why it can't run, one line; None if it can."""

    @property
    def frame_ms(self) -> tuple[float, float] | None:
        """Median and 95th percentile of the model's time for a frame, ms."""
        if not self.blocks:
            return None
        stages = [
            sum(np.asarray(block.stages_ms[stage]) for stage in MODEL_STAGES)
            for block in self.blocks
        ]
        p50, p95 = np.percentile(np.concatenate(stages), (50, 95))
        return float(p50), float(p95)

    @property
    def fps(self) -> float | None:
        """Frames a second of the pipeline, the median of the blocks."""
        return median(block.fps for block in self.blocks) if self.blocks else None

    @property
    def scores(self) -> Mapping[str, float | None]:
        """Scores on the data by name; AP and NME for detectors."""
        if self.report is None:
            return {}
        if type(self.report) is DetectionReport:
            overall = self.report.result.overall
            scores = {"AP": overall.precision.ap, "AP50": overall.precision.ap50}
            has_points = bool(self.report.data.keypoint_names)
            return scores | ({"NME": overall.keypoints.mean} if has_points else {})
        return self.report.summary()


@dataclass(frozen=True, slots=True)
class BackendPlan:
    """What to run, and on what."""

    make_source: Callable[[], FrameSource]
    """Function that returns the same source again, closed."""
    plan: Plan
    """Number of frames and blocks of each backend."""
    device: str = "auto"
    data: AnnotationSet | None = None
    """Data to score on, readable; None: speed alone."""
    data_name: str = ""
    progress: Callable[[int], object] = lambda done: None
    """Function that gets the number of frames and images since its last call."""

    def steps(self, backends: int) -> int:
        """Return the number of frames and images that ``progress`` counts to."""
        frames = self.plan.blocks * (self.plan.warm_up + self.plan.frames)
        return backends * (frames + (0 if self.data is None else len(self.data)))


def available_backends(detector: AnyDetector, device: str = "auto") -> list[BackendChoice]:
    """Return what this machine has for a model, the reference first.

    Raises:
        PipelineError: if the device isn't available.
    """
    return [BackendChoice(*pair) for pair in Executor(detector, device).choices]


def chosen_backends(text: str, available: Sequence[BackendChoice]) -> list[BackendChoice]:
    """Return the backends that a text names, the reference first in any case.

    Args:
        text: ``all``, or NAME or NAME:PRECISION, separated by commas. A name alone means all of
            its precisions. One that the machine lacks is returned too; it fails later.
        available: what the machine has, the reference first.

    Raises:
        ValueError: if a part of the text names no backend or precision.
    """
    chosen = [available[0]]
    for part in text.split(","):
        name, _, precision = part.strip().partition(":")
        if name not in (*BACKENDS, "all") or precision not in ("", "auto", *PRECISIONS):
            raise ValueError(
                f"{part.strip()!r} must be all, or one of {', '.join(BACKENDS)}, alone or with "
                f":auto, :{', :'.join(PRECISIONS)}."
            )
        if name == "all":
            chosen += available
        elif precision:
            chosen.append(BackendChoice(name, precision))
        else:
            own = [each for each in available if each.backend == name]
            chosen += own or [BackendChoice(name, "auto")]
    return list(dict.fromkeys(chosen))


def compare_backends(
    detector: AnyDetector, backends: Sequence[BackendChoice], plan: BackendPlan
) -> list[BackendFigures]:
    """Measure and score a model on several backends.

    Raises:
        DatasetError: if the model can't be scored on the data.
        SourceError: if the source can't be read.
    """
    if plan.data is not None:
        check_scorable(detector.spec, plan.data)
    figures = [BackendFigures(each, at == 0) for at, each in enumerate(backends)]
    engines: dict[BackendChoice, Executor] = {}
    for row in figures:
        with _failures_noted(row):
            engine = _ready(detector, plan.device, row.backend)
            row.backend = BackendChoice(engine.backend, engine.precision)  # what "auto" chose
            engines[row.backend] = engine
    for _ in range(plan.plan.blocks):
        for row in figures:
            if row.failure is None:
                with _failures_noted(row):
                    row.blocks.append(_block(engines[row.backend], plan))
    if plan.data is not None:
        _score(figures, engines, plan, plan.data)
    return figures


def check_scorable(spec: ModelSpec, data: AnnotationSet) -> None:
    """Refuse data and models that can't be scored on a backend, before the long measurement.

    Raises:
        DatasetError: if so.
    """
    if is_point_architecture(spec.architecture):
        raise DatasetError(
            f"{spec.name} is scored in the boxes of the ground truth, which only torch runs. "
            "Leave out --data, or use kpviewer eval."
        )
    kind_of(spec.architecture, spec.task).usable(spec, data)


@contextmanager
def _failures_noted(row: BackendFigures) -> Iterator[None]:
    """Note the failure of a backend; libraries raise errors of any kind."""
    try:
        yield
    except _DATA_AND_SOURCE:
        raise
    except Exception as error:
        row.failure = first_line(error) or type(error).__name__


def _ready(detector: AnyDetector, device: str, backend: BackendChoice) -> Executor:
    engine = Executor(detector, device, backend.precision, backend.backend)
    image = probe_image()
    engine.warm_up((image.shape[0], image.shape[1]))
    return engine


def _block(engine: Executor, plan: BackendPlan) -> Block:
    return measure_pipeline(plan.make_source(), engine, plan.plan, progress=plan.progress)


def _score(
    figures: Sequence[BackendFigures],
    engines: Mapping[BackendChoice, Executor],
    plan: BackendPlan,
    data: AnnotationSet,
) -> None:
    """Score each backend that runs, and compare it with the first."""
    reference: list[Detections] | None = None
    for row in figures:
        if row.failure is not None:
            continue
        with _failures_noted(row):
            row.report, found = _scored(engines[row.backend], plan, data)
            if row.is_reference:
                reference = found
            elif reference is not None:
                row.agreement = agreement(reference, found)


def _scored(
    engine: Executor, plan: BackendPlan, data: AnnotationSet
) -> tuple[Report, list[Detections]]:
    """Return the scores of an engine, and its detections of each image at its own thresholds."""
    observed, found = _Observed(engine), list[Detections]()

    def note(_done: int) -> None:  # called once for each image, but not for those of the warm-up
        assert observed.last is not None
        found.append(select(observed.last, engine.spec.thresholds))
        plan.progress(1)

    options = EvaluationOptions(plan.device, data_name=plan.data_name, progress=note)
    return evaluate(observed, data, options), found


class _Observed:
    """Engine that runs another and keeps its last candidates."""

    def __init__(self, engine: Executor) -> None:
        self._engine = engine
        self.last: Candidates | None = None

    @property
    def spec(self) -> ModelSpec:
        return self._engine.spec

    def infer(self, bgr: ImageArray) -> tuple[Candidates, Any]:
        self.last, spent = self._engine.infer(bgr)
        return self.last, spent

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)
