"""The shipped face detector: boxes and five landmarks, small enough for a laptop's CPU."""

from kpviewer.models.networks.backbones.light import PYRAMID_CHANNELS, PyramidBackbone
from kpviewer.models.networks.points.refiner import PointRefiner
from kpviewer.models.networks.ssd.anchors import MapAnchors
from kpviewer.models.networks.ssd.detector import AnchorOutputs, SsdDetector, SsdNetwork
from kpviewer.models.spec import ModelSpec, Resize, Task

_ASPECT = 1.25
"""Height over width of an upright face's box, from hairline to chin and ear to ear."""

_TEMPLATE = ((-0.36, -0.395), (0.36, -0.395), (0.0, 0.02), (-0.295, 0.385), (0.295, 0.385))
"""Mean shape of the five landmarks, eyes 0.72 apart, so that a window spans ear to ear."""

FACE_SPEC = ModelSpec(
    name="face-ssd",
    architecture="face-ssd",
    task=Task.DETECT_KEYPOINTS,
    class_names=("face",),
    keypoint_names=("left_eye", "right_eye", "nose", "left_mouth", "right_mouth"),
    mirrored_keypoints=(1, 0, 2, 4, 3),
    input_hw=(256, 448),
    resize=Resize.AREA,
    stride=32,
    licence="GPL-3.0-or-later; see the card for the terms of the training data",
)


def _square_ish(*sides: float) -> tuple[tuple[float, float], ...]:
    """Return width and height of face-shaped boxes with the areas of squares of ``sides`` px."""
    return tuple((side / _ASPECT**0.5, side * _ASPECT**0.5) for side in sides)


FACE_MAPS = (
    MapAnchors(8, _square_ish(10, 16, 26)),
    MapAnchors(16, _square_ish(40, 62)),
    MapAnchors(32, _square_ish(96, 140)),
    MapAnchors(64, _square_ish(200, 280)),
)


def build_face_ssd(spec: ModelSpec = FACE_SPEC) -> SsdDetector:
    """Build the detector, with random weights."""
    network = SsdNetwork(
        PyramidBackbone(),
        (PYRAMID_CHANNELS,) * len(FACE_MAPS),
        FACE_MAPS,
        AnchorOutputs(len(spec.class_names), len(spec.keypoint_names)),
    )
    if len(spec.keypoint_names) == len(_TEMPLATE):
        network.point_refiner = PointRefiner(_TEMPLATE)
    return SsdDetector(spec, network)
