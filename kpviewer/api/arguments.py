"""Conversion of the sources that a program passes: names or objects."""

from pathlib import Path

from kpviewer.errors import InputError
from kpviewer.models.tables import shown
from kpviewer.pipeline.source.opening import made_within
from kpviewer.sources.base import FrameSource
from kpviewer.sources.redact import redact_url

ANSWER_S = 5.0
"""Time limit for a disk to identify a source."""
_PARTS = ("info", "open", "read", "seek", "next_index", "warning", "close")
"""Methods and attributes that a FrameSource must have."""


def text_of(source: str | Path | int | FrameSource | None) -> str | None:
    """Return a source as the command line names it; None for the default and for objects."""
    is_number = isinstance(source, int) and not isinstance(source, bool)
    return str(source) if isinstance(source, str | Path) or is_number else None


def named_source(source: str | Path | int | FrameSource | None) -> str:
    """Return the display name of a source, without secrets; empty for the default.

    Raises:
        InputError: if it isn't a source.
    """
    text = text_of(source)
    if source is None:
        return ""
    if text is not None:
        if not text.strip():
            raise InputError("A source's name can't be empty. None is the first camera.")
        return redact_url(text)
    kind = type(source).__name__
    missing = [part for part in _PARTS if not _has(source, part)]
    if len(missing) == len(_PARTS):
        raise InputError(
            "A source must be a name, a path, a camera number or a FrameSource, got "
            f"{shown(source)}. For one image, call the model with it."
        )
    if missing:
        raise InputError(f"A {kind} isn't a FrameSource: add {', '.join(missing)}.")
    return kind


def _has(source: object, part: str) -> bool:
    try:
        getattr(source, part)
    except AttributeError:
        return False
    except Exception:  # such as ``info`` of a closed source
        return True
    return True


def source_of(source: str | Path | int | FrameSource | None, name: str) -> FrameSource:
    """Return the source, not opened yet.

    Args:
        source: source as the user passed it.
        name: result of ``named_source``.

    Raises:
        SourceError: if there is no such source, or its disk doesn't answer.
    """
    if source is not None and not isinstance(source, str | Path | int):
        return source
    from kpviewer.sources.open import make_source  # noqa: PLC0415 - video code takes its time

    text = text_of(source)
    return made_within(ANSWER_S, text, name, lambda: make_source(text))
