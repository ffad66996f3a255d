"""Recipes of version 0.1 are still read, by the current names of their keys and values."""

import pytest

from kpviewer.training.config import TrainConfig, family_options
from kpviewer.training.families.points import PointOptions
from kpviewer.training.families.single_object import SingleObjectOptions


@pytest.mark.parametrize(
    ("family", "key", "old", "now"),
    [
        (SingleObjectOptions, "order", "trunk-first", "backbone-first"),
        (PointOptions, "crop", "picture", "image"),
    ],
)
def test_old_values_mean_what_they_meant(family, key, old, now):
    config = TrainConfig("x", options={key: old})
    assert getattr(family_options(family, config), key) == now


def test_old_keys_mean_what_they_meant():
    old = TrainConfig("x", options={"looks": 3})
    assert family_options(PointOptions, old).tta_runs == 3
