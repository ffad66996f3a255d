"""Which learning rate to begin with: a short run whose rate rises until the loss leaps.

The range test of Smith (2015, arXiv:1506.01186, section 3.3), with a rate that grows by the same
factor each step. What is suggested is where the smoothed loss falls most steeply.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from kpviewer.errors import PipelineError
from kpviewer.structures import FloatArray
from kpviewer.training.config import TrainConfig
from kpviewer.training.feed import batches_of, height_width
from kpviewer.training.memory import out_of_memory_told
from kpviewer.training.objective import Objective
from kpviewer.training.updates import LossError, Updater

CURVE, PLOT = "lr_finder.csv", "lr_finder.png"
STEPS, LEAST_RATE, GREATEST_RATE = 120, 1e-6, 1.0
_LEAP = 4.0
"""Over the least smoothed loss: where the run ends."""
_SMOOTHING_STEPS = 4.0
"""Standard deviation."""
_EDGE = 8
"""First steps, whose means are of few losses."""


@dataclass(frozen=True, slots=True, eq=False)
class RateCurve:
    """Losses by learning rate: N steps, rates ascending."""

    rates: FloatArray
    """(N,)."""
    losses: FloatArray
    """(N,) sums of the parts, as they came."""

    @property
    def smoothed(self) -> FloatArray:
        """(N,) Gaussian means over neighbouring steps: those of before alone would lag behind.

        Leaps are cut to some times the median, or one would bend the curve far around it.
        """
        if not len(self.losses):  # the first was no number: np.median warns of it
            return self.losses
        losses = np.minimum(self.losses, _LEAP * np.median(self.losses))
        steps = np.arange(len(losses))
        weights = np.exp(-0.5 * ((steps[:, None] - steps) / _SMOOTHING_STEPS) ** 2)
        mean: FloatArray = (weights @ losses / weights.sum(1)).astype(np.float32)
        return mean

    @property
    def suggestion(self) -> float:
        """The rate at which the smoothed loss falls most steeply over the rate's logarithm.

        Raises:
            PipelineError: if it falls nowhere.
        """
        smoothed = self.smoothed.astype(np.float64)
        low = int(smoothed.argmin()) if len(smoothed) else 0
        slopes = np.gradient(smoothed)[_EDGE:low] if low > _EDGE else np.zeros(1)
        if slopes.min() >= 0:
            raise PipelineError(
                "A learning rate is suggested where the loss falls, and here it didn't. Take "
                "larger batches (--set batch=...), or check what the data teach."
            )
        return float(self.rates[_EDGE + int(slopes.argmin())])


def find_rate(objective: Objective, config: TrainConfig, device: str = "cpu") -> RateCurve:
    """Train an objective, which is worth nothing afterwards, with a rising rate.

    The images have the first of the configuration's sizes.

    Raises:
        PipelineError: if a step doesn't fit into the memory.
    """
    where, hw = torch.device(device), height_width(config.inputs[0])
    torch.manual_seed(config.seed)
    updater = Updater(objective, config, where)
    updater.network.train()
    rates: list[float] = []
    losses: list[float] = []
    with out_of_memory_told(config.batch, hw, where):
        batches = batches_of(objective, config, hw, config.seed, where)
        for rate in np.geomspace(LEAST_RATE, GREATEST_RATE, STEPS).tolist():
            loss = _loss_at(rate, updater, batches)
            if not np.isfinite(loss):
                break
            rates.append(rate)
            losses.append(loss)
            curve = RateCurve(np.asarray(rates, np.float32), np.asarray(losses, np.float32))
            smoothed = curve.smoothed
            if len(rates) > 2 * _EDGE and smoothed[-1] > _LEAP * smoothed.min():
                break
    return RateCurve(np.asarray(rates, np.float32), np.asarray(losses, np.float32))


def _loss_at(rate: float, updater: Updater, batches: Iterator[object]) -> float:
    """Take one step; nan where the loss is no number any more."""
    try:
        return float(updater.update(batches, rate, 0).sum())
    except LossError:
        return float("nan")


def write_curve(curve: RateCurve, out_dir: Path) -> None:
    """Write ``lr_finder.csv`` and ``lr_finder.png``."""
    with (out_dir / CURVE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["learning_rate", "loss", "smoothed"])
        columns = (curve.rates, curve.losses, curve.smoothed)
        for row in zip(*columns, strict=True):
            writer.writerow([f"{value:.6g}" for value in row])
    figure = Figure(figsize=(7, 4), layout="constrained")
    panel = figure.subplots()
    panel.plot(curve.rates, curve.losses, color="0.8")
    panel.plot(curve.rates, curve.smoothed)
    panel.axvline(curve.suggestion, color="0.4", linestyle="--")
    panel.set(xscale="log", xlabel="learning rate", ylabel="loss")
    panel.set_ylim(0, 1.5 * float(np.median(curve.smoothed)))
    panel.set_title(f"steepest at {curve.suggestion:.2g}", fontsize="medium")
    panel.grid(color="0.9")
    figure.savefig(out_dir / PLOT, dpi=110)
