"""Colours of the lanes, made from the palette of the theme."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtGui import QColor, QPalette

from kpviewer.overlay.palette import oklch_to_rgb

STEPS = 256
_HUE = 2.9
"""Hue of the heat strip in OKLCH, rad: a green away from the accent, and from red and amber."""


@dataclass(frozen=True, slots=True, eq=False)
class LaneColors:
    """Colours as 0xffRRGGBB, greys but for the heat strip."""

    ground: int
    hatch: int
    """Lines over the frames that were not scanned."""
    found: int
    found_pale: int
    error: int
    mistake: int
    heat: NDArray[np.uint32]
    """(STEPS,) from few to many scores: one hue, in equal steps of lightness."""

    @classmethod
    def of(cls, palette: QPalette) -> LaneColors:
        """Return the colours that go with a palette."""
        role = QPalette.ColorRole
        window, text = palette.color(role.Window), palette.color(role.WindowText)
        is_dark = window.lightness() < 128
        return cls(
            ground=_mixed(window, text, 0.05),
            hatch=_mixed(window, text, 0.16),
            found=_mixed(window, text, 0.55),
            found_pale=_mixed(window, text, 0.28),
            error=_mixed(window, text, 0.55),
            mistake=text.rgb(),
            heat=_ramp((0.30, 0.90), (0.03, 0.13)) if is_dark else _ramp((0.92, 0.38), (0.02, 0.1)),
        )


@cache
def _ramp(lightness: tuple[float, float], chroma: tuple[float, float]) -> NDArray[np.uint32]:
    """Return STEPS colours between two lightnesses and chromas of OKLCH."""
    shares = np.linspace(0, 1, STEPS)
    rgb = [
        oklch_to_rgb(float(np.interp(share, (0, 1), lightness)), c, _HUE)
        for share, c in zip(shares, np.interp(shares, (0, 1), chroma), strict=True)
    ]
    ramp = np.array([0xFF000000 | r << 16 | g << 8 | b for r, g, b in rgb], np.uint32)
    ramp.setflags(write=False)
    return ramp


def _mixed(one: QColor, other: QColor, share: float) -> int:
    """Return ``one`` with a share of ``other``."""
    pairs = zip(one.getRgb()[:3], other.getRgb()[:3], strict=True)
    red, green, blue = (round(a + (b - a) * share) for a, b in pairs if a is not None)
    return QColor(red, green, blue).rgb()
