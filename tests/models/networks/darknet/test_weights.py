"""`.weights` files: every value at its offset, and nothing else accepted."""

import struct

import numpy as np
import pytest
import torch
from darknet_files import CFG, CONVOLUTIONS, HEADER, arrays, weights_bytes, write_model

from kpviewer.errors import WeightsError
from kpviewer.models.networks.darknet.blocks import Yolo
from kpviewer.models.networks.darknet.cfg import parse_cfg
from kpviewer.models.networks.darknet.network import DarknetNetwork
from kpviewer.models.networks.darknet.weights import (
    check_size,
    load_weights,
    read_header,
    save_weights,
    start_from_darknet,
)

NORM = ("norm.bias", "norm.weight", "norm.running_mean", "norm.running_var", "conv.weight")
PLAIN = ("conv.bias", "conv.weight")
OLD_HEADER = struct.pack("<4i", 0, 1, 0, 640)


@pytest.fixture(scope="module")
def plain() -> DarknetNetwork:
    return DarknetNetwork(parse_cfg(CFG)).eval()


@pytest.mark.parametrize(("header", "seen"), [(HEADER, 32_013_312), (OLD_HEADER, 640)])
def test_every_tensor_has_the_values_at_its_offset(header, seen, tmp_path, plain):
    path = tmp_path / "small.weights"
    path.write_bytes(weights_bytes(header))
    check_size(path, plain.cfg, "small.cfg")
    load_weights(plain, path)
    assert plain.seen == seen
    state = plain.state_dict()
    for layer, parts in arrays().items():
        part = "backbone" if layer <= 6 else "head"
        names = NORM if len(parts) == 5 else PLAIN
        for name, values in zip(names, parts, strict=True):
            np.testing.assert_array_equal(state[f"{part}.{layer}.{name}"].numpy(), values)


def test_what_is_written_is_the_same_file(tmp_path, plain):
    write_model(tmp_path)
    load_weights(plain, tmp_path / "small.weights")
    save_weights(plain, tmp_path / "again.weights")
    assert (tmp_path / "again.weights").read_bytes() == weights_bytes()


def changed(at: int, value: bytes) -> bytes:
    data = bytearray(weights_bytes())
    data[at : at + len(value)] = value
    return bytes(data)


NAN = struct.pack("<f", float("nan"))
VARIANCE_OF_LAYER_0 = len(HEADER) + 4 * 3 * 8


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "too short for Darknet's weights"),
        (HEADER[:15], "too short for Darknet's weights"),
        (weights_bytes()[:-4], "4 bytes fewer than small.cfg describes"),
        (weights_bytes() + b"\0" * 12, "12 bytes more than small.cfg describes"),
        (changed(len(HEADER), NAN), "layer 0 has values that aren't numbers"),
        (changed(len(weights_bytes()) - 4, NAN), "layer 15 has values that aren't numbers"),
        (changed(VARIANCE_OF_LAYER_0, struct.pack("<f", -1)), "layer 0: a running variance is neg"),
    ],
)
def test_a_damaged_file_is_refused(data, message, tmp_path, plain):
    path = tmp_path / "small.weights"
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=message) as refusal:
        check_size(path, plain.cfg, "small.cfg")
        load_weights(plain, path)
    assert "\n" not in str(refusal.value)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(WeightsError, match="folder or a device"):
        read_header(tmp_path)


def other_classes() -> DarknetNetwork:
    """Return the network for three classes, whose last convolutions have more filters."""
    text = CFG.replace("filters=14", "filters=16").replace("classes=2", "classes=3")
    return DarknetNetwork(parse_cfg(text)).eval()


def bytes_up_to(layer: int) -> bytes:
    """Return the file with the layers before a number, as ``darknet partial`` writes it."""
    parts = [part for at, parts in arrays().items() if at < layer for part in parts]
    return HEADER + b"".join(part.tobytes() for part in parts)


@pytest.mark.parametrize(
    ("data", "filled", "unused"),
    [
        (bytes_up_to(5), 2, 0),
        (bytes_up_to(10), 4, 0),
        (weights_bytes(), 4, sum(part.size for at in (10, 15) for part in arrays()[at])),
    ],
    ids=["two", "backbone", "whole"],
)
def test_a_network_with_other_classes_starts_from_the_layers_before_its_heads(
    data, filled, unused, tmp_path
):
    path = tmp_path / "small.conv.10"
    path.write_bytes(data)
    network = other_classes()
    before = network.state_dict()["head.10.conv.weight"].clone()
    report = start_from_darknet(network, path)
    assert (report.filled, report.convolutions, report.unused) == (filled, 6, unused)
    state = network.state_dict()
    torch.testing.assert_close(state["head.10.conv.weight"], before, rtol=0, atol=0)
    given = [layer for layer, *_ in CONVOLUTIONS[:filled]]
    for layer in given:
        part = "backbone" if layer <= 6 else "head"
        stored = state[f"{part}.{layer}.conv.weight"].numpy()
        np.testing.assert_array_equal(stored, arrays()[layer][-1])


@pytest.mark.parametrize("size", [len(HEADER), len(HEADER) + 4 * 100, len(bytes_up_to(5)) + 4])
def test_a_start_that_ends_within_a_layer_is_refused(size, tmp_path):
    path = tmp_path / "other.conv.5"
    path.write_bytes(weights_bytes()[:size])
    with pytest.raises(WeightsError, match="no layer of this network ends there"):
        start_from_darknet(other_classes(), path)


def test_the_cfg_of_the_other_classes_differs_only_in_its_heads():
    yolos = [layer for layer in other_classes().cfg.layers if isinstance(layer, Yolo)]
    assert [each.classes for each in yolos] == [3, 3]
