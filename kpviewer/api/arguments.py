"""Sources as a program may give them: by name, or as an object."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kpviewer.errors import InputError
from kpviewer.models.tables import shown
from kpviewer.pipeline.opening import made_within
from kpviewer.sources.redact import redact_url

if TYPE_CHECKING:
    from kpviewer.sources.base import FrameSource

ANSWER_S = 5.0
"""For a disk to tell what a name stands for."""
_PARTS = ("info", "open", "read", "seek", "next_index", "warning", "close")
"""Of a FrameSource."""


def text_of(source: str | Path | int | FrameSource | None) -> str | None:
    """Return a source as the command line names it; None for the default and for objects."""
    is_number = isinstance(source, int) and not isinstance(source, bool)
    return str(source) if isinstance(source, str | Path) or is_number else None


def named_source(source: str | Path | int | FrameSource | None) -> str:
    """Return the name of a source for people, without secrets; empty for the default.

    Raises:
        InputError: if it is nothing that has frames.
    """
    text = text_of(source)
    if text is not None or source is None:
        return redact_url(text or "")
    missing = [part for part in _PARTS if not _has(source, part)]
    if len(missing) == len(_PARTS):
        raise InputError(
            "A source must be a name, a path, a camera number or a FrameSource, got "
            f"{shown(source)}. For one image, call the model with it."
        )
    if missing:
        raise InputError(f"A {type(source).__name__} is no FrameSource: add {', '.join(missing)}.")
    return type(source).__name__


def _has(source: object, part: str) -> bool:
    try:
        getattr(source, part)
    except AttributeError:
        return False
    except Exception:  # such as ``info`` of a source that isn't open
        return True
    return True


def source_of(source: str | Path | int | FrameSource | None, name: str) -> FrameSource:
    """Return the source, not opened yet.

    Args:
        source: as the user gave it.
        name: what ``named_source`` returned.

    Raises:
        SourceError: if there is none of that name, or its disk doesn't answer.
    """
    if source is not None and not isinstance(source, str | Path | int):
        return source
    from kpviewer.sources.open import make_source  # noqa: PLC0415 - video code takes its time

    text = text_of(source)
    return made_within(ANSWER_S, text, name, lambda: make_source(text))
