"""Keypoint models that read crops: of a detector's boxes, or the whole image.

``runtime.top_down`` cuts the crops and runs both models, each on its own backend. Nothing here
needs torch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kpviewer.models.base import AnyDetector
from kpviewer.models.names.models import TWO_STAGE
from kpviewer.models.spec import ModelSpec, Resize, Sampling, Task
from kpviewer.structures import NmsKind, Shape

LARGEST_HW = (2160, 3840)
"""Images above this size are shrunk first, px."""


@dataclass(frozen=True, eq=False)
class TopDownNetwork:
    """Both models of a ``TopDownDetector``, each with its own network."""

    reader: AnyDetector
    """Reads the keypoints of one object in a crop; its input is the crop."""
    boxes: AnyDetector | None
    """Finds the objects; None: the whole image is one."""
    margin: float | None
    """Side of a crop over that of its box, for a model that kpviewer trained; None: crops are those
    of OpenMMLab."""

    @property
    def stages(self) -> Sequence[AnyDetector]:
        """Both models."""
        return (self.reader,) if self.boxes is None else (self.reader, self.boxes)

    def modules(self) -> Iterator[Any]:
        """Yield the layers of both, where they are networks of torch."""
        for each in self.stages:
            yield from getattr(each.network, "modules", tuple)()


class TopDownDetector:
    """Keypoint model for crops, on the boxes of a detector or on whole images.

    Args:
        reader: reads keypoints in crops.
        boxes: finds the objects; None: the whole image is one.
        margin: side of a crop over that of its box; None: crops are those of OpenMMLab.
    """

    def __init__(
        self, reader: AnyDetector, boxes: AnyDetector | None = None, margin: float | None = None
    ) -> None:
        self.spec = _spec(reader.spec, boxes.spec if boxes is not None else None)
        self.network: Any = TopDownNetwork(reader, boxes, margin)  # neither of torch nor one graph
        own = [getattr(each, "shipped_name", None) for each in (boxes, reader)]
        self.shipped_name = None if None in own else f"{TWO_STAGE}{own[0]}+{own[1]}"

    @property
    def has_nan(self) -> bool:
        """Whether outputs of one of both, if it is a file, had no numbers."""
        return any(getattr(each, "has_nan", False) for each in self.network.stages)

    def decode(self, raw: Any, input_hw: tuple[int, int]) -> Any:
        """Return the output of ``runtime.top_down``, which decodes that of both models."""
        return raw


def read_classes(boxes: ModelSpec, reader: ModelSpec) -> frozenset[int] | None:
    """Return the classes of a detector whose objects are read: the reader's own; None: all."""
    own = [index for index, name in enumerate(boxes.class_names) if name in reader.class_names]
    return frozenset(own) or None


def _spec(reader: ModelSpec, boxes: ModelSpec | None) -> ModelSpec:
    """Describe both models as one that takes images of their own size."""
    common: dict[str, Any] = {
        "input_hw": LARGEST_HW,
        "resize": Resize.NONE,
        "sampling": Sampling.LINEAR,
        "content_hw": None,
        "whole_input": False,
        "stride": 1,
        "mean": (0.0, 0.0, 0.0),
        "std": (1.0, 1.0, 1.0),
        "padding": (0, 0, 0),
        "activation_ranges": (),
    }
    if boxes is None:
        return replace(reader, task=Task.DETECT_KEYPOINTS, nms=NmsKind.NONE, **common)
    notes = boxes.notes
    if boxes.has_outlines:
        notes += ("Masks and rotated boxes are left out: each object has an upright box.",)
        if boxes.shape is Shape.ROTATED:  # the detector's own NMS compares these
            common["nms"] = NmsKind.NONE
    if read_classes(boxes, reader) is not None and len(boxes.class_names) > 1:
        notes += (f"Only objects of the class {', '.join(reader.class_names)} are read.",)
    return joined_spec(boxes, reader, notes=notes, **common)


def joined_spec(boxes: ModelSpec, points: ModelSpec, **changes: Any) -> ModelSpec:
    """Return the description of a box detector that a point model completes."""
    return replace(
        boxes,
        name=f"{boxes.name}+{points.name}",
        architecture="two-stage",
        task=Task.DETECT_KEYPOINTS,
        keypoint_names=points.keypoint_names,
        skeleton=points.skeleton,
        mirrored_keypoints=points.mirrored_keypoints,
        keypoint_threshold=points.keypoint_threshold,
        shape=Shape.UPRIGHT,
        licence="; ".join(dict.fromkeys(filter(None, (boxes.licence, points.licence)))),
        trained_on="; ".join(dict.fromkeys(filter(None, (boxes.trained_on, points.trained_on)))),
        **changes,
    )
