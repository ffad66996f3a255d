"""Layers, counted by hand."""

from types import SimpleNamespace

import pytest
import torch
from click.testing import CliRunner
from torch import nn

from kpviewer.cli.main import main
from kpviewer.models.networks.ssd.face_ssd import build_face_ssd
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.runtime.summary import summarise


class Twice(nn.Module):
    """Network of a convolution, and a product with its own output outside any layer."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=False), nn.ReLU())
        self.last = nn.Linear(5, 2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        rows = self.body(images).flatten(2)  # (1, 4, 20)
        gram = rows @ rows.transpose(1, 2)  # (1, 4, 4)
        return self.last(self.last.weight.new_zeros(1, 5)) + gram.sum()


def test_counts_are_those_made_by_hand():
    summary = summarise(Twice().eval(), (8, 10))
    conv, relu, linear = summary.layers
    assert (conv.name, conv.kind, conv.output_shape) == ("body.0", "Conv2d", (1, 4, 4, 5))
    assert conv.parameters == 4 * 3 * 9
    assert conv.multiply_adds == 4 * 3 * 9 * 4 * 5
    assert (relu.parameters, relu.multiply_adds, relu.output_bytes) == (0, 0, 4 * 20 * 4)
    assert (linear.parameters, linear.multiply_adds) == (5 * 2 + 2, 5 * 2)
    assert summary.parameters == 108 + 12
    assert summary.weight_bytes == 120 * 4
    assert summary.multiply_adds == 2160 + 10 + 4 * 20 * 4  # with the product outside


def test_nothing_stays_on_the_network():
    network = Twice()
    summarise(network, (8, 10))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())  # noqa: SLF001


MODEL = "face-ssd"


def test_the_command_lists_layers_and_totals():
    result = CliRunner().invoke(main, ["summary", MODEL, "--size", "128x192"])
    assert result.exit_code == 0, result.output
    network = build_face_ssd().network
    total = sum(parameter.numel() for parameter in network.parameters())
    assert "backbone.stem.0" in result.stdout and "16x64x96" in result.stdout
    assert f"input 128x192: {total:,} parameters" in result.stdout


@pytest.mark.parametrize("size", ["128x", "0x64", "ax3", "64x64x3"])
def test_an_invalid_size_is_refused(size):
    result = CliRunner().invoke(main, ["summary", MODEL, "--size", size])
    assert result.exit_code == 2
    assert "HxW" in result.output


def test_an_unsupported_size_is_reported():
    result = CliRunner().invoke(main, ["summary", MODEL, "--size", "100x100"])
    assert result.exit_code == 4
    assert "multiples of its stride (32)" in result.output


def test_a_size_that_needs_too_much_memory_is_reported(monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("can't allocate memory.")

    monkeypatch.setattr("kpviewer.runtime.summary.summarise", fail)
    result = CliRunner().invoke(main, ["summary", "face-ssd", "--size", "640"])
    assert result.exit_code == 4
    assert "can't allocate memory. Try a smaller size." in result.stderr


def test_a_network_without_torch_layers_is_reported(monkeypatch):
    spec = ModelSpec("foreign", "onnx", Task.DETECT, ("face",), (8, 8))
    foreign = SimpleNamespace(spec=spec, network=nn.Identity())
    monkeypatch.setattr("kpviewer.models.loading.open_model", lambda _: foreign)
    result = CliRunner().invoke(main, ["summary", "foreign.onnx"])
    assert result.exit_code == 4
    assert "foreign has no layers of torch" in result.output
