"""Scoring of the checkpoints of a training run; ``training`` itself imports no evaluation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from kpviewer.annotations.spec import read_annotations
from kpviewer.evaluation.evaluator import evaluate, kind_of
from kpviewer.evaluation.kind import TRAINING
from kpviewer.models.base import Detector
from kpviewer.training.config import TrainConfig


def make_scorer(
    spec: str, config: TrainConfig, out_dir: Path, device: str
) -> Callable[[Detector], dict[str, float]]:
    """Read a data set and return a function that scores a detector on it.

    That function sets the thresholds of the detector that are best on the data, and writes the
    files of the report.

    Raises:
        DatasetError: if the data can't be read, or the recipe's model can't be scored on them.
    """
    data = read_annotations(spec)
    kind_of(config.model).usable(data)  # before the first step, not at the first checkpoint
    sweep_by = str(config.options.get("sweep", TRAINING.sweep_by))
    options = replace(TRAINING, device=device, sweep_by=sweep_by)

    def score(detector: Detector) -> dict[str, float]:
        report = evaluate(detector, data, options)
        report.tune(detector)
        for name, content in report.files().items():
            (out_dir / name).write_bytes(content)
        return report.summary()

    return score
