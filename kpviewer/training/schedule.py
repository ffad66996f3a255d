"""Number of steps of a run, and learning-rate schedules: a factor of the peak rate for each step.

Factors have no state: a resumed run has the same rates as an uninterrupted one. The numbers are
those of the classes of ``torch.optim.lr_scheduler`` of the same names; tests compare them.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping

from kpviewer.training.config import TrainConfig
from kpviewer.training.objective import Objective

_WARMUP_SHARE = 0.1
_COSINE_END = 0.01
"""Factor at the end of a cosine."""
_CYCLE_UP, _CYCLE_START, _CYCLE_END = 0.3, 1 / 25, 1 / 25e4
"""Share of a one-cycle run in which the rate rises, and factors at its ends, as in torch."""


def with_steps(config: TrainConfig, objective: Objective, processes: int = 1) -> TrainConfig:
    """Turn the epochs of a configuration into steps; return it unchanged if it has no epochs.

    An epoch is as many samples as the data set has. They are drawn at random: it shows some twice
    and others not at all. Over many epochs all are shown equally often, up to sampling weights.
    Warm-up takes at most a tenth of the steps.
    """
    if not config.epochs:
        return config
    samples = config.batch * config.accumulate * processes
    steps = max(1, math.ceil(config.epochs * objective.epoch_samples / samples))
    warmup = min(config.warmup_steps, round(_WARMUP_SHARE * steps))
    return dataclasses.replace(config, steps=steps, warmup_steps=warmup)


def rate_factor(config: TrainConfig, step: int) -> float:
    """Return the learning rate of a step as a share of ``config.learning_rate``.

    Args:
        config: configuration of the run.
        step: number of the step, from 0 to ``config.steps`` - 1.
    """
    return _FACTORS[config.schedule](config, step)


def _cosine(config: TrainConfig, step: int) -> float:
    """Warm up linearly, then follow half a cosine.

    Source: Loshchilov and Hutter 2017 (arXiv:1608.03983), eq. 5.
    """
    falling = 0.5 + 0.5 * math.cos(math.pi * step / config.steps)
    return _warmed(config, step) * (_COSINE_END + (1 - _COSINE_END) * falling)


def _one_cycle(config: TrainConfig, step: int) -> float:
    """Rise from 1/25, then fall to nearly 0 (Smith and Topin 2017, arXiv:1708.07120).

    Both are half cosines, as in torch's ``OneCycleLR``. The momentum stays constant.
    ``warmup_steps`` has no effect: the rise is the warm-up.
    """
    top = _CYCLE_UP * config.steps - 1
    if step <= top:
        return _between(_CYCLE_START, 1.0, step / top)
    return _between(1.0, _CYCLE_END, (step - top) / (config.steps - 1 - top))


def _between(start: float, end: float, share: float) -> float:
    """Interpolate from start to end on half a cosine."""
    return end + (start - end) * (0.5 + 0.5 * math.cos(math.pi * share))


def _multistep(config: TrainConfig, step: int) -> float:
    """Warm up linearly, then fall by the factor ``decay`` at each of the ``milestones``."""
    passed = sum(step >= round(share * config.steps) for share in config.milestones)
    return _warmed(config, step) * config.decay**passed


def _constant(config: TrainConfig, step: int) -> float:
    """Warm up linearly, then stay at the peak."""
    return _warmed(config, step)


def _warmed(config: TrainConfig, step: int) -> float:
    return min(1.0, (step + 1) / max(1, config.warmup_steps))


_FACTORS: Mapping[str, Callable[[TrainConfig, int], float]] = {
    "cosine": _cosine,
    "one-cycle": _one_cycle,
    "multistep": _multistep,
    "constant": _constant,
}
"""Function of each of ``config.SCHEDULES``."""
