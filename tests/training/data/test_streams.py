"""Streams of samples: those that can't be used, and errors of their workers."""

import itertools
from collections.abc import Iterator
from typing import Any, cast

import pytest
import torch
from torch.utils.data import IterableDataset
from training.lines import LineObjective

from kpviewer.errors import DatasetError
from kpviewer.training.config import TrainConfig
from kpviewer.training.data.feed import batches_of
from kpviewer.training.data.samples import Sample
from kpviewer.training.data.streams import MOST_UNUSABLE, usable


def drawn(numbers: Iterator[int], divisor: int) -> list[int]:
    samples = cast("Iterator[Sample]", numbers)
    found = usable(samples, lambda sample: cast("int", sample) % divisor == 0)
    return cast("list[int]", list(itertools.islice(found, 3)))


def test_samples_that_can_not_be_used_are_left_out():
    step = MOST_UNUSABLE
    assert drawn(itertools.count(), step) == [0, step, 2 * step]


def test_a_stream_without_usable_samples_ends_with_the_cause():
    with pytest.raises(DatasetError, match=r"None of 500 images .* below 5 px in the input"):
        drawn(itertools.count(1), 10**9)


def broken(_number: int) -> Any:
    raise DatasetError("a.png can't be read. Is the file complete?")


class Broken(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        yield from map(broken, [0])


class BrokenObjective(LineObjective):
    def dataset(self, input_hw: tuple[int, int], seed: int) -> Any:
        return Broken()


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_in_a_worker_has_its_own_message_alone(workers):
    config = TrainConfig(family="lines", model="lines", steps=1, batch=1, workers=workers)
    batches = batches_of(BrokenObjective(), config, (8, 8), 0, torch.device("cpu"))
    with pytest.raises(DatasetError) as caught:
        next(batches)
    assert str(caught.value) == "a.png can't be read. Is the file complete?"
