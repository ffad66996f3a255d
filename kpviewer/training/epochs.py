"""What an epoch is where images are drawn without end: as many samples as the data set has.

They are drawn at random, so an epoch shows some twice and some not at all; over many epochs each is
shown as often as any other, up to the weights that a family draws by.
"""

from __future__ import annotations

import dataclasses
import math

from kpviewer.errors import DatasetError
from kpviewer.training.config import TrainConfig
from kpviewer.training.objective import CountedObjective, Objective

_WARMUP_SHARE = 0.1


def with_steps(config: TrainConfig, objective: Objective, processes: int = 1) -> TrainConfig:
    """Turn the epochs of a configuration into steps; give it as it is where it has none.

    A run that is short for it warms up in a tenth of its steps.

    Args:
        config: of the run.
        objective: what is trained.
        processes: how many train together.

    Raises:
        DatasetError: if the family doesn't say what its epoch is.
    """
    if not config.epochs:
        return config
    if not isinstance(objective, CountedObjective):
        raise DatasetError(
            f"Family {config.family} has no epochs. Set steps instead (--set epochs=0 "
            f"--set steps={config.steps})."
        )
    samples = config.batch * config.accumulate * processes
    steps = max(1, math.ceil(config.epochs * objective.epoch_samples / samples))
    warmup = min(config.warmup_steps, round(_WARMUP_SHARE * steps))
    return dataclasses.replace(config, steps=steps, warmup_steps=warmup)
