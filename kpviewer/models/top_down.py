"""Keypoint models in files that read crops: of a detector's boxes, or the whole image.

``runtime.top_down`` cuts the crops and runs both models. Nothing here needs torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kpviewer.models.base import AnyDetector, FileDetector
from kpviewer.models.networks.points.two_stage_spec import joined_spec
from kpviewer.models.spec import ModelSpec, Resize, Sampling, Task
from kpviewer.structures import NmsKind

LARGEST_HW = (2160, 3840)
"""Images above this size are shrunk first, px."""


@dataclass(frozen=True, eq=False)
class TopDownNetwork:
    """Both models of a ``TopDownDetector``, each with its own network."""

    reader: FileDetector
    """Reads the keypoints of one object in a crop; its input is the crop."""
    boxes: AnyDetector | None
    """Finds the objects; None: the whole image is one."""

    @property
    def stages(self) -> Sequence[AnyDetector]:
        """Both models."""
        return (self.reader,) if self.boxes is None else (self.reader, self.boxes)

    def modules(self) -> Iterator[Any]:
        """Yield the layers of the box detector, if it is a network of torch."""
        for each in self.stages:
            yield from getattr(each.network, "modules", tuple)()


class TopDownDetector:
    """Keypoint model for crops, on the boxes of a detector or on whole images.

    Args:
        reader: reads keypoints in crops.
        boxes: finds the objects; None: the whole image is one.
    """

    def __init__(self, reader: FileDetector, boxes: AnyDetector | None = None) -> None:
        self.spec = _spec(reader.spec, boxes.spec if boxes is not None else None)
        self.network: Any = TopDownNetwork(reader, boxes)  # neither of torch nor one graph

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
    if read_classes(boxes, reader) is not None and len(boxes.class_names) > 1:
        notes += (f"Only objects of the class {', '.join(reader.class_names)} are read.",)
    return joined_spec(boxes, reader, notes=notes, **common)
