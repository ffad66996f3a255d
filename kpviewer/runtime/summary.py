"""What a network is made of: layers, shapes, parameters, multiply-adds, memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True, slots=True)
class Layer:
    """One call of a module that has no modules of its own."""

    name: str
    """Its path in the network."""
    kind: str
    output_shape: tuple[int, ...]
    """() where it gives no tensor."""
    parameters: int
    multiply_adds: int
    """Of convolutions and matrix products, as torch counts them; 0 for everything else."""
    output_bytes: int


@dataclass(frozen=True, slots=True)
class Summary:
    """A network on one image."""

    input_hw: tuple[int, int]
    layers: tuple[Layer, ...]
    """In the order of the calls; a module that is called twice stands there twice."""
    parameters: int
    weight_bytes: int
    """Parameters and buffers, as they lie in memory."""
    multiply_adds: int
    """Of the whole network; more than the sum over the layers where it computes outside of them."""

    @property
    def activation_bytes(self) -> int:
        """Outputs of all layers together: what training keeps; inference needs less."""
        return sum(layer.output_bytes for layer in self.layers)


def summarise(network: nn.Module, input_hw: tuple[int, int]) -> Summary:
    """Run a network once on a blank image, and write down what it does.

    Args:
        network: on the CPU, in evaluation mode; takes (1, 3, H, W) float.
        input_hw: height and width of the image, px.
    """
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

    names = {module: name for name, module in network.named_modules() if _is_leaf(module)}
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


def _is_leaf(module: nn.Module) -> bool:
    return next(module.children(), None) is None


def _tensors(network: nn.Module) -> Iterator[Tensor]:
    yield from network.parameters()
    yield from network.buffers()
