"""Survivors of a store's blocks, again and again; what doesn't change is kept."""

from collections.abc import Callable, Sequence

from kpviewer.scanning.columns import CandidateColumns
from kpviewer.scanning.selection import Ranked, Survivors, ranked, suppression_of, survivors
from kpviewer.structures import Thresholds


class Selector:
    """Keeps the order and the survivors of each block as long as it is the same object.

    A change of confidence or classes costs nothing, a change of IoU no sorting, and new frames only
    the blocks that they are in. Its owner calls it from one thread at a time.
    """

    def __init__(self) -> None:
        self._suppression: Thresholds | None = None
        self._orders: dict[CandidateColumns, Ranked] = {}
        self._survivors: dict[CandidateColumns, Survivors] = {}

    def survivors(
        self,
        blocks: Sequence[CandidateColumns],
        thresholds: Thresholds,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> tuple[Survivors, ...]:
        """Return what suppression leaves of each block.

        Raises:
            Superseded: if the survivors aren't wanted any longer.
        """
        suppression = suppression_of(thresholds)
        if suppression != self._suppression:
            self._suppression = suppression
            self._survivors.clear()
        present = set(blocks)
        for kept in (self._orders, self._survivors):
            for old in kept.keys() - present:
                del kept[old]
        return tuple(self._of(block, suppression, is_wanted) for block in blocks)

    def _of(
        self, block: CandidateColumns, suppression: Thresholds, is_wanted: Callable[[], bool]
    ) -> Survivors:
        if block not in self._survivors:
            if block not in self._orders:
                self._orders[block] = ranked(block)
            self._survivors[block] = survivors(
                block, suppression, order=self._orders[block], is_wanted=is_wanted
            )
        return self._survivors[block]
