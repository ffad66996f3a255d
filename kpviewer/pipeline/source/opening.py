"""Making a source within a time limit, as a disk or a driver may never answer."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from kpviewer.errors import SourceError
from kpviewer.runtime.process.abandoned import NoAnswerError, answer_within
from kpviewer.sources.naming import is_camera

if TYPE_CHECKING:
    from kpviewer.sources.base import FrameSource

SourceT = TypeVar("SourceT", bound="FrameSource")

CAMERAS_S = 15.0
"""Time limit in s for the drivers of all cameras together."""


def made_within(
    disk_s: float | Callable[[], float], text: str | None, name: str, make: Callable[[], SourceT]
) -> SourceT:
    """Return the source that ``make`` returns, called on a thread of its own.

    Args:
        disk_s: time limit for a disk, in s, or a function that returns it; cameras have
            ``CAMERAS_S``.
        text: the source as typed.
        name: name of the source in messages.
        make: function that makes the source, which may wait for a disk or a driver.

    Raises:
        SourceError: if the limit is exceeded, or from ``make``.
    """
    limit_s = CAMERAS_S if not text or is_camera(text) else disk_s
    try:
        return answer_within(limit_s, make, f"opening {name}")
    except NoAnswerError as error:
        raise SourceError(
            f"{name} doesn't answer.\n"
            "Check that its disk, network or device is connected, then try again."
        ) from error
