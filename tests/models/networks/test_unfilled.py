"""Networks whose values are loaded: all else is as in one that is built to be trained."""

import pytest
import torch

from kpviewer.models.networks.architectures import ARCHITECTURES
from kpviewer.models.networks.unfilled import unfilled
from kpviewer.models.spec import ModelSpec, Task


@pytest.mark.parametrize("name", ["face-ssd", "heatmap-mobilenet", "faster-rcnn-resnet18"])
def test_a_network_that_is_loaded_is_the_same_and_draws_nothing(name):
    points = {"face-ssd": 5, "heatmap-mobilenet": 2}.get(name, 0)
    task = Task.DETECT_KEYPOINTS if points else Task.DETECT
    spec = ModelSpec(name, name, task, ("a",), (64, 96), tuple("abcde"[:points]))
    trained = ARCHITECTURES[name](spec).network.eval()
    state = torch.get_rng_state()
    loaded = unfilled(ARCHITECTURES[name], spec).network.eval()
    assert torch.equal(torch.get_rng_state(), state)
    loaded.load_state_dict(trained.state_dict())
    buffers = dict(trained.named_buffers())  # some are not in the state
    assert all(torch.equal(buffers[name], each) for name, each in loaded.named_buffers())
    image = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        torch.testing.assert_close(loaded(image), trained(image), rtol=0, atol=0)
