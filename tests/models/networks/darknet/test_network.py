"""The network of a cfg, against sums and windows computed by hand."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from kpviewer.models.networks.darknet.blocks import (
    Activation,
    Convolutional,
    MaxPool,
    Route,
    Shortcut,
)
from kpviewer.models.networks.darknet.cfg import parse_cfg
from kpviewer.models.networks.darknet.network import (
    DarknetConvolution,
    DarknetMaxPool,
    DarknetNetwork,
    DarknetRoute,
    DarknetShortcut,
)
from kpviewer.models.networks.darknet.standard import darknet53


def pooled(row: list[float], size: int, stride: int, padding: int) -> list[float]:
    """Return the maxima as Darknet's forward_maxpool_layer computes them, of a map of one row."""
    count = (len(row) + padding - size) // stride + 1
    found = []
    for output in range(count):
        first = output * stride - padding // 2
        found.append(max(row[max(first, 0) : first + size]))
    return found


@pytest.mark.parametrize(
    ("size", "stride", "length"),
    [(2, 2, 8), (2, 2, 7), (2, 1, 7), (3, 1, 6), (3, 2, 7), (5, 1, 9), (4, 2, 8), (13, 1, 5)],
)
def test_pooling_pads_as_darknet_does(size, stride, length):
    row = np.random.default_rng(0).normal(size=length).tolist()
    square = torch.tensor(row, dtype=torch.float64).expand(1, 1, length, length)
    got = DarknetMaxPool(MaxPool(stride, size))(square)
    expected = pooled(row, size, stride, size - 1)
    assert got.shape == (1, 1, len(expected), len(expected))
    assert got[0, 0, 0].tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        (Activation.LINEAR, (-2.0, 1.5)),
        (Activation.LEAKY, (-0.2, 1.5)),
        (Activation.RELU, (0.0, 1.5)),
        (Activation.LOGISTIC, (0.1192029, 0.8175745)),
        (Activation.SWISH, (-0.2384058, 1.2263617)),  # x * sigmoid(x)
        (Activation.MISH, (-0.2525014, 1.4033782)),  # x * tanh(log(1 + exp(x)))
    ],
)
def test_activations_are_darknets(activation, expected):
    shortcut = DarknetShortcut(Shortcut((-2,), activation))
    total = shortcut(torch.tensor([-3.0, 1.0]), torch.tensor([1.0, 0.5]))
    assert total.tolist() == pytest.approx(expected, abs=1e-6)


def test_a_route_takes_one_part_of_each_map():
    maps = torch.arange(4.0).reshape(1, 4, 1, 1), torch.arange(10.0, 12).reshape(1, 2, 1, 1)
    assert DarknetRoute(Route((-1, -2)))(*maps).flatten().tolist() == [0, 1, 2, 3, 10, 11]
    assert DarknetRoute(Route((-1, -2), 2, 1))(*maps).flatten().tolist() == [2, 3, 11]


def convolved(image: NDArray[np.float32], kernels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the 3x3 sums around each pixel, zeros outside: (C, H, W) -> (F, H, W)."""
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return np.einsum("chwij,fcij->fhw", windows, kernels)


def test_a_convolution_is_normalised_scaled_shifted_and_activated_in_this_order():
    random = np.random.default_rng(1)
    block = Convolutional(1, 4, 3, 1, 1, activation=Activation.LEAKY)
    module = DarknetConvolution(block, 2).eval()
    bias, scale, mean = (random.normal(size=4).astype("f4") for _ in range(3))
    variance = random.uniform(0.1, 2, 4).astype("f4")
    kernels = random.normal(size=(4, 2, 3, 3)).astype("f4")
    with torch.no_grad():
        for tensor, value in zip(
            module.stored(), (bias, scale, mean, variance, kernels), strict=True
        ):
            tensor.copy_(torch.from_numpy(value))
    image = random.normal(size=(2, 5, 6)).astype("f4")
    column = (slice(None), None, None)
    # src/blas.c of Darknet on a CPU: (x - mean) / (sqrt(variance) + 1e-6)
    normal = (convolved(image, kernels) - mean[column]) / (np.sqrt(variance) + 1e-6)[column]
    expected = normal * scale[column] + bias[column]
    expected = np.where(expected > 0, expected, 0.1 * expected)
    with torch.inference_mode():
        got = module(torch.from_numpy(image)[None])[0].numpy()
    np.testing.assert_allclose(got, expected, rtol=2e-4, atol=1e-4)  # by the epsilon, see network


SMALL = """
[net]
width=64
height=64
[conv]
filters=8
size=3
stride=32
pad=1
activation=linear
[shortcut]
from=-1
activation=linear
[conv]
filters=6
activation=linear
[yolo]
anchors=8,9
classes=1
[route]
layers=1
[upsample]
stride=2
[conv]
filters=6
activation=linear
[yolo]
anchors=4,5
classes=1
scale_x_y=1.2
"""


def test_a_cfg_becomes_its_layers():
    network = DarknetNetwork(parse_cfg(SMALL)).eval()
    assert network.strides == (16, 32)
    assert network.anchors_wh.tolist() == [[[4, 5]], [[8, 9]]]
    assert network.scales_xy == (1.2, 1)
    names = {name.rsplit(".", 2)[0] for name in network.state_dict() if "." in name}
    assert names == {"backbone.0", "head.2", "head.6"}
    image = torch.rand(1, 3, 64, 96)
    first, coarse, fine = (module.get_submodule("conv") for _, module in network.convolutions())
    with torch.inference_mode():
        maps = network(image).maps
        features = 2 * first(image)  # the shortcut adds its own input
        expected = fine(functional.interpolate(features, scale_factor=2)), coarse(features)
    assert [each.shape for each in maps] == [(1, 1, 4, 6, 6), (1, 1, 2, 3, 6)]
    for got, want in zip(maps, expected, strict=True):
        torch.testing.assert_close(got[0, 0].permute(2, 0, 1), want[0])


def test_centres_reach_beyond_their_cell_by_scale_x_y():
    network = DarknetNetwork(parse_cfg(SMALL)).eval()
    with torch.inference_mode():
        heads = network(torch.zeros(1, 3, 64, 64))
    scales = network.cells(heads).scale_xy[:, 0]
    assert scales.tolist() == pytest.approx([1.2] * 16 + [1.0] * 4)


def test_the_backbone_has_the_convolutions_of_table_1():
    backbone = darknet53(80).layers[:75]
    # 53 with the layer of its classifier, a convolution of stride 2 before each of five stages
    assert sum(isinstance(layer, Convolutional) for layer in backbone) == 52
    shortcuts = [at for at, layer in enumerate(backbone) if isinstance(layer, Shortcut)]
    strided = [at for at, layer in enumerate(backbone) if getattr(layer, "stride", 1) == 2]
    assert strided == [1, 5, 12, 37, 62]
    assert len(shortcuts) == 1 + 2 + 8 + 8 + 4
