"""Summary of a network: layers, shapes, parameters, multiply-adds, memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True, slots=True)
class Layer:
    """One call of a module without submodules."""

    name: str
    """Path of the module in the network."""
    kind: str
    """Name of the module's class."""
    output_shape: tuple[int, ...]
    """Shape of the output; () if it isn't a tensor."""
    parameters: int
    multiply_adds: int
    """Number of multiply-adds of convolutions and matrix products; 0 for everything else."""
    output_bytes: int


@dataclass(frozen=True, slots=True)
class Summary:
    """Summary of a network on one image."""

    input_hw: tuple[int, int]
    """Height and width of the image, px."""
    layers: tuple[Layer, ...]
    """Layers in the order of the calls; a module called twice appears twice."""
    parameters: int
    weight_bytes: int
    """Size of parameters and buffers in memory, bytes."""
    multiply_adds: int
    """Number of multiply-adds; exceeds the sum over the layers if others compute too."""

    @property
    def activation_bytes(self) -> int:
        """Size of all layers' outputs, bytes: training keeps them all, inference fewer."""
        return sum(layer.output_bytes for layer in self.layers)


def summarise(network: nn.Module, input_hw: tuple[int, int]) -> Summary:
    """Run a network once on a blank image and return its summary."""
    layers: list[Layer] = []
    counter = FlopCounterMode(display=False)
    before: list[int] = []

    def note_start(_module: nn.Module, _given: Any) -> None:
        before.append(counter.get_total_flops())

    def note(module: nn.Module, _given: Any, output: Any) -> None:
        tensor = output if isinstance(output, Tensor) else None
        layers.append(
            Layer(
                names[module],
                type(module).__name__,
                () if tensor is None else tuple(tensor.shape),
                sum(parameter.numel() for parameter in module.parameters()),
                (counter.get_total_flops() - before.pop()) // 2,
                0 if tensor is None else tensor.numel() * tensor.element_size(),
            )
        )

    names = {each: name for name, each in network.named_modules() if not list(each.children())}
    hooks = [module.register_forward_pre_hook(note_start) for module in names]
    hooks += [module.register_forward_hook(note) for module in names]
    try:
        with torch.no_grad(), counter:
            network(torch.zeros(1, 3, *input_hw))
    finally:
        for hook in hooks:
            hook.remove()
    return Summary(
        input_hw,
        tuple(layers),
        sum(parameter.numel() for parameter in network.parameters()),
        sum(tensor.numel() * tensor.element_size() for tensor in _tensors(network)),
        counter.get_total_flops() // 2,
    )


def _tensors(network: nn.Module) -> Iterator[Tensor]:
    yield from network.parameters()
    yield from network.buffers()
