"""How the learning rate goes over a run: a factor of the peak for each step, and nothing kept.

Nothing kept means that a run that is resumed has the rates it would have had. The numbers are those
of the classes of ``torch.optim.lr_scheduler`` of the same names, which tests compare.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from kpviewer.training.config import TrainConfig

_COSINE_END = 0.01
"""What a cosine comes down to."""
_CYCLE_UP, _CYCLE_START, _CYCLE_END = 0.3, 1 / 25, 1 / 25e4
"""Share of a one-cycle run that goes up, and factors at its ends, as in torch."""


def rate_factor(config: TrainConfig, step: int) -> float:
    """Give the learning rate of a step as a share of ``config.learning_rate``.

    Args:
        config: of the run.
        step: from 0 to ``config.steps`` - 1.
    """
    return _FACTORS[config.schedule](config, step)


def _cosine(config: TrainConfig, step: int) -> float:
    """Linear warm-up, then half a cosine (Loshchilov and Hutter 2017, arXiv:1608.03983, eq. 5)."""
    falling = 0.5 + 0.5 * math.cos(math.pi * step / config.steps)
    return _warmed(config, step) * (_COSINE_END + (1 - _COSINE_END) * falling)


def _one_cycle(config: TrainConfig, step: int) -> float:
    """Up from 1/25, down to nearly nothing (Smith and Topin 2017, arXiv:1708.07120).

    Both ways are half cosines, as in torch's ``OneCycleLR``. The momentum stays what it is, and
    ``warmup_steps`` isn't asked: the way up is the warm-up.
    """
    top = _CYCLE_UP * config.steps - 1
    if step <= top:
        return _between(_CYCLE_START, 1.0, step / top)
    return _between(1.0, _CYCLE_END, (step - top) / (config.steps - 1 - top))


def _between(start: float, end: float, share: float) -> float:
    """Go from start to end on half a cosine."""
    return end + (start - end) * (0.5 + 0.5 * math.cos(math.pi * share))


def _multistep(config: TrainConfig, step: int) -> float:
    """Linear warm-up, then a fall by ``decay`` at each of the ``milestones``."""
    passed = sum(step >= round(share * config.steps) for share in config.milestones)
    return _warmed(config, step) * config.decay**passed


def _constant(config: TrainConfig, step: int) -> float:
    """Linear warm-up, then the peak."""
    return _warmed(config, step)


def _warmed(config: TrainConfig, step: int) -> float:
    return min(1.0, (step + 1) / max(1, config.warmup_steps))


_FACTORS: Mapping[str, Callable[[TrainConfig, int], float]] = {
    "cosine": _cosine,
    "one-cycle": _one_cycle,
    "multistep": _multistep,
    "constant": _constant,
}
"""For each of ``config.SCHEDULES``."""
