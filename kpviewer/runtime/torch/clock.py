"""Clock that measures the stages of one image's inference on a GPU, in torch."""

from __future__ import annotations

from itertools import pairwise

import torch


class CudaClock:
    """Clock of the GPU's own events, as its work outlasts the call that starts it."""

    def __init__(self) -> None:
        self._marks: list[torch.cuda.Event] = []

    def mark(self) -> None:
        """Note the end of a stage; the first mark begins the first one."""
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record()
        self._marks.append(event)

    def stages_ms(self) -> list[float]:
        """Return the time between consecutive marks, ms."""
        self._marks[-1].synchronize()
        return [float(start.elapsed_time(end)) for start, end in pairwise(self._marks)]
