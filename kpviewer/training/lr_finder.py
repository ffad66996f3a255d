"""Learning-rate finder: a short run whose rate rises until the loss diverges.

The range test of Smith (2015, arXiv:1506.01186, section 3.3), with a rate that grows by the same
factor each step. The suggested rate is where the smoothed loss falls most steeply.
"""

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
from kpviewer.training.data.feed import batches_of
from kpviewer.training.memory import explain_out_of_memory
from kpviewer.training.objective import Objective
from kpviewer.training.updates import LossError, Updater

CURVE, PLOT = "lr_finder.csv", "lr_finder.png"
STEPS, LEAST_RATE, GREATEST_RATE = 120, 1e-6, 1.0
_DIVERGENCE = 4.0
"""Ratio of the smoothed loss to its minimum at which the run ends."""
_SMOOTHING_STEPS = 4.0
"""Standard deviation of the smoothing, in steps."""
_EDGE = 8
"""Number of first steps that are ignored: their means are of few losses."""


@dataclass(frozen=True, slots=True, eq=False)
class RateCurve:
    """Losses of N steps by learning rate, ascending."""

    rates: FloatArray
    """(N,) learning rates."""
    losses: FloatArray
    """(N,) sums of the parts of the loss, not smoothed."""

    @property
    def smoothed(self) -> FloatArray:
        """(N,) Gaussian means of the losses over neighbouring steps, before and after.

        Outliers are clipped to a multiple of the median; one would bend the curve far around it.
        """
        if not len(self.losses):  # the first loss was not finite; np.median would warn
            return self.losses
        losses = np.minimum(self.losses, _DIVERGENCE * np.median(self.losses))
        steps = np.arange(len(losses))
        weights = np.exp(-0.5 * ((steps[:, None] - steps) / _SMOOTHING_STEPS) ** 2)
        mean: FloatArray = (weights @ losses / weights.sum(1)).astype(np.float32)
        return mean

    @property
    def suggestion(self) -> float:
        """Rate at which the smoothed loss falls most steeply over the rate's logarithm.

        Raises:
            PipelineError: if the loss falls nowhere.
        """
        smoothed = self.smoothed.astype(np.float64)
        low = int(smoothed.argmin()) if len(smoothed) else 0
        slopes = np.gradient(smoothed)[_EDGE:low] if low > _EDGE else np.zeros(1)
        if slopes.min() >= 0:
            raise PipelineError(
                "A learning rate is suggested where the loss falls, and here it never fell. Use "
                "larger batches (--set batch=...), or check the data (kpviewer check-data)."
            )
        return float(self.rates[_EDGE + int(slopes.argmin())])


def find_rate(objective: Objective, config: TrainConfig, device: str = "cpu") -> RateCurve:
    """Train an objective with a rising rate; its weights are useless afterwards.

    Images have the first input size of the configuration.

    Raises:
        PipelineError: if a step doesn't fit into memory.
    """
    where, hw = torch.device(device), config.inputs_hw[0]
    torch.manual_seed(config.seed)
    updater = Updater(objective, config, where)
    updater.network.train()
    rates: list[float] = []
    losses: list[float] = []
    with explain_out_of_memory(config.batch, hw, where):
        batches = batches_of(objective, config, hw, config.seed, where)
        for rate in np.geomspace(LEAST_RATE, GREATEST_RATE, STEPS).tolist():
            loss = _loss_at(rate, updater, batches)
            if not np.isfinite(loss):
                break
            rates.append(rate)
            losses.append(loss)
            curve = RateCurve(np.asarray(rates, np.float32), np.asarray(losses, np.float32))
            smoothed = curve.smoothed
            if len(rates) > 2 * _EDGE and smoothed[-1] > _DIVERGENCE * smoothed.min():
                break
    return RateCurve(np.asarray(rates, np.float32), np.asarray(losses, np.float32))


def _loss_at(rate: float, updater: Updater, batches: Iterator[object]) -> float:
    """Take one step and return its loss; NaN if the loss is not finite."""
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
