"""Names of the region-based detectors: a system on a backbone, such as "faster-rcnn-light"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from kpviewer.models.architecture_names import IMAGE_BACKBONES
from kpviewer.models.backbones.image import build_stride_16_backbone
from kpviewer.models.spec import ModelSpec, Resize, Task

if TYPE_CHECKING:
    from kpviewer.models.regions.detector import RegionDetector

SYSTEMS = ("rcnn", "fast-rcnn", "faster-rcnn", "rfcn")
"""Names of the systems, in the order of their invention."""

REGION_SPEC = ModelSpec(
    name="faster-rcnn",
    architecture="faster-rcnn-light",
    task=Task.DETECT,
    class_names=("object",),
    input_hw=(320, 320),
    resize=Resize.AREA,
    stride=32,
)
"""Description of a model before training; the classes are those of the data."""


def build_regions(spec: ModelSpec, system: str, backbone: str) -> RegionDetector:
    """Build a detector, with random weights.

    Args:
        spec: description, whose number of classes shapes the head.
        system: one of SYSTEMS.
        backbone: one of ``models.architecture_names.IMAGE_BACKBONES``.
    """
    # torchvision takes seconds to import
    from kpviewer.models.regions.detector import RegionDetector  # noqa: PLC0415
    from kpviewer.models.regions.fast_rcnn import FastRCnn  # noqa: PLC0415
    from kpviewer.models.regions.faster_rcnn import FasterRCnn  # noqa: PLC0415
    from kpviewer.models.regions.rcnn import RCnn  # noqa: PLC0415
    from kpviewer.models.regions.rfcn import RFcn  # noqa: PLC0415

    compositions = {"rcnn": RCnn, "fast-rcnn": FastRCnn, "faster-rcnn": FasterRCnn, "rfcn": RFcn}
    layers, channels = build_stride_16_backbone(backbone)
    return RegionDetector(spec, compositions[system](spec, layers, channels))


REGION_ARCHITECTURES: Mapping[str, Callable[[ModelSpec], RegionDetector]] = {
    f"{system}-{backbone}": partial(build_regions, system=system, backbone=backbone)
    for system in SYSTEMS
    for backbone in IMAGE_BACKBONES
}
"""Builders by architecture: "rcnn-light", "faster-rcnn-resnet18" ..."""
