"""How long a live stream may be silent before it counts as lost: as slow cameras are slow."""

from __future__ import annotations

import time

_KNOWN_AFTER = 8
"""Packets; fewer may all have been waiting when the stream was opened."""
_GAP_FACTOR = 3
_FORGETS = 0.98
"""A packet's share of the longest gap that is kept: one stall is forgotten after some seconds."""
LONGEST_S = 60.0


class Patience:
    """Learns from the gaps between packets of one connection."""

    def __init__(self, least_s: float, first_s: float) -> None:
        self.least_s = least_s
        """Limit for a stream whose packets follow closely."""
        self.first_s = first_s
        """Limit while nobody knows how closely they follow."""
        self._packets = 0
        self._longest_gap_s = 0.0
        self._heard_s = time.monotonic()

    @property
    def limit_s(self) -> float:
        """Longest silence for now."""
        least_s = self.least_s if self._packets >= _KNOWN_AFTER else self.first_s
        return min(max(least_s, _GAP_FACTOR * self._longest_gap_s), max(LONGEST_S, least_s))

    @property
    def usual_gap_s(self) -> float:
        """About the longest time between two packets."""
        return self._longest_gap_s

    @property
    def silence_s(self) -> float:
        """Time since the last packet, or since the beginning."""
        return time.monotonic() - self._heard_s

    def heard(self) -> None:
        """Note that a packet came."""
        gap_s = self.silence_s if self._packets else 0.0
        self._longest_gap_s = max(gap_s, _FORGETS * self._longest_gap_s)
        self._heard_s += self.silence_s
        self._packets += 1
