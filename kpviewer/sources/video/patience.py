"""Longest silence of a live stream before it counts as lost, adapted to slow cameras."""

import time

_KNOWN_AFTER = 8
"""Number of packets after which gaps are known; the first ones may have been buffered."""
_GAP_FACTOR = 3
_DECAY = 0.98
"""Decay of the longest gap per packet, so that a single stall is forgotten after seconds."""
LONGEST_S = 60.0


class Patience:
    """Estimate of the longest silence from the gaps between a connection's packets."""

    def __init__(self, least_s: float, first_s: float) -> None:
        self.least_s = least_s
        """Limit for a stream with small gaps."""
        self.first_s = first_s
        """Limit while the gaps are unknown."""
        self._packets = 0
        self._longest_gap_s = 0.0
        self._last_packet_s = time.monotonic()

    @property
    def limit_s(self) -> float:
        """Current limit of silence."""
        least_s = self.least_s if self._packets >= _KNOWN_AFTER else self.first_s
        return min(max(least_s, _GAP_FACTOR * self._longest_gap_s), max(LONGEST_S, least_s))

    @property
    def usual_gap_s(self) -> float:
        """Approximate longest time between two packets."""
        return self._longest_gap_s

    @property
    def silence_s(self) -> float:
        """Time since the last packet, or since the start."""
        return time.monotonic() - self._last_packet_s

    def note_packet(self) -> None:
        """Note that a packet arrived."""
        gap_s = self.silence_s if self._packets else 0.0
        self._longest_gap_s = max(gap_s, _DECAY * self._longest_gap_s)
        self._last_packet_s += self.silence_s
        self._packets += 1
