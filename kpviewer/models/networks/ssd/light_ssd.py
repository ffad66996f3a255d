"""A light SSD for objects of any kind, which takes its classes from the data.

It can be trained from scratch on a CPU.
"""

from kpviewer.models.networks.backbones.light import PYRAMID_CHANNELS, PyramidBackbone
from kpviewer.models.networks.ssd.anchors import MapAnchors, aspect_sizes
from kpviewer.models.networks.ssd.detector import AnchorOutputs, SsdDetector, SsdNetwork
from kpviewer.models.spec import ModelSpec, Resize, Task

_RATIOS = (1, 2, 1 / 2)
"""Ratios of width to height."""

LIGHT_SPEC = ModelSpec(
    name="light-ssd",
    architecture="light-ssd",
    task=Task.DETECT,
    class_names=("object",),
    input_hw=(320, 320),
    resize=Resize.AREA,
    stride=32,
)

# sides grow by about 1.45: a box between two of them has an IoU of at least 0.69 with one
LIGHT_MAPS = tuple(
    MapAnchors(stride, aspect_sizes(sides, _RATIOS))
    for stride, sides in ((8, (18, 26)), (16, (38, 55)), (32, (80, 116)), (64, (168, 244)))
)


def build_light_ssd(spec: ModelSpec = LIGHT_SPEC) -> SsdDetector:
    """Build the detector, with random weights."""
    network = SsdNetwork(
        PyramidBackbone(),
        (PYRAMID_CHANNELS,) * len(LIGHT_MAPS),
        LIGHT_MAPS,
        AnchorOutputs(len(spec.class_names), len(spec.keypoint_names)),
    )
    return SsdDetector(spec, network)
