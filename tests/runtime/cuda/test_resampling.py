"""Resizing by weights gives what the host's resizing gives, to a level."""

import numpy as np
import pytest
import torch

from kpviewer.errors import PipelineError
from kpviewer.models.spec import Sampling
from kpviewer.runtime.cuda.resampling import Resampling
from kpviewer.sources.resizing import (
    resized,
    resized_antialiased,
    resized_in_float,
    resized_linearly,
)

ON_HOST = {
    Sampling.SMOOTH: (resized, 1.0),
    Sampling.LINEAR: (resized_linearly, 1.0),
    Sampling.LINEAR_FLOAT: (resized_in_float, 1e-3),
    Sampling.ANTIALIASED: (resized_antialiased, 1.0),
}
SIZES = {
    "half": ((96, 128), (48, 64)),
    "quarter and more": ((180, 320), (42, 74)),
    "a little": ((97, 131), (80, 107)),
    "grows": ((40, 50), (100, 125)),
    "same": ((32, 48), (32, 48)),
}
CPU = torch.device("cpu")


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("sampling", ON_HOST, ids=str)
def test_resizing_is_that_of_the_host(sampling, sizes):
    from_hw, size_hw = sizes
    images = np.random.default_rng(0).integers(0, 256, (2, *from_hw, 3), np.uint8)
    found = Resampling(sampling, from_hw, size_hw, CPU)(torch.from_numpy(images))
    assert found.dtype == torch.float32
    on_host, tolerance = ON_HOST[sampling]
    for image, own in zip(images, found.numpy(), strict=True):
        assert np.abs(own - on_host(image, size_hw)).max() <= tolerance


def test_half_of_four_pixels_is_their_mean():
    image = torch.tensor([[[0], [10]], [[20], [50]]], dtype=torch.uint8).expand(1, 2, 2, 3)
    assert Resampling(Sampling.SMOOTH, (2, 2), (1, 1), CPU)(image).flatten().tolist() == [20.0] * 3


def test_a_size_that_only_opencv_computes_is_refused():
    with pytest.raises(PipelineError, match="shrinks along one side"):
        Resampling(Sampling.SMOOTH, (900, 50), (100, 60), CPU)
