"""Efficiency of the pipeline: its rate compared with what model and machine allow.

Two rates can't be exceeded. One is that of the bare model, whose input is on its device already.
The other is that of all cores doing nothing but the frame's own work: the processor time of the
same work in a loop on one thread, over the cores. The lower one is the bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kpviewer.pipeline.measuring.benchmark import Block, Rate


@dataclass(frozen=True, slots=True)
class Efficiency:
    """Blocks of the pipeline beside those that bound it; each block i was measured in turn."""

    cores: int
    """Number of cores that this process may use."""
    bare_fps: Sequence[float]
    """Rate of the model alone, repeated on one image."""
    in_turn: Sequence[Rate]
    """The work of the pipeline in a loop on one thread."""
    pipeline: Sequence[Block]

    @property
    def bounds_fps(self) -> list[float]:
        """The rate that can't be exceeded, by block."""
        pairs = zip(self.bare_fps, self.in_turn, strict=True)
        return [min(bare_fps, 1e3 * self.cores / loop.cpu_ms) for bare_fps, loop in pairs]

    @property
    def of_bound(self) -> list[float]:
        """Rate of the pipeline divided by the bound, by block."""
        pairs = zip(self.pipeline, self.bounds_fps, strict=True)
        return [block.fps / bound for block, bound in pairs]
