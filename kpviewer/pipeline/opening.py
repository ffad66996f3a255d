"""A source is made of a name: the disk or the drivers that are asked for it may never answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kpviewer.errors import SourceError
from kpviewer.runtime.abandoned import NoAnswerError, answer_within
from kpviewer.sources.naming import is_camera

if TYPE_CHECKING:
    from kpviewer.sources.base import FrameSource

CAMERAS_S = 15.0
"""For the drivers of all cameras to answer."""


def made_within(
    disk_s: float, text: str | None, name: str, make: Callable[[], FrameSource]
) -> FrameSource:
    """Return the source that ``make`` makes, on a thread of its own.

    Args:
        disk_s: how long a disk may take; cameras are given more time.
        text: the source as typed.
        name: for people.
        make: asks the disk or the drivers.

    Raises:
        SourceError: if nothing answers; also what ``make`` raises.
    """
    limit_s = CAMERAS_S if not text or is_camera(text) else disk_s
    try:
        return answer_within(limit_s, make, f"opening {name}")
    except NoAnswerError as error:
        raise SourceError(
            f"{name} doesn't answer.\n"
            "Check that its disk, network or device is there, then try again."
        ) from error
