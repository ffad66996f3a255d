"""The systems of the history, in the order of their papers. A new one is an entry here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from kpviewer.models.names.architectures import IMAGE_BACKBONES


@dataclass(frozen=True, slots=True)
class Family:
    """A detection system: what it is called, and how ``kpviewer train`` makes one."""

    key: str
    """Name on the command line, of the folder and in ``history.json``."""
    title: str
    year: int
    recipe: str
    """Recipe of ``kpviewer train``."""
    architectures: Mapping[str, str]
    start_key: Literal["init", "pretrained"]
    """Key of the recipe that names the weights to start from."""
    fixed: str
    """What it improved on the systems before it."""
    left: str
    """What it left to later systems."""
    changes: tuple[str, ...] = ()
    """``key=value`` changes to its recipe that the common budget needs."""


def _regional(key: str) -> dict[str, str]:
    return {backbone: f"{key}-{backbone}" for backbone in IMAGE_BACKBONES}


FAMILIES: Mapping[str, Family] = {
    family.key: family
    for family in (
        Family(
            "rcnn",
            "R-CNN",
            2014,
            "rcnn",
            _regional("rcnn"),
            "pretrained",
            "Learnt features instead of hand-made ones: a network reads the crop of each proposal.",
            "The backbone repeats its work for every proposal, though most of them overlap.",
            ("loss.rois=16",),  # crops of each image; 64, as the others have, take an hour more
        ),
        Family(
            "fast-rcnn",
            "Fast R-CNN",
            2015,
            "fast-rcnn",
            _regional("fast-rcnn"),
            "pretrained",
            "The backbone runs once an image, and RoI pooling cuts each proposal from its map; "
            "classes and boxes are learnt together.",
            "Selective search now takes most of the time, and it doesn't learn from its errors.",
        ),
        Family(
            "faster-rcnn",
            "Faster R-CNN",
            2015,
            "faster-rcnn",
            _regional("faster-rcnn"),
            "pretrained",
            "A small network on the same map proposes, and learns to: fewer and better proposals.",
            "The head still runs once for every proposal; one map of stride 16 serves all sizes.",
        ),
        Family(
            "rfcn",
            "R-FCN",
            2016,
            "rfcn",
            _regional("rfcn"),
            "pretrained",
            "The head is a convolution over the whole image; a proposal only averages a vote.",
            "Two stages remain, and one map of stride 16 serves all sizes.",
        ),
        Family(
            "ssd",
            "SSD",
            2016,
            "light-ssd",
            {"light": "light-ssd"},
            "init",
            "No proposals: anchors on maps of several strides are classified in one pass.",
            "Nearly all anchors are background, and fine maps see little context.",
        ),
        Family(
            "yolov3",
            "YOLOv3",
            2018,
            "yolov3",
            {"light": "yolov3-light"},
            "init",
            "One pass, three scales that share context, anchors from the data, an objectness that "
            "keeps the background out of the classes.",
            "Its boxes fit less closely, and it still needs NMS, as all before it do.",
        ),
    )
}
"""Systems by key."""
