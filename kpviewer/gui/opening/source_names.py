"""Names of sources for people. No widgets."""

from __future__ import annotations

from pathlib import Path

from kpviewer.gui.language import tr
from kpviewer.sources.naming import camera_index
from kpviewer.sources.redact import is_address, redact_url


def name_of(text: str | None) -> str:
    """Return the name of a source for people, before the source is open."""
    if text is None:
        return tr("the first camera")
    number = camera_index(text)
    if number is not None:
        return tr("camera {number}").format(number=number)
    return redact_url(text) if is_address(text) else Path(text).name
