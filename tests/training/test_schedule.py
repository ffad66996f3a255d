"""Learning rates by step: against torch's schedulers, and numbers by hand."""

import pytest
import torch
from torch.optim import lr_scheduler

from kpviewer.errors import DatasetError
from kpviewer.training.config import SCHEDULES, TrainConfig, load_config
from kpviewer.training.schedule import rate_factor

STEPS = 40


def factors(schedule: str, **settings: object) -> list[float]:
    config = TrainConfig(schedule=schedule, steps=STEPS, warmup_steps=1, **settings)
    return [rate_factor(config, step) for step in range(STEPS)]


def of_torch(make: type, **settings: object) -> list[float]:
    """Return the rates of one of torch's schedulers, whose peak is 1."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = make(optimizer, **settings)
    rates = []
    for _ in range(STEPS):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return rates


def test_schedules_are_those_of_torch():
    cosine = of_torch(lr_scheduler.CosineAnnealingLR, T_max=STEPS, eta_min=0.01)
    cycle = of_torch(lr_scheduler.OneCycleLR, max_lr=1.0, total_steps=STEPS, cycle_momentum=False)
    falls = of_torch(lr_scheduler.MultiStepLR, milestones=[10, 30], gamma=0.5)
    assert factors("cosine") == pytest.approx(cosine, abs=1e-9)
    assert factors("one-cycle") == pytest.approx(cycle, abs=1e-9)
    assert factors("multistep", milestones=(0.25, 0.75), decay=0.5) == pytest.approx(falls)
    assert factors("constant") == [1.0] * STEPS


def test_all_but_the_one_cycle_warm_up():
    for name in SCHEDULES:
        config = TrainConfig(schedule=name, steps=1000, warmup_steps=10)
        first = rate_factor(config, 0)
        assert first == pytest.approx(0.04 if name == "one-cycle" else 0.1, rel=0.01)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 3, 4, 10])
def test_the_shortest_runs_have_rates_too(schedule, steps):
    config = TrainConfig(schedule=schedule, steps=steps, warmup_steps=0)
    assert all(0 < rate_factor(config, step) <= 1 for step in range(steps))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("schedule=sawtooth", "cosine, one-cycle, multistep, constant"),
        ("precision=int8", "fp32, bf16, fp16"),
        ("tensorboard=perhaps", "true, false, auto"),
        ("accumulate=0", "at least 1"),
        ("milestones=[100]", r"milestones\[0\] must be a number, below 1, got 100"),
        ("epochs=-1", "epochs must be a number, at least 0, got -1"),
    ],
)
def test_wrong_settings_are_refused(change, message):
    with pytest.raises(DatasetError, match=message):
        load_config("strip-grid", [change])


def test_head_centre_has_a_one_cycle_schedule():
    assert load_config("head-centre").schedule == "one-cycle"
