"""From the name of a source to the source; video code is imported late, as it takes time."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kpviewer.errors import KpviewerError
from kpviewer.gui.language import tr
from kpviewer.gui.opening.source_ground_truth import FoundGroundTruth, SourceGroundTruth
from kpviewer.pipeline.opening import made_within
from kpviewer.runtime.loading import BackgroundLoader

if TYPE_CHECKING:
    from kpviewer.gui.opening.loaders import SourceOpener
    from kpviewer.sources.base import FrameSource, GroundTruthProvider

_log = logging.getLogger(__name__)

PATIENCE_S = 1.0
"""For a source that is no longer wanted to be found, before another one is looked for."""
ANSWER_S = 3.7
"""For a disk to tell what a name stands for; with the search for ground truth, 5.5 s."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of a source that was asked for."""

    text: str | None
    """The source as it was named."""
    is_offer: bool
    """The present source goes on until this one is there."""
    source: FrameSource | None
    ground_truth: FoundGroundTruth
    failure: KpviewerError | None


class SourceLoading:
    """Looks for sources on a thread; the last one that was asked for counts.

    Args:
        make: makes a source of a name.
        ground_truth: finds its ground truth.
    """

    def __init__(self, make: SourceOpener, ground_truth: SourceGroundTruth) -> None:
        self._make, self._ground_truth = make, ground_truth
        self._loader: BackgroundLoader[tuple[FrameSource, FoundGroundTruth]] = BackgroundLoader(
            PATIENCE_S
        )
        self._wanted: tuple[str | None, bool] | None = None

    def look_for(self, text: str | None, name: str, *, is_offer: bool = False) -> None:
        """Look for a source; ``name`` is for people."""
        self._wanted = (text, is_offer)
        ground_truth, make = self._ground_truth, self._make
        # In a thread: video code is imported, disks and cameras are asked.
        self._loader.submit(name, lambda: look_for(text, name, ground_truth, make))

    def cancel(self) -> None:
        """Want no source any more."""
        self._wanted = None

    def take(self) -> Arrival | None:
        """Return what became of the source that is wanted, once; None while nothing is known."""
        outcome = self._loader.take()
        if outcome is None or self._wanted is None:
            return None
        (text, is_offer), self._wanted = self._wanted, None
        if outcome.value is not None:
            source, found = outcome.value
            return Arrival(text, is_offer, source, found, None)
        failure = outcome.failure
        if not isinstance(failure, KpviewerError):
            _log.error("Opening %s failed", outcome.name, exc_info=failure)
            told = tr("{name} can't be opened. {reason}")
            failure = KpviewerError(told.format(name=outcome.name, reason=outcome.reason))
        return Arrival(text, is_offer, None, FoundGroundTruth(None), failure)

    def close(self) -> None:
        """Look for nothing any more; doesn't wait."""
        self.cancel()
        self._loader.close()


def open_source(text: str | None, ground_truth: GroundTruthProvider | None) -> FrameSource:
    """Make a source, in the loader's thread; it is opened by the pipeline's.

    Raises:
        SourceError: if nothing of that name is known.
    """
    from kpviewer.sources.open import make_source  # noqa: PLC0415 - the window comes first

    return make_source(text, ground_truth=ground_truth)


def look_for(
    text: str | None, name: str, ground_truth: SourceGroundTruth, make: SourceOpener
) -> tuple[FrameSource, FoundGroundTruth]:
    """Find a source and its ground truth, in the loader's thread.

    Args:
        text: the source as typed.
        name: for people.
        ground_truth: finds the ground truth.
        make: makes the source.

    Raises:
        SourceError: if there is none, or what it is on doesn't answer.
    """
    import kpviewer.sources.open  # noqa: F401, PLC0415 - it takes time, and isn't the source's

    found = ground_truth.find(text)
    return made_within(ANSWER_S, text, name, lambda: make(text, found.slot)), found
