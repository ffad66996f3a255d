"""Scores of region proposals: how many of the true objects they cover, and how well."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kpviewer.annotations.structure import AnnotatedImage
from kpviewer.evaluation.text import Table, number
from kpviewer.geometry import iou_matrix
from kpviewer.structures import FloatArray

RECALL_IOUS = (0.5, 0.7)
"""Overlaps from which an object counts as found."""


@dataclass(frozen=True, slots=True, eq=False)
class ProposalScores:
    """Best overlap of each true object with any proposal, difficult objects left out."""

    overlaps: dict[str, FloatArray]
    """(N,) IoU by class, of the classes that have objects."""
    per_image: float
    """Mean number of proposals of an image."""

    @property
    def mean_best_overlap(self) -> float | None:
        """Mean over the classes of their mean best overlap (MABO); None without objects."""
        means = [float(each.mean()) for each in self.overlaps.values()]
        return float(np.mean(means)) if means else None

    def recall(self, iou: float) -> float | None:
        """Return the share of the objects of all classes with at least this overlap."""
        every = np.concatenate([*self.overlaps.values(), np.zeros(0, np.float32)])
        return float((every >= iou).mean()) if len(every) else None

    def table(self) -> Table:
        """Return the scores by class."""
        names = [f"recall at IoU {iou}" for iou in RECALL_IOUS]
        rows = [["class", "objects", *names, "mean best overlap"], *self._rows()]
        return Table("Proposals", rows)

    def _rows(self) -> Iterator[Sequence[str]]:
        for name, overlaps in self.overlaps.items():
            shares = [number(float((overlaps >= iou).mean())) for iou in RECALL_IOUS]
            yield name, f"{len(overlaps):,}", *shares, number(float(overlaps.mean()))
        total = sum(len(each) for each in self.overlaps.values())
        shares = [number(self.recall(iou)) for iou in RECALL_IOUS]
        yield "all", f"{total:,}", *shares, number(self.mean_best_overlap)


def score_proposals(
    images: Iterable[AnnotatedImage], proposals: Iterable[FloatArray], class_names: Sequence[str]
) -> ProposalScores:
    """Compare proposals with the ground truth.

    Source: Uijlings et al. 2013, Selective Search for Object Recognition, section 5, eq. 7.
    """
    overlaps: dict[str, list[float]] = {name: [] for name in class_names}
    counts = []
    for image, xyxy in zip(images, proposals, strict=True):
        counts.append(len(xyxy))
        best = iou_matrix(image.targets.xyxy, xyxy).max(1, initial=0)
        for class_id, value, is_difficult in zip(
            image.targets.class_ids, best, image.targets.difficult, strict=True
        ):
            if not is_difficult:
                overlaps[class_names[class_id]].append(float(value))
    found = {name: np.array(each, np.float32) for name, each in overlaps.items() if each}
    return ProposalScores(found, float(np.mean(counts)) if counts else 0.0)
