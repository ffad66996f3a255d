"""What is painted over an image, and how large."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kpviewer.structures import Thresholds


@dataclass(frozen=True, slots=True)
class OverlayStyle:
    """What is painted, and how large."""

    class_names: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    """Pairs of keypoint indices joined by a line."""
    boxes: bool = True
    labels: bool = True
    """Class names."""
    scores: bool = True
    landmarks: bool = True
    ground_truth: bool = True
    verdicts: bool = True
    """With ground truth: mark matched, false and missed objects, and draw a legend."""
    shown: frozenset[int] | None = None
    """Class ids that are looked for, and can be missed; None is all."""
    anonymise: bool = False
    """What was detected is hidden: the image is that of ``image_of``."""
    numbers: bool = False
    """The detection's place in the list, from 0, as in tables and result files."""
    smooth_landmarks: bool = False
    """Landmarks filtered over time, where a result has them; else the raw ones."""
    tracks: bool = False
    """The number of its track in each label, and the track's trail, where a result has them."""
    hovered: int | None = None
    """Index of the detection under the pointer: its landmarks are bigger."""
    selected: int | None = None
    """Index of the detection that the user chose: its box is thicker."""
    scale: float = 1.0
    """Factor of strokes, dots and text; those below come on top."""
    lines: float = 1.0
    dots: float = 1.0
    """Of landmarks."""
    letters: float = 1.0
    names_of_two: tuple[str, str] | None = None
    """Names of two models that are compared: the second's detections are painted too, and a
    legend; None paints the first's alone."""
    bars: Thresholds | None = None
    """For models of whole images: a bar a class, marked at these, in place of boxes."""

    def class_name(self, class_id: int) -> str:
        """Give the name of a class, ``class N`` where there is none."""
        known = class_id < len(self.class_names)
        return self.class_names[class_id] if known else f"class {class_id}"

    def text(self, class_id: int, score: float, index: int = 0, track_id: int = -1) -> str:
        """Give the text of a label; empty where everything is hidden."""
        parts = (
            str(index) if self.numbers else "",
            self.class_name(class_id) if self.labels else "",
            f"#{track_id}" if self.tracks and track_id >= 0 else "",
            f"{score:.2f}" if self.scores else "",
        )
        return " ".join(part for part in parts if part)
