"""From the name of a source to the source; imported late, as video and camera code takes time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpviewer.pipeline.opening import made_within

if TYPE_CHECKING:
    from kpviewer.gui.opening.source_truth import FoundTruth, SourceTruth
    from kpviewer.gui.options import SourceOpener
    from kpviewer.sources.base import FrameSource, TruthProvider

ANSWER_S = 3.7
"""For a disk to tell what a name stands for; with the search for ground truth, 5.5 s."""


def open_source(text: str | None, truth: TruthProvider | None) -> FrameSource:
    """Make a source, in the loader's thread; it is opened by the pipeline's.

    Raises:
        SourceError: if nothing of that name is known.
    """
    from kpviewer.sources.open import make_source  # noqa: PLC0415 - the window comes first

    return make_source(text, truth=truth)


def look_for(
    text: str | None, name: str, truth: SourceTruth, make: SourceOpener
) -> tuple[FrameSource, FoundTruth]:
    """Find a source and its ground truth, in the loader's thread.

    Args:
        text: the source as typed.
        name: for people.
        truth: finds the ground truth.
        make: makes the source.

    Raises:
        SourceError: if there is none, or what it is on doesn't answer.
    """
    import kpviewer.sources.open  # noqa: F401, PLC0415 - it takes time, and isn't the source's

    found = truth.find(text)
    return made_within(ANSWER_S, text, name, lambda: make(text, found.truth)), found
