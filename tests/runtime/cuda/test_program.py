"""The program of each shipped model: results of the CPU's path, and nothing asked of the host."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from kpviewer.models.base import Detector
from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.models.opening.torch_loading import open_in_torch
from kpviewer.runtime.choosing.autotune import agrees
from kpviewer.runtime.cuda.capturable import check_capturable
from kpviewer.runtime.cuda.program import Program, cast_once
from kpviewer.runtime.torch.preprocess import Preprocessor
from kpviewer.runtime.torch.runner import TorchRunner, eager_network
from kpviewer.sources.resizing import resized
from kpviewer.sources.synthetic.demo import DemoSource
from kpviewer.structures import ImageArray

CPU = torch.device("cpu")
NAMES = ["face-ssd@128", "face-points", "cards-ssd@128", "strip-grid@320"]


@pytest.fixture(scope="module")
def frame() -> ImageArray:
    source = DemoSource()
    source.open()
    captured = source.read(lambda height, width: np.empty((height, width, 3), np.uint8))
    source.close()
    assert captured is not None
    return captured.bgr


def program_of(
    detector: Detector, network: nn.Module, source_hw: tuple[int, int], dtype: torch.dtype
) -> Program:
    return Program(detector, network, source_hw, letterbox_of(detector.spec, source_hw), dtype)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("source_hw", [(240, 320), (180, 320)], ids=str)
def test_results_are_those_of_eager_torch_on_the_cpu(name, source_hw, frame):
    detector, bgr = open_in_torch(name), resized(frame, source_hw)
    network, box = eager_network(detector, CPU), letterbox_of(detector.spec, source_hw)
    eager = TorchRunner(detector, network, Preprocessor(detector.spec, CPU), "fp32")
    expected = eager.decode(eager.forward(eager.load(bgr, box)), box.input_hw)
    program = program_of(detector, network, source_hw, torch.float32)
    with torch.inference_mode():
        found = program(torch.from_numpy(bgr)[None]).numpy()
    assert found.shape == (1, *expected.shape)
    spec = detector.spec
    assert agrees(expected, found[0], len(spec.class_names), len(spec.keypoint_names))


@pytest.mark.parametrize("name", NAMES)
def test_images_of_a_batch_are_those_of_one_by_one(name, frame):
    detector = open_in_torch(name)
    program = program_of(detector, eager_network(detector, CPU), (120, 160), torch.float32)
    images = torch.from_numpy(np.stack([resized(frame, (120, 160)), np.zeros((120, 160, 3), "u1")]))
    with torch.inference_mode():
        together, alone = program(images), torch.cat([program(each[None]) for each in images])
    best = together[..., 4] > together[..., 4].amax(1, keepdim=True) / 2
    assert torch.allclose(together[best], alone[best], atol=0.01)


def on_fake_gpu(network: nn.Module) -> nn.Module:
    """Replace the weights by tensors that only claim to be on a GPU; within a FakeTensorMode."""

    def claimed(value: torch.Tensor) -> torch.Tensor:
        return torch.empty(value.shape, dtype=value.dtype, device="cuda")

    for module in network.modules():
        for key, value in list(module.named_parameters(recurse=False)):
            setattr(module, key, nn.Parameter(claimed(value), requires_grad=False))
        for key, value in list(module.named_buffers(recurse=False)):
            setattr(module, key, claimed(value))
    return network


@pytest.mark.parametrize("name", NAMES)
def test_a_graph_can_hold_every_shipped_model(name):
    detector = open_in_torch(name)
    network = eager_network(detector, CPU)
    with FakeTensorMode(allow_non_fake_inputs=True), torch.inference_mode():
        program = program_of(detector, on_fake_gpu(network), (120, 160), torch.float32)
        images = torch.empty(2, 120, 160, 3, dtype=torch.uint8, device="cuda")
        program(images)
        rows = check_capturable(program, images)
    assert rows.device.type == "cuda"
    assert rows.dtype == torch.float32


@pytest.mark.parametrize("name", NAMES)
def test_weights_cast_once_change_nothing_under_autocast(name, frame):
    detector, dtype = open_in_torch(name), torch.bfloat16
    network = eager_network(detector, CPU)
    image = torch.from_numpy(resized(frame, (120, 160)))[None]
    rows = [
        program_of(detector, each, (120, 160), dtype)
        for each in (network, cast_once(network, dtype))
    ]
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a processor without bf16
        assert torch.equal(*(program(image) for program in rows))
