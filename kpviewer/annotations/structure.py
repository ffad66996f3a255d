"""What every reader returns: images with their ground truth. No format is known here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from kpviewer.annotations.problems import Problem
from kpviewer.structures import BoolArray, GroundTruth


@dataclass(frozen=True, slots=True, eq=False)
class AnnotatedImage:
    """One image of a data set. The file is named, not read."""

    path: Path
    size_wh: tuple[int, int]
    """(0, 0) where the format doesn't say."""
    targets: GroundTruth
    """``keypoints_visible`` is true where a point is in plain sight: what scores are made of."""
    source: str
    """Where the image comes from, for scores by group; "" if unknown."""
    pseudo: BoolArray
    """(N,) objects that a detector labelled, not a person."""
    keypoints_labelled: BoolArray
    """(N, K) points with known place, in sight or covered: what training may use."""
    image_id: int | str
    frame_index: int | None = None
    """Number of the frame, where the images are those of a video."""
    is_partial: bool = False
    """Whether some of its objects can't be used: what is seen there may be right all the same."""

    def __post_init__(self) -> None:
        """Check shapes."""
        if self.pseudo.shape != (len(self.targets),):
            raise ValueError(
                f"pseudo must have shape ({len(self.targets)},), got {self.pseudo.shape}"
            )
        if self.keypoints_labelled.shape != self.targets.keypoints_visible.shape:
            raise ValueError(
                f"keypoints_labelled must have shape {self.targets.keypoints_visible.shape}, "
                f"got {self.keypoints_labelled.shape}"
            )


@dataclass(frozen=True, slots=True)
class AnnotationSet:
    """A data set as read; its images in the order of the file."""

    images: tuple[AnnotatedImage, ...]
    class_names: tuple[str, ...]
    keypoint_names: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    """Pairs of keypoint indices joined by a line."""
    category_ids: Mapping[int, int] = field(default_factory=dict)
    """Categories of a COCO file by class id; empty in other formats."""
    notes: tuple[str, ...] = ()
    """What the reader left out, and how often, for people."""
    problems: tuple[Problem, ...] = ()
    """All that is wrong, in full: the notes count it. Empty after a strict reading."""

    def __len__(self) -> int:
        """Number of images."""
        return len(self.images)

    def spread(self, limit: int | None) -> AnnotationSet:
        """Keep ``limit`` images at even distances: sets are often sorted by source."""
        count = len(self)
        if limit is None or limit >= count:
            return self
        rows = [index * count // limit for index in range(limit)]
        return replace(self, images=tuple(self.images[row] for row in rows))
