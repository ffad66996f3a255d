"""The network of a Darknet `.cfg`, layer by layer.

Layers keep their number in Darknet, also in the names of their tensors: "backbone.5.conv.weight".
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from kpviewer.models.networks.darknet.blocks import (
    Activation,
    Convolutional,
    DarknetCfg,
    Layer,
    MaxPool,
    Route,
    Shortcut,
    Upsample,
)
from kpviewer.models.networks.darknet.cfg import cfg_text
from kpviewer.models.networks.darknet.shapes import (
    IMAGE,
    backbone_length,
    input_channels,
    layer_shapes,
    sources_of,
    yolo_maps,
)
from kpviewer.models.networks.yolov3.heads import (
    BOX_VALUES,
    YoloHeads,
    YoloNetwork,
    as_predictions,
    initialise_predictions,
)

BATCH_NORM_EPS = 1e-5
"""Added to the variance before its root, as both Darknets do on a GPU, in training too, and the
newer one in every detection. On a CPU the original adds 1e-6 after the root instead; for variances
over 0.01 the two differ by less than 0.05 %. OpenCV's reader adds 1e-6 before the root."""
_LEAK = 0.1
_ACTIVATIONS: Mapping[Activation, Callable[[], nn.Module]] = {
    Activation.LEAKY: lambda: nn.LeakyReLU(_LEAK, inplace=True),
    Activation.LINEAR: nn.Identity,
    Activation.LOGISTIC: nn.Sigmoid,
    Activation.MISH: lambda: nn.Mish(inplace=True),
    Activation.RELU: lambda: nn.ReLU(inplace=True),
    Activation.SWISH: lambda: nn.SiLU(inplace=True),
}


class DarknetConvolution(nn.Sequential):
    """``[convolutional]``: convolution, batch normalisation if requested, and activation."""

    def __init__(self, block: Convolutional, inputs: int) -> None:
        has_norm = bool(block.batch_normalize)
        parts: OrderedDict[str, nn.Module] = OrderedDict()
        parts["conv"] = nn.Conv2d(
            inputs, block.filters, block.size, block.stride, block.padding_px,
            block.dilation, block.groups, bias=not has_norm,
        )  # fmt: skip
        if has_norm:
            parts["norm"] = nn.BatchNorm2d(block.filters, BATCH_NORM_EPS)
        parts["activation"] = _ACTIVATIONS[block.activation]()
        super().__init__(parts)

    def stored(self) -> list[Tensor]:
        """Return the tensors in the order of a `.weights` file."""
        conv, norm = self.get_submodule("conv"), getattr(self, "norm", None)
        assert isinstance(conv, nn.Conv2d)
        if norm is None:
            assert conv.bias is not None
            return [conv.bias, conv.weight]
        return [norm.bias, norm.weight, norm.running_mean, norm.running_var, conv.weight]


class DarknetMaxPool(nn.Module):
    """``[maxpool]``: half of the padding, rounded down, is before the map, the rest after it."""

    def __init__(self, block: MaxPool) -> None:
        super().__init__()
        before = block.padding_px // 2
        after = block.padding_px - before
        self.sides = (before, after, before, after)
        # of an even map, halves need no padding
        self.is_half = (block.size_px, block.stride, after) == (2, 2, 1)
        self.pool = nn.MaxPool2d(block.size_px, block.stride, ceil_mode=self.is_half)

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, h, w)."""
        if not self.is_half and any(self.sides):
            features = functional.pad(features, self.sides, value=-torch.inf)
        pooled: Tensor = self.pool(features)
        return pooled


class DarknetUpsample(nn.Upsample):
    """``[upsample]``: each value becomes stride x stride of them."""

    def __init__(self, block: Upsample) -> None:
        super().__init__(scale_factor=block.stride, mode="nearest")


class DarknetRoute(nn.Module):
    """``[route]``: a part of each map, one after the other."""

    def __init__(self, block: Route) -> None:
        super().__init__()
        self.groups, self.group_id = block.groups, block.group_id

    def forward(self, *maps: Tensor) -> Tensor:
        """(B, C1, H, W), (B, C2, H, W), ... -> (B, (C1 + C2 + ...) / groups, H, W)."""
        parts = maps
        if self.groups > 1:
            parts = tuple(each.chunk(self.groups, 1)[self.group_id] for each in maps)
        return parts[0] if len(parts) == 1 else torch.cat(parts, 1)


class DarknetShortcut(nn.Module):
    """``[shortcut]``: the sum of maps, and an activation."""

    def __init__(self, block: Shortcut) -> None:
        super().__init__()
        self.activation = _ACTIVATIONS[block.activation]()

    def forward(self, first: Tensor, *others: Tensor) -> Tensor:
        """Maps of (B, C, H, W) -> (B, C, H, W)."""
        total = first
        for each in others:
            total = total + each
        activated: Tensor = self.activation(total)
        return activated


class LayerRun(nn.ModuleDict):
    """Layers that follow each other, by their numbers.

    Args:
        layers: number, module and sources of each.
        reads: numbers of the maps that ``forward`` takes.
        gives: numbers of the maps that it returns.
    """

    def __init__(
        self,
        layers: Sequence[tuple[int, nn.Module, tuple[int, ...]]],
        reads: Sequence[int],
        gives: Sequence[int],
    ) -> None:
        super().__init__({str(index): module for index, module, _ in layers})
        self._reads, self._gives = tuple(reads), tuple(gives)
        last_use = {source: index for index, _, sources in layers for source in sources}
        unused = [each for each in last_use if each not in self._gives]
        self._plan = [
            (index, sources, [each for each in unused if last_use[each] == index])
            for index, _, sources in layers
        ]

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Run the layers; maps that no later layer reads are let go."""
        held = dict(zip(self._reads, maps, strict=True))
        for index, sources, finished in self._plan:
            held[index] = self[str(index)](*(held[each] for each in sources))
            for each in finished:
                del held[each]
        return [held[each] for each in self._gives]


