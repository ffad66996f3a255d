"""Detectors of the published Darknet networks, for training and for `.safetensors` files."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from kpviewer.models.networks.darknet.blocks import DarknetCfg
from kpviewer.models.networks.darknet.network import DarknetNetwork
from kpviewer.models.networks.darknet.standard import DEFAULT_SIDE, STANDARD
from kpviewer.models.networks.yolov3.detector import YoloDetector
from kpviewer.models.spec import ModelSpec, Sampling, Task

GREY = (128, 128, 128)
"""Colour around a letterboxed image: Darknet's is 0.5."""

DARKNET53_SPEC = ModelSpec(
    name="yolov3-darknet53",
    architecture="yolov3-darknet53",
    task=Task.DETECT,
    class_names=("object",),
    input_hw=(DEFAULT_SIDE, DEFAULT_SIDE),
    stride=32,
    sampling=Sampling.LINEAR,
    mean=(0.0, 0.0, 0.0),  # Darknet's files know no other normalisation than RGB in [0, 1]
    std=(1.0, 1.0, 1.0),
    padding=GREY,
)
TINY_SPEC = replace(DARKNET53_SPEC, name="yolov3-tiny", architecture="yolov3-tiny")


def _build(spec: ModelSpec, network: Callable[[int], DarknetCfg]) -> YoloDetector:
    return YoloDetector(spec, DarknetNetwork(network(len(spec.class_names))))


DARKNET_ARCHITECTURES: Mapping[str, Callable[[ModelSpec], YoloDetector]] = {
    name: partial(_build, network=network) for name, network in STANDARD.items()
}
"""Builders by architecture, with random weights and the anchors of COCO."""
