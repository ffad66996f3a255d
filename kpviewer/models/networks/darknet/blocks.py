"""Blocks of a Darknet network, as the sections of a `.cfg` file describe them.

Names and defaults are Darknet's (src/parser.c); only keys that change the network's output are
here. Ranges are far above what real networks have, as in ``models.limits``.
"""

from enum import StrEnum
from typing import Annotated, TypeAlias

from msgspec import Meta, Struct, field

from kpviewer.models.limits import MAX_CLASSES, Side

MAX_LAYERS = 1_000
Filters: TypeAlias = Annotated[int, Meta(ge=1, le=65_536)]
Kernel: TypeAlias = Annotated[int, Meta(ge=1, le=31)]
Stride: TypeAlias = Annotated[int, Meta(ge=1, le=32)]
Padding: TypeAlias = Annotated[int, Meta(ge=0, le=30)]
Flag: TypeAlias = Annotated[int, Meta(ge=0, le=1)]
Index: TypeAlias = Annotated[int, Meta(ge=-MAX_LAYERS, lt=MAX_LAYERS)]
"""Number of a layer; negative ones count back from the layer that reads it."""
Indices: TypeAlias = Annotated[tuple[Index, ...], Meta(min_length=1, max_length=32)]
AnchorIndex: TypeAlias = Annotated[int, Meta(ge=0, lt=1_000)]
AnchorSide: TypeAlias = Annotated[float, Meta(gt=0, le=1e6)]


class Activation(StrEnum):
    """Function after a layer."""

    LEAKY = "leaky"
    LINEAR = "linear"
    LOGISTIC = "logistic"
    MISH = "mish"
    RELU = "relu"
    SWISH = "swish"


class Net(Struct, frozen=True):
    """``[net]``: the network's input."""

    width: Side
    height: Side
    channels: Annotated[int, Meta(ge=1, le=1_000)] = 3
    letter_box: Flag | None = None
    """1: images keep their proportions; 0: they are stretched; None: the cfg doesn't say."""


class Convolutional(Struct, frozen=True):
    """``[convolutional]``: convolution, batch normalisation if requested, and activation."""

    batch_normalize: Flag = 0
    filters: Filters = 1
    size: Kernel = 1
    stride: Stride = 1
    pad: Flag = 0
    """1: padding of half the kernel, whatever ``padding`` is."""
    padding: Padding = 0
    dilation: Stride = 1
    groups: Filters = 1
    activation: Activation = Activation.LOGISTIC

    @property
    def padding_px(self) -> int:
        """Padding on each side."""
        return self.size // 2 if self.pad else self.padding


class MaxPool(Struct, frozen=True):
    """``[maxpool]``: maximum over windows; the padding, in all, never wins."""

    stride: Stride = 1
    size: Kernel | None = None
    """None: the stride."""
    padding: Padding | None = None
    """Padding of both sides together, half of it, rounded down, before; None: size - 1."""

    @property
    def size_px(self) -> int:
        """Side of the window."""
        return self.stride if self.size is None else self.size

    @property
    def padding_px(self) -> int:
        """Padding of both sides together."""
        return self.size_px - 1 if self.padding is None else self.padding


class Upsample(Struct, frozen=True):
    """``[upsample]``: each value becomes stride x stride of them."""

    stride: Stride = 2


class Route(Struct, frozen=True):
    """``[route]``: the maps of other layers, one after the other."""

    layers: Indices
    groups: Annotated[int, Meta(ge=1, le=64)] = 1
    """Number of equal parts that the channels of each map are split into."""
    group_id: Annotated[int, Meta(ge=0, lt=64)] = 0
    """Part that is taken."""


class Shortcut(Struct, frozen=True):
    """``[shortcut]``: the sum of the last map and those of other layers."""

    sources: Indices = field(name="from")
    activation: Activation = Activation.LINEAR


class Yolo(Struct, frozen=True):
    """``[yolo]``: the last map is predictions, for some of the anchors."""

    anchors: Annotated[tuple[AnchorSide, ...], Meta(min_length=2, max_length=2_000)]
    """Width and height of each anchor, input px."""
    classes: Annotated[int, Meta(ge=1, le=MAX_CLASSES)] = 20
    num: Annotated[int, Meta(ge=1, le=1_000)] = 1
    """Number of anchors."""
    mask: Annotated[tuple[AnchorIndex, ...], Meta(min_length=1, max_length=100)] | None = None
    """Anchors of this map; None: all."""
    ignore_thresh: Annotated[float, Meta(ge=0, le=1)] = 0.5
    """IoU with an object from which a prediction isn't trained as background."""
    scale_x_y: Annotated[float, Meta(ge=1, le=4)] = 1.0
    """Factor of the range of centres: s * sigmoid(t) - (s - 1) / 2 cells."""

    def sizes_wh(self) -> tuple[tuple[float, float], ...]:
        """Return the anchors of this map, input px.

        Raises:
            ValueError: if there aren't ``num`` anchors, or ``mask`` names others.
        """
        pairs = tuple(zip(self.anchors[::2], self.anchors[1::2], strict=False))
        if len(self.anchors) != 2 * self.num:
            raise ValueError(
                f"anchors must have two values for each of num={self.num}, got {len(self.anchors)}"
            )
        chosen = range(self.num) if self.mask is None else self.mask
        if max(chosen) >= self.num:
            raise ValueError(f"mask must name anchors 0 to {self.num - 1}, got {max(chosen)}")
        return tuple(pairs[index] for index in chosen)


Layer: TypeAlias = Convolutional | MaxPool | Upsample | Route | Shortcut | Yolo

SECTIONS: dict[str, type[Layer]] = {
    "convolutional": Convolutional,
    "conv": Convolutional,
    "maxpool": MaxPool,
    "max": MaxPool,
    "upsample": Upsample,
    "route": Route,
    "shortcut": Shortcut,
    "yolo": Yolo,
}
"""Types of layers by the names of their sections."""


class DarknetCfg(Struct, frozen=True):
    """A whole `.cfg` file."""

    net: Net
    layers: tuple[Layer, ...]
    ignored: tuple[str, ...] = ()
    """Keys that kpviewer doesn't know, such as those of a fork, as "[section] key"."""


def section_of(layer: Layer) -> str:
    """Return the name of a layer's section."""
    return type(layer).__name__.lower()