class DarknetNetwork(YoloNetwork):
    """The network of a cfg, with random weights.

    Args:
        cfg: the network; ``anchors_wh`` holds its anchors from here on.

    Raises:
        ValueError: if its layers don't fit together.
    """

    def __init__(self, cfg: DarknetCfg) -> None:
        maps = yolo_maps(cfg)
        super().__init__(
            [each.stride for each in maps],
            [each.sizes_wh for each in maps],
            [each.scale_xy for each in maps],
        )
        self.cfg = cfg
        self.seen = 0
        """Number of images seen in training, as Darknet's files count them."""
        self._row = BOX_VALUES + maps[0].classes
        outputs = [each.layer for each in maps]
        length = backbone_length(cfg)
        steps = _steps(cfg)
        used = {source for _, _, sources in steps[length:] for source in sources}
        shared = sorted(each for each in used | set(outputs) if IMAGE < each < length)
        self.backbone = LayerRun(steps[:length], (IMAGE,), shared)
        self.head = LayerRun(steps[length:], shared, outputs)
        for index, module in self.convolutions():
            if index in outputs and not hasattr(module, "norm"):
                initialise_predictions(module.get_submodule("conv"), self._row)

    @property
    def identity(self) -> str:
        """Text of the layers and of what each reads, which ``runtime.content`` hashes."""
        return cfg_text(self.cfg)

    def forward(self, images: Tensor) -> YoloHeads:
        """(B, 3, H, W) RGB in [0, 1] -> predictions, fine to coarse."""
        outputs = self.head(self.backbone([images]))
        return YoloHeads([as_predictions(each, self._row) for each in outputs])

    def convolutions(self) -> Iterator[tuple[int, DarknetConvolution]]:
        """Yield the convolutions with their numbers, in Darknet's order."""
        for name, module in [*self.backbone.items(), *self.head.items()]:
            if isinstance(module, DarknetConvolution):
                yield int(name), module


def _steps(cfg: DarknetCfg) -> list[tuple[int, nn.Module, tuple[int, ...]]]:
    """Return number, module and sources of each layer but ``[yolo]``."""
    channels = input_channels(cfg, layer_shapes(cfg, (cfg.net.height, cfg.net.width)))
    steps = []
    for index, (layer, inputs) in enumerate(zip(cfg.layers, channels, strict=True)):
        sources = sources_of(cfg.layers, index)
        if (module := _module(layer, inputs)) is not None:
            steps.append((index, module, sources))
    return steps


def _module(layer: Layer, inputs: int) -> nn.Module | None:
    match layer:
        case Convolutional():
            return DarknetConvolution(layer, inputs)
        case MaxPool():
            return DarknetMaxPool(layer)
        case Upsample():
            return DarknetUpsample(layer)
        case Route():
            return DarknetRoute(layer)
        case Shortcut():
            return DarknetShortcut(layer)
    return None
