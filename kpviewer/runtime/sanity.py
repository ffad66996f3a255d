"""Whether what a model seems to predict can be right: a check of the first frames.

A file that is read in a wrong layout gives boxes all the same: specks, far outside, hundreds in an
empty image. Each rule here holds for no detector that is read rightly, and none needs to know what
is in an image. ONNX files alone are checked: other models are known to the program that runs them.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from kpviewer.models.base import AnyDetector
from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.models.onnx.description import GUIDE
from kpviewer.models.selection import select
from kpviewer.structures import Candidates, FloatArray, ImageArray

Infer = Callable[[ImageArray], tuple[Candidates, object]]


FRAMES = 10
"""Frames with detections that are looked at."""
FEWEST = 3
"""Fewest detections that say something of all boxes: a single one may be a false positive."""
MANY = 200
"""Detections at any confidence that only a crowd has, and no empty image."""
CERTAIN = 0.95
"""Confidence that stands for "any": a model that is read rightly is rarely so sure so often."""
MANY_ROWS, UNSURE = 1000, 0.45
"""A dense head of as many rows never has all of them above this score."""
SAME, SAME_PX = 20, 0.1
"""Rows of one frame whose boxes can't all be the same to this many px."""
SCORE_MARGIN = 0.02
"""Rounding of 8-bit and 16-bit outputs."""
CORNER_PX = 5
"""Undecoded boxes, offsets in cells and logarithms, are all this near to the input's corner."""
GIANT = 20
"""Sides of boxes that no detector predicts, in sides of the input."""
SHARES = "under 1 px and in the first pixel, as shares of the input are (normalised = true)"
GREY = 114


class SanityCheck:
    """Collects evidence from frame to frame; ``doubt`` says what can't be right."""

    def __init__(self, detector: AnyDetector) -> None:
        self._detector, self._spec = detector, detector.spec
        self._frames_left = FRAMES if self._spec.architecture == "onnx" else 0
        self._seen = self._odd = self._same_frames = 0
        self._counts: dict[str, int] = {}
        self._is_crowd = False
        self.doubt: str | None = None
        """What can't be right, and what to do; None while everything may be."""

    def check(self, candidates: Candidates, source_hw: tuple[int, int], infer: Infer) -> None:
        """Look at the result of a frame.

        Args:
            candidates: candidates in source px.
            source_hw: (height, width) of the frame, px.
            infer: runs the model on another image of that size; candidates are its first result.
        """
        if not self._frames_left or self.doubt is not None:
            return
        fault = self._fault(candidates, source_hw, infer)
        if fault is not None:
            self.doubt = (
                f"{self._spec.name}: {fault}. Its outputs are probably read in a wrong layout. "
                "Choose another --layout, or correct the .toml beside the file: see " + GUIDE
            )

    def _fault(
        self, candidates: Candidates, source_hw: tuple[int, int], infer: Infer
    ) -> str | None:
        if getattr(self._detector, "has_nan", False):
            return "its scores, boxes or keypoints aren't numbers"
        best = candidates.scores.max(axis=1, initial=0)
        highest = float(best.max(initial=0))
        if highest > 1 + SCORE_MARGIN:
            return f"its scores go up to {highest:.3g}, and a score is in [0, 1]"
        found = best >= max(self._spec.score_threshold, 0.001)
        if not found.any():
            return None  # an empty scene says nothing
        self._frames_left -= 1
        self._note_boxes(candidates.xyxy[found], source_hw)
        return self._fault_of_boxes() or self._fault_of_number(candidates, source_hw, infer)

    def _fault_of_boxes(self) -> str | None:
        if self._same_frames >= FEWEST:
            return "all of its boxes are the same"
        if self._counts.get(SHARES) == self._seen:  # one such box is enough
            return f"all of its boxes are {SHARES}"
        if self._seen < FEWEST or self._odd < self._seen:
            return None
        return f"all of its boxes are {max(self._counts, key=self._counts.__getitem__)}"

    def _fault_of_number(
        self, candidates: Candidates, source_hw: tuple[int, int], infer: Infer
    ) -> str | None:
        if self._is_crowd or not self._is_full(candidates):
            return None
        blank = np.full((*source_hw, 3), GREY, np.uint8)
        self._is_crowd = not self._is_full(infer(blank)[0])
        if self._is_crowd:
            return None
        return "it detects hundreds of objects at any confidence, in an empty image too"

    def _note_boxes(self, xyxy: FloatArray, source_hw: tuple[int, int]) -> None:
        """Count the boxes of a frame by what is wrong with them."""
        box = letterbox_of(self._spec, source_hw)
        scale = np.array([box.scale_x, box.scale_y], np.float32)
        inside = xyxy.reshape(-1, 2, 2) * scale + (box.left, box.top)  # input px
        sides = inside[:, 1] - inside[:, 0]
        height, width = box.input_hw
        lower, upper = inside.min(1), inside.max(1)
        masks = {
            SHARES: ((inside > -0.5) & (inside < 1.5)).all((1, 2)),
            "under 1 px": (np.abs(sides) < 1).all(1),
            "within 5 px of the corner": (np.abs(inside) < CORNER_PX).all((1, 2)),
            "inverted": (sides < -1).any(1),
            "outside the image": ((upper <= 0) | (lower >= (width, height))).any(1),
            "many times as large as the image": (sides > GIANT * max(width, height)).any(1),
        }
        self._seen += len(xyxy)
        self._odd += int(np.any(list(masks.values()), axis=0).sum())
        for fault, mask in masks.items():
            self._counts[fault] = self._counts.get(fault, 0) + int(mask.sum())
        if len(xyxy) >= SAME and np.ptp(inside, axis=0).max() < SAME_PX:
            self._same_frames += 1

    def _is_full(self, candidates: Candidates) -> bool:
        """Return whether there are hundreds of objects however sure the model must be."""
        thresholds = replace(self._spec.thresholds, score=CERTAIN)
        best = candidates.scores.max(axis=1, initial=0)
        if (best >= CERTAIN).sum() >= MANY and len(select(candidates, thresholds)) >= MANY:
            return True
        if len(best) < MANY_ROWS or best.min() < UNSURE:
            return False
        thresholds = replace(thresholds, score=UNSURE)
        return len(select(candidates, thresholds)) >= thresholds.max_detections
