"""Shapes of a Darknet network's maps, and their limits, computed before anything is built."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from kpviewer.models.limits import MAX_OUTPUT_VALUES, check_input
from kpviewer.models.networks.darknet.blocks import (
    Convolutional,
    DarknetCfg,
    Layer,
    MaxPool,
    Route,
    Shortcut,
    Upsample,
    Yolo,
    section_of,
)

MAX_WEIGHTS = 2**29
"""Most weights of a network: 2 GiB."""
MAX_VALUES = 2**29
"""Most values of all maps together, 2 GiB; YOLOv4 has 173 million at 608 px."""
IMAGE = -1
"""Number of the image among the layers."""


class MapShape(NamedTuple):
    """Shape of a layer's output for one image."""

    channels: int
    height: int
    width: int


class YoloMap(NamedTuple):
    """Map of predictions of a network."""

    layer: int
    """Number of the layer that computes it, the one before ``[yolo]``."""
    stride: int
    """Input px per cell."""
    sizes_wh: tuple[tuple[float, float], ...]
    """Width and height of its anchors, input px."""
    scale_xy: float
    """Factor of the range of centres."""
    classes: int


def sources_of(layers: Sequence[Layer], index: int) -> tuple[int, ...]:
    """Return the numbers of the layers that a layer reads; IMAGE for the image.

    Raises:
        ValueError: if it reads itself, a later layer, or the output of a ``[yolo]``.
    """
    layer = layers[index]
    read: tuple[int, ...] = (index - 1,)
    if isinstance(layer, Route):
        read = tuple(_absolute(each, index) for each in layer.layers)
    elif isinstance(layer, Shortcut):
        read = (index - 1, *(_absolute(each, index) for each in layer.sources))
    for each in read:
        if not (0 <= each < index or each == index - 1):
            raise ValueError(f"{named(layers, index)} must read layers before it, got {each}")
        if each != IMAGE and isinstance(layers[each], Yolo):
            raise ValueError(f"{named(layers, index)} must not read {named(layers, each)}")
    return read


def layer_shapes(cfg: DarknetCfg, input_hw: tuple[int, int]) -> list[MapShape]:
    """Return the shape of each layer's output.

    Raises:
        ValueError: naming the first layer that doesn't fit, or is too large.
    """
    check_input(input_hw, None)
    shapes: list[MapShape] = []
    values = 0
    for index in range(len(cfg.layers)):
        read = sources_of(cfg.layers, index)
        inputs = [MapShape(3, *input_hw) if each == IMAGE else shapes[each] for each in read]
        try:
            shape = _shape(cfg.layers[index], inputs)
        except ValueError as error:
            raise ValueError(f"{named(cfg.layers, index)}: {error}") from error
        values += math.prod(shape)
        if math.prod(shape) > MAX_OUTPUT_VALUES or values > MAX_VALUES:
            raise ValueError(
                f"{named(cfg.layers, index)} has {shape.channels:,} maps of "
                f"{shape.width}x{shape.height}: too many values"
            )
        shapes.append(shape)
    return shapes


def input_channels(cfg: DarknetCfg, shapes: Sequence[MapShape]) -> list[int]:
    """Return the channels of the first map that each layer reads."""
    firsts = [sources_of(cfg.layers, index)[0] for index in range(len(cfg.layers))]
    return [3 if each == IMAGE else shapes[each].channels for each in firsts]


def weight_counts(cfg: DarknetCfg) -> list[int]:
    """Return the number of weights of each layer, as a `.weights` file has them.

    Raises:
        ValueError: if layers don't fit, or have more than MAX_WEIGHTS together.
    """
    channels = input_channels(cfg, layer_shapes(cfg, (cfg.net.height, cfg.net.width)))
    counts = []
    for layer, inputs in zip(cfg.layers, channels, strict=True):
        count = 0
        if isinstance(layer, Convolutional):
            kernel = inputs // layer.groups * layer.size**2
            count = layer.filters * (1 + 3 * layer.batch_normalize + kernel)
        counts.append(count)
    if sum(counts) > MAX_WEIGHTS:
        raise ValueError(f"it has {sum(counts):,} weights, at most {MAX_WEIGHTS:,}")
    return counts


def yolo_maps(cfg: DarknetCfg) -> list[YoloMap]:
    """Return the maps of predictions, fine to coarse.

    Raises:
        ValueError: if there is none, or they don't fit the layers before them or each other.
    """
    input_hw = cfg.net.height, cfg.net.width
    shapes = layer_shapes(cfg, input_hw)
    found = []
    for index, layer in enumerate(cfg.layers):
        if isinstance(layer, Yolo):
            try:
                found.append(_yolo_map(layer, index, shapes, input_hw))
            except ValueError as error:
                raise ValueError(f"{named(cfg.layers, index)}: {error}") from error
    if not found:
        raise ValueError("it has no [yolo] layer, so it isn't a detector of YOLOv3's kind")
    if len({each.classes for each in found}) > 1:
        raise ValueError("its [yolo] layers must have the same number of classes")
    if len({len(each.sizes_wh) for each in found}) > 1:
        raise ValueError("the masks of its [yolo] layers must have the same number of anchors")
    return sorted(found, key=lambda each: each.stride)


