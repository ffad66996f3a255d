"""Names of the region-based detectors: a system on a backbone, such as "faster-rcnn-light"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from kpviewer.models.names.architectures import IMAGE_BACKBONES
from kpviewer.models.networks.backbones.image import build_stride_16_backbone
from kpviewer.models.spec import ModelSpec, Resize, Task

if TYPE_CHECKING:
    from kpviewer.models.networks.regions.detector import RegionDetector
    from kpviewer.models.networks.regions.network import RegionNetwork

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
    """Build the detector of one of SYSTEMS on a backbone, with random weights."""
    # torchvision takes seconds to import
    from kpviewer.models.networks.regions import compositions  # noqa: PLC0415
    from kpviewer.models.networks.regions.detector import RegionDetector  # noqa: PLC0415

    systems: Mapping[str, Callable[..., RegionNetwork]] = {
        "rcnn": compositions.RCnn,
        "fast-rcnn": compositions.FastRCnn,
        "faster-rcnn": compositions.FasterRCnn,
        "rfcn": compositions.RFcn,
    }
    layers, channels = build_stride_16_backbone(backbone)
    return RegionDetector(spec, systems[system](spec, layers, channels))


REGION_ARCHITECTURES: Mapping[str, Callable[[ModelSpec], RegionDetector]] = {
    f"{system}-{backbone}": partial(build_regions, system=system, backbone=backbone)
    for system in SYSTEMS
    for backbone in IMAGE_BACKBONES
}
"""Builders by architecture: "rcnn-light", "faster-rcnn-resnet18" ..."""
