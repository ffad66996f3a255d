"""The published networks, as blocks: YOLOv3 on Darknet-53, and YOLOv3-tiny.

Source: Redmon & Farhadi 2018, YOLOv3 (arXiv:1804.02767), table 1, and the authors' yolov3.cfg and
yolov3-tiny.cfg.
"""

from collections.abc import Callable, Mapping
from itertools import chain

from kpviewer.models.networks.darknet.blocks import (
    Activation,
    Convolutional,
    DarknetCfg,
    Layer,
    MaxPool,
    Net,
    Route,
    Shortcut,
    Upsample,
    Yolo,
)
from kpviewer.models.networks.yolov3.heads import COCO_ANCHORS, Sizes

TINY_ANCHORS: Sizes = ((10, 14), (23, 27), (37, 58), (81, 82), (135, 169), (344, 319))
"""Clusters of COCO's boxes of yolov3-tiny.cfg, at 416 px."""
DEFAULT_SIDE = 416
_IGNORE = 0.7
"""IoU from which predictions aren't trained as background, in both cfgs; 0.5 in the paper."""


def darknet53(num_classes: int) -> DarknetCfg:
    """Return YOLOv3: maps at strides 32, 16 and 8 on Darknet-53, with the anchors of COCO."""
    layers: list[Layer] = [_conv(32, 3)]
    for width, blocks in ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4)):
        layers.append(_conv(width, 3, 2))
        for _ in range(blocks):
            layers += [_conv(width // 2, 1), _conv(width, 3), Shortcut((-3,))]
    skips = {512: 61, 256: 36}  # the last maps of strides 16 and 8
    for level, width in enumerate((1024, 512, 256)):
        if width in skips:
            layers += [Route((-4,)), _conv(width // 2, 1), Upsample(), Route((-1, skips[width]))]
        layers += [_conv(width // 2, 1), _conv(width, 3)] * 3
        layers += _predictions(num_classes, COCO_ANCHORS, 3, 2 - level)
    return DarknetCfg(Net(DEFAULT_SIDE, DEFAULT_SIDE), tuple(layers))


def tiny(num_classes: int, anchors: Sizes = TINY_ANCHORS, side: int = DEFAULT_SIDE) -> DarknetCfg:
    """Return YOLOv3-tiny: maps at strides 32 and 16 on seven convolutions.

    Args:
        num_classes: number of classes C.
        anchors: six anchors, input px, three for each map, fine to coarse.
        side: width and height of the input, px; a multiple of 32.
    """
    layers: list[Layer] = []
    for width in (16, 32, 64, 128, 256):
        layers += [_conv(width, 3), MaxPool(2, 2)]
    layers += [_conv(512, 3), MaxPool(1, 2), _conv(1024, 3), _conv(256, 1), _conv(512, 3)]
    layers += _predictions(num_classes, anchors, 2, 1)
    layers += [Route((-4,)), _conv(128, 1), Upsample(), Route((-1, 8)), _conv(256, 3)]
    layers += _predictions(num_classes, anchors, 2, 0)
    return DarknetCfg(Net(side, side), tuple(layers))


def _conv(filters: int, size: int, stride: int = 1) -> Convolutional:
    return Convolutional(
        batch_normalize=1,
        filters=filters,
        size=size,
        stride=stride,
        pad=1,
        activation=Activation.LEAKY,
    )


def _predictions(num_classes: int, anchors: Sizes, maps: int, level: int) -> list[Layer]:
    """Return the last convolution of a map and its ``[yolo]``; level 0 is the finest."""
    each = len(anchors) // maps
    convolution = Convolutional(
        filters=each * (5 + num_classes), pad=1, activation=Activation.LINEAR
    )
    sides = tuple(map(float, chain.from_iterable(anchors)))
    mask = tuple(range(each * level, each * (level + 1)))
    return [convolution, Yolo(sides, num_classes, len(anchors), mask, _IGNORE)]


STANDARD: Mapping[str, Callable[[int], DarknetCfg]] = {
    "yolov3-darknet53": darknet53,
    "yolov3-tiny": tiny,
}
"""Networks by architecture, as functions of the number of classes."""
