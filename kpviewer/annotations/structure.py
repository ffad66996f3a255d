"""Annotated images and data sets, independent of the file format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from kpviewer.annotations.problems import Problem
from kpviewer.structures import BoolArray, GroundTruth, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class AnnotatedImage:
    """One image of a data set; its file isn't read."""

    path: Path
    size_wh: tuple[int, int]
    """Width and height, px; (0, 0) if the format doesn't specify them."""
    targets: GroundTruth
    """Ground truth; ``keypoints_visible`` marks the points that scores count."""
    source: str
    """Origin of the image, for scores by group; "" if unknown."""
    pseudo: BoolArray
    """(N,) whether a detector labelled the object, not a person."""
    keypoints_labelled: BoolArray
    """(N, K) whether the point's position is known, visible or covered; training may use it."""
    image_id: int | str
    frame_index: int | None = None
    """Frame number in a video; None for images."""
    is_partial: bool = False
    """Whether some of its objects are unusable, so that a detection there may be right anyway."""
    video: str = ""
    """Name of the video that the image was saved from; "" if it isn't stated."""

    def __post_init__(self) -> None:
        if self.pseudo.shape != (len(self.targets),):
            raise ValueError(
                f"pseudo must have shape ({len(self.targets)},), got {self.pseudo.shape}"
            )
        if self.keypoints_labelled.shape != self.targets.keypoints_visible.shape:
            raise ValueError(
                f"keypoints_labelled must have shape {self.targets.keypoints_visible.shape}, "
                f"got {self.keypoints_labelled.shape}"
            )

    def take(self, rows: IntArray | BoolArray) -> AnnotatedImage:
        """Return the image with some of its objects, by index or mask."""
        return replace(
            self,
            targets=self.targets.take(rows),
            pseudo=self.pseudo[rows],
            keypoints_labelled=self.keypoints_labelled[rows],
        )


@dataclass(frozen=True, slots=True)
class AnnotationSet:
    """A data set; its images are in the order of the file."""

    images: tuple[AnnotatedImage, ...]
    class_names: tuple[str, ...]
    keypoint_names: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    """Pairs of keypoint indices, each joined by a line."""
    mirrored_keypoints: tuple[int, ...] = ()
    """Index of each keypoint in a mirrored image; empty if the format doesn't say it."""
    category_ids: Mapping[int, int | str] = field(default_factory=dict)
    """Categories of a COCO file by class id; empty in other formats."""
    notes: tuple[str, ...] = ()
    """Sentences for the user on what the reader left out, with counts."""
    problems: tuple[Problem, ...] = ()
    """All problems found; the notes summarise them. Empty after a strict reading."""
    label_files: tuple[Path, ...] = ()
    """All files of YOLO labels without images, whose coordinates are shares; else empty."""

    def __len__(self) -> int:
        return len(self.images)

    def spread(self, limit: int | None) -> AnnotationSet:
        """Return ``limit`` evenly spaced images, because sets are often sorted by source."""
        count = len(self)
        if limit is None or limit >= count:
            return self
        rows = [index * count // limit for index in range(limit)]
        return replace(self, images=tuple(self.images[row] for row in rows))
