"""Values of the lanes, and their reduction to pixel columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kpviewer.gui.language import tr
from kpviewer.gui.views.timeline.lane_image import LaneColumns
from kpviewer.gui.views.timeline.texts import count_text
from kpviewer.scanning.lanes import How, Lanes, reduced

ERROR_SHARE, ERROR_HEIGHT = 99, 0.67
"""Percentage of the frames whose error stays below this share of the lane's height."""


class ScannedLanes:
    """Lanes of a file or folder."""

    def __init__(self, lanes: Lanes, threshold: float = 0.0) -> None:
        self._threshold = threshold
        self.lanes = lanes
        """The values of every frame."""
        deviation = lanes.deviation_px[np.isfinite(lanes.deviation_px)]
        usual = float(np.percentile(deviation, ERROR_SHARE)) if len(deviation) else 1.0
        self._error_top = max(usual / ERROR_HEIGHT, 1e-9)
        self._found_top = float(max(lanes.found.max(initial=0), 1))
        some = lanes.found[lanes.found > 0]
        self._heat_top = float(some.mean()) if len(some) else 1.0

    @property
    def is_difference(self) -> bool:
        """Whether the third lane holds the difference of two models."""
        return self.lanes.has_differences and not self.lanes.has_errors

    @property
    def hints(self) -> tuple[str, str, str]:
        """Text in each lane; empty where values are."""
        if not self.lanes.scanned:
            return tr("scan or play to fill"), "", ""
        has_third = self.lanes.has_errors or self.lanes.has_differences
        return "", "", "" if has_third else tr("needs annotations")

    def columns(self, edges: NDArray[np.float64]) -> LaneColumns:
        """Return the values between W + 1 edges, in frames."""
        lanes, edges = self.lanes, edges - self.lanes.first
        return LaneColumns(
            found=reduced(lanes.found, edges, How.MAX) / self._found_top,
            found_least=reduced(lanes.found, edges, How.MIN) / self._found_top,
            heat=reduced(lanes.heat, edges, How.MEAN) / self._heat_top,
            error=reduced(lanes.deviation_px, edges, How.MAX) / self._error_top,
            mistakes=reduced(lanes.mistakes, edges, How.MAX),
            threshold=self._threshold,
        )

    def texts(self, index: int) -> list[str]:
        """Return what was found in a frame, a line each; empty if it wasn't scanned."""
        lanes, row = self.lanes, index - self.lanes.first
        if not 0 <= row < len(lanes) or lanes.found[row] < 0:
            return []
        found = tr("found {count}").format(count=count_text(int(lanes.found[row])))
        lines = [f"{found} · {tr('best score {score:.2f}').format(score=float(lanes.best[row]))}"]
        deviation, mistakes = float(lanes.deviation_px[row]), int(lanes.mistakes[row])
        if mistakes >= 0:
            name = tr("A–B {px:.1f} px") if self.is_difference else tr("error {px:.1f} px")
            parts = [name.format(px=deviation)] if np.isfinite(deviation) else []
            if self.is_difference:
                parts += [tr("found by one model only: {count}").format(count=mistakes)] * (
                    mistakes > 0
                )
            else:
                missed, false = int(lanes.missed[row]), int(lanes.false_alarms[row])
                parts += [tr("missed {count}").format(count=missed)] * (missed > 0)
                parts += [tr("false alarms {count}").format(count=false)] * (false > 0)
            lines.append(" · ".join(parts) or tr("no mistakes"))
        return lines