def backbone_length(cfg: DarknetCfg) -> int:
    """Return the number of layers that are the backbone, from the first on.

    It ends with the last ``[shortcut]`` before the first ``[yolo]``, as Darknet-53 does; without
    one, with the convolution of most filters, as that of tiny networks does.

    Raises:
        ValueError: if no layer before the first ``[yolo]`` is a convolution.
    """
    kinds = [type(layer) for layer in cfg.layers]
    before = cfg.layers[: kinds.index(Yolo)] if Yolo in kinds else cfg.layers
    shortcuts = [index for index, layer in enumerate(before) if isinstance(layer, Shortcut)]
    filters = [layer.filters if isinstance(layer, Convolutional) else 0 for layer in before]
    if not any(filters):
        raise ValueError("it must have a [convolutional] layer before the first [yolo]")
    return 1 + (shortcuts[-1] if shortcuts else filters.index(max(filters)))


def named(layers: Sequence[Layer], index: int) -> str:
    """Return the name of a layer for messages."""
    return f"layer {index} [{section_of(layers[index])}]"


def _absolute(index: int, reader: int) -> int:
    return index if index >= 0 else reader + index


def _shape(layer: Layer, inputs: Sequence[MapShape]) -> MapShape:
    first = inputs[0]
    match layer:
        case Convolutional():
            return _convolved(layer, first)
        case MaxPool():
            if layer.padding_px >= layer.size_px:
                raise ValueError(f"padding must be below size={layer.size_px}")
            return MapShape(
                first.channels, *_slid(first, layer.size_px, layer.padding_px, layer.stride)
            )
        case Upsample():
            factor = layer.stride
            return MapShape(first.channels, first.height * factor, first.width * factor)
        case Route():
            return _routed(layer, inputs)
        case Shortcut():
            for other in inputs[1:]:
                if other != first:
                    raise ValueError(f"its maps must be of one shape, got {first} and {other}")
            return first
        case Yolo():
            return first


def _convolved(layer: Convolutional, shape: MapShape) -> MapShape:
    if shape.channels % layer.groups or layer.filters % layer.groups:
        raise ValueError(
            f"groups={layer.groups} must divide {shape.channels} channels and "
            f"filters={layer.filters}"
        )
    window = layer.dilation * (layer.size - 1) + 1
    return MapShape(layer.filters, *_slid(shape, window, 2 * layer.padding_px, layer.stride))


def _routed(layer: Route, inputs: Sequence[MapShape]) -> MapShape:
    first = inputs[0]
    for other in inputs:
        if other[1:] != first[1:]:
            raise ValueError(
                f"its maps must be of one size, got {first.width}x{first.height} and "
                f"{other.width}x{other.height}; are width and height multiples of 32?"
            )
        if other.channels % layer.groups or layer.group_id >= layer.groups:
            raise ValueError(
                f"{other.channels} channels have no part {layer.group_id} of {layer.groups}"
            )
    return MapShape(sum(each.channels // layer.groups for each in inputs), *first[1:])


def _slid(shape: MapShape, window: int, padding: int, stride: int) -> tuple[int, int]:
    """Return height and width of the map that a sliding window computes."""
    height = (shape.height + padding - window) // stride + 1
    width = (shape.width + padding - window) // stride + 1
    if min(height, width) < 1:
        raise ValueError(f"a map of {shape.width}x{shape.height} is smaller than its window")
    return height, width


def _yolo_map(
    layer: Yolo, index: int, shapes: Sequence[MapShape], input_hw: tuple[int, int]
) -> YoloMap:
    sizes_wh = layer.sizes_wh()
    shape, filters = shapes[index], len(sizes_wh) * (5 + layer.classes)
    if shape.channels != filters:
        raise ValueError(
            f"{len(sizes_wh)} anchors and {layer.classes} classes require filters={filters} in the "
            f"layer before, got {shape.channels}"
        )
    stride = input_hw[0] // shape.height
    if (shape.height * stride, shape.width * stride) != input_hw:
        raise ValueError(
            f"an input of {input_hw[1]}x{input_hw[0]} px doesn't divide into "
            f"{shape.width}x{shape.height} cells; are width and height multiples of 32?"
        )
    return YoloMap(index - 1, stride, sizes_wh, layer.scale_x_y, layer.classes)
