"""Recipes of version 0.1 are still read, with the values that have another name today."""

import pytest

from kpviewer.training.config import TrainConfig, family_options
from kpviewer.training.points import PointOptions
from kpviewer.training.single_object import SingleObjectOptions


@pytest.mark.parametrize(
    ("family", "key", "old", "now"),
    [
        (SingleObjectOptions, "order", "trunk-first", "backbone-first"),
        (PointOptions, "crop", "picture", "image"),
    ],
)
def test_old_values_mean_what_they_meant(family, key: str, old: str, now: str) -> None:
    config = TrainConfig("x", options={key: old})
    assert getattr(family_options(family, config), key) == now
