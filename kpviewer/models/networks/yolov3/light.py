"""YOLOv3's heads on the backbone of light-ssd: a YOLOv3 that a CPU can train and run."""

import dataclasses

from torch import Tensor, nn

from kpviewer.models.networks.backbones.light import PYRAMID_CHANNELS, ConvUnit, PyramidBackbone
from kpviewer.models.networks.ssd.light_ssd import LIGHT_SPEC
from kpviewer.models.networks.yolov3.detector import YoloDetector
from kpviewer.models.networks.yolov3.heads import (
    BOX_VALUES,
    COCO_ANCHORS,
    YoloHeads,
    YoloNetwork,
    as_predictions,
    by_map,
    initialise_predictions,
)
from kpviewer.models.spec import ModelSpec

LIGHT_YOLO_SPEC = dataclasses.replace(LIGHT_SPEC, name="yolov3-light", architecture="yolov3-light")

_STRIDES = PyramidBackbone.strides[:3]
"""Strides of the maps that are used: YOLOv3 has three scales, the pyramid four."""


class LightYoloNetwork(YoloNetwork):
    """A pyramid backbone, and on each of three maps a 3x3 convolution and the predictions."""

    def __init__(self, num_classes: int) -> None:
        anchors = by_map(COCO_ANCHORS, len(_STRIDES))
        super().__init__(_STRIDES, anchors)
        self.backbone = PyramidBackbone()
        self._row = BOX_VALUES + num_classes
        inputs, width = PYRAMID_CHANNELS, 2 * PYRAMID_CHANNELS
        self.heads = nn.ModuleList(
            nn.Sequential(ConvUnit(inputs, width), nn.Conv2d(width, len(sizes) * self._row, 1))
            for sizes in anchors
        )
        for head in self.heads:
            assert isinstance(head, nn.Sequential)
            initialise_predictions(head[-1], self._row)

    def forward(self, images: Tensor) -> YoloHeads:
        """(B, 3, H, W) normalised RGB, sides multiples of 32 -> predictions of strides 8 to 32."""
        maps = self.backbone(images)[: len(self.heads)]
        return YoloHeads(
            [
                as_predictions(head(features), self._row)
                for head, features in zip(self.heads, maps, strict=True)
            ]
        )


def build_yolov3_light(spec: ModelSpec = LIGHT_YOLO_SPEC) -> YoloDetector:
    """Build the detector, with random weights and the anchors of COCO."""
    return YoloDetector(spec, LightYoloNetwork(len(spec.class_names)))
