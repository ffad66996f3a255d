"""Epochs of an endless stream of samples: an epoch is as many samples as the data set has.

Samples are drawn at random: an epoch shows some twice and others not at all. Over many epochs all
are shown equally often, up to the sampling weights of the family.
"""

from __future__ import annotations

import dataclasses
import math

from kpviewer.training.config import TrainConfig
from kpviewer.training.objective import Objective

_WARMUP_SHARE = 0.1


def with_steps(config: TrainConfig, objective: Objective, processes: int = 1) -> TrainConfig:
    """Turn the epochs of a configuration into steps; return it unchanged if it has no epochs.

    Warm-up takes at most a tenth of the steps.
    """
    if not config.epochs:
        return config
    samples = config.batch * config.accumulate * processes
    steps = max(1, math.ceil(config.epochs * objective.epoch_samples / samples))
    warmup = min(config.warmup_steps, round(_WARMUP_SHARE * steps))
    return dataclasses.replace(config, steps=steps, warmup_steps=warmup)
