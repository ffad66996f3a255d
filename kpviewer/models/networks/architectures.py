"""All architectures that a model file may name."""

from collections.abc import Callable, Mapping

from kpviewer.models.base import Detector
from kpviewer.models.networks.darknet.architectures import DARKNET_ARCHITECTURES
from kpviewer.models.networks.grid import GRID_ARCHITECTURES
from kpviewer.models.networks.multilabel import MULTILABEL_ARCHITECTURES
from kpviewer.models.networks.points.network import POINT_ARCHITECTURES
from kpviewer.models.networks.regions.architectures import REGION_ARCHITECTURES
from kpviewer.models.networks.single_object import SINGLE_OBJECT_ARCHITECTURES
from kpviewer.models.networks.ssd.face_ssd import build_face_ssd
from kpviewer.models.networks.ssd.light_ssd import build_light_ssd
from kpviewer.models.networks.ssd.ssd300 import SSD300_ARCHITECTURES
from kpviewer.models.networks.yolov3.light import build_yolov3_light
from kpviewer.models.spec import ModelSpec

ARCHITECTURES: Mapping[str, Callable[[ModelSpec], Detector]] = {
    "face-ssd": build_face_ssd,
    "light-ssd": build_light_ssd,
    "yolov3-light": build_yolov3_light,
    **SSD300_ARCHITECTURES,
    **DARKNET_ARCHITECTURES,
    **GRID_ARCHITECTURES,
    **MULTILABEL_ARCHITECTURES,
    **POINT_ARCHITECTURES,
    **REGION_ARCHITECTURES,
    **SINGLE_OBJECT_ARCHITECTURES,
}
"""Builders of untrained detectors by architecture."""
