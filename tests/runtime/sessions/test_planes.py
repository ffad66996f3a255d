"""Normalised planes of numpy: the values of the one definition in torch, to the last bit."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from kpviewer.models.inputs.normalisation import Normalisation
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.runtime.sessions.planes import Planes

SPEC = ModelSpec("probe", "probe", Task.DETECT, ("spot",), (64, 64))
PLAIN = replace(SPEC, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
LEVELS = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, 3)


@pytest.mark.parametrize("spec", [SPEC, PLAIN], ids=["imagenet", "plain"])
def test_every_level_has_the_value_that_torch_gives_it(spec):
    planes = torch.from_numpy(LEVELS).permute(0, 3, 1, 2)
    expected = Normalisation(spec, torch.device("cpu")).in_one_pass(planes).numpy()
    found = Planes(spec)(LEVELS)
    assert (found.dtype, found.flags.c_contiguous) == (np.float32, True)
    np.testing.assert_array_max_ulp(found, expected, maxulp=1)


def test_values_are_those_of_the_formula():
    spec = replace(SPEC, mean=(0.5, 0.25, 0.0), std=(0.5, 0.25, 1.0))
    rows = np.zeros((2, 1, 1, 3), np.uint8)
    rows[1] = (255, 0, 51)
    expected = [[-1.0, -1.0, 0.0], [1.0, -1.0, 0.2]]
    for given in (rows, rows.astype(np.float32)):
        assert Planes(spec)(given)[..., 0, 0] == pytest.approx(np.array(expected), abs=1e-6)
