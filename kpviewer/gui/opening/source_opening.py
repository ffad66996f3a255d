"""From the name of a source to the source; imported late, as video and camera code takes time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kpviewer.sources.base import FrameSource, TruthProvider


def open_source(text: str | None, truth: TruthProvider | None) -> FrameSource:
    """Make a source, in the loader's thread; it is opened by the pipeline's.

    Raises:
        SourceError: if nothing of that name is known.
    """
    from kpviewer.sources.open import make_source  # noqa: PLC0415 - the window comes first

    return make_source(text, truth=truth)
