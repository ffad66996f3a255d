"""Search for a source by its name; video code is imported late, as that takes time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PyQt6.QtCore import pyqtSignal

from kpviewer.errors import KpviewerError
from kpviewer.gui.background.loader import BackgroundLoader
from kpviewer.gui.language import tr
from kpviewer.gui.opening.cameras import in_kept_format
from kpviewer.gui.opening.loaders import SourceOpener
from kpviewer.gui.opening.source_ground_truth import FoundGroundTruth, SourceGroundTruth
from kpviewer.gui.settings.remembered import RememberedSettings
from kpviewer.pipeline.source.opening import made_within
from kpviewer.runtime.process.loading import Outcome
from kpviewer.sources.base import FrameSource, GroundTruthProvider, own_ground_truth_of
from kpviewer.sources.naming import camera_index, is_camera
from kpviewer.sources.redact import is_address, redact_url

if TYPE_CHECKING:
    from kpviewer.sources.turned_source import TurnedSource

SourceT = TypeVar("SourceT", bound=FrameSource)

_log = logging.getLogger(__name__)

PATIENCE_S = 1.0
"""Time for a superseded search to end before the next one begins beside it, in seconds."""
ANSWER_S, LATE_S = 3.7, 1.2
"""Time for a disk to answer, in seconds; the second after it didn't answer the search for ground
truth: 5.5 s with that."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Outcome of the search for a source."""

    text: str | None
    """Source as typed."""
    is_offer: bool
    """Whether the present source continued until this one was open."""
    source: FrameSource | None
    ground_truth: FoundGroundTruth
    failure: KpviewerError | None


class SourceLoading(BackgroundLoader):
    """Looks for sources on a thread; only the last one that was asked for counts."""

    arrived = pyqtSignal(object)
    """Arrival of the last source that was asked for."""

    def __init__(
        self,
        make: Callable[[str | None, GroundTruthProvider | None], TurnedSource],
        ground_truth: SourceGroundTruth,
    ) -> None:
        super().__init__(PATIENCE_S)
        self._make, self._ground_truth = make, ground_truth
        self._number = 0
        """Number of the last request, or of its end."""
        self._ahead: dict[int, TurnedSource] = {}
        """Sources that are open and haven't arrived, by request."""
        self._is_offer = False

    @property
    def offered(self) -> str | None:
        """Name of a source on offer that is being opened; None if there is none."""
        return self.busy_with if self._is_offer else None

    def look_for(self, text: str | None, name: str, *, is_offer: bool = False) -> None:
        """Look for a source; ``name`` is for people.

        One on offer is also opened, so that the present source isn't left for nothing.
        """
        ground_truth, make = self._ground_truth, self._make
        number = self._end_request()
        self._is_offer = is_offer

        def find() -> tuple[TurnedSource, FoundGroundTruth]:
            source, found = look_for(text, name, ground_truth, make)
            if is_offer:
                self._open_ahead(number, source, text, name)
            return source, found

        # On a thread: video code is imported, disks and cameras are asked.
        self.submit(name, find, partial(self._on_found, text, is_offer))

    def cancel(self) -> None:
        """Drop the last request; a source that is opened for it is closed again."""
        self._end_request()
        super().cancel()

    def _end_request(self) -> int:
        """Return the number of the next request; close what was opened for the last one."""
        last, self._number = self._number, self._number + 1
        self._close_ahead(last)
        return self._number

    def _close_ahead(self, number: int) -> None:
        source = self._ahead.pop(number, None)
        if source is not None:
            source.close()

    def _open_ahead(self, number: int, source: TurnedSource, text: str | None, name: str) -> None:
        """Open a source before its pipeline does, on the loader's thread.

        Raises:
            SourceError: if it can't be opened, or doesn't answer.
        """

        def opened() -> TurnedSource:
            source.open_ahead()
            if not text or is_camera(text):
                source.close()  # some drivers tie a camera to the thread that opened it
            self._ahead[number] = source
            if self._number != number:  # asked after that: else nobody might close it
                self._close_ahead(number)
            return source

        made_within(lambda: source.open_timeout_s + ANSWER_S, text, name, opened)

    def _on_found(
        self,
        text: str | None,
        is_offer: bool,
        outcome: Outcome[tuple[FrameSource, FoundGroundTruth]],
    ) -> None:
        if outcome.value is not None:
            source, found = outcome.value
            self._ahead.pop(self._number, None)
            self.arrived.emit(Arrival(text, is_offer, source, found, None))
            return
        self._end_request()  # it may open after its time limit
        failure = outcome.failure
        if not isinstance(failure, KpviewerError):
            _log.error("Opening %s failed", outcome.name, exc_info=failure)
            message = tr("{name} can't be opened. {reason}")
            failure = KpviewerError(message.format(name=outcome.name, reason=outcome.reason))
        self.arrived.emit(Arrival(text, is_offer, None, FoundGroundTruth(None), failure))


def open_source(text: str | None, ground_truth: GroundTruthProvider | None) -> FrameSource:
    """Make a source on the loader's thread; the pipeline's thread opens it.

    Raises:
        SourceError: if there is no source of that name.
    """
    from kpviewer.sources.open import make_source  # noqa: PLC0415 - the window comes first

    return make_source(text, ground_truth=ground_truth)


def open_turned(
    make: SourceOpener,
    remembered: RememberedSettings,
    text: str | None,
    ground_truth: GroundTruthProvider | None,
) -> TurnedSource:
    """Make a source whose frames are turned as is remembered for it, on the loader's thread."""
    from kpviewer.sources.turned_source import TurnedSource  # noqa: PLC0415 - it loads OpenCV

    source = make(in_kept_format(text, remembered.store.current), ground_truth)
    return TurnedSource(source, partial(remembered.turn, text))


def look_for(
    text: str | None,
    name: str,
    ground_truth: SourceGroundTruth,
    make: Callable[[str | None, GroundTruthProvider | None], SourceT],
) -> tuple[SourceT, FoundGroundTruth]:
    """Find a source and its ground truth, on the loader's thread.

    Raises:
        SourceError: if there is none, or if its disk or device doesn't answer.
    """
    import kpviewer.sources.open  # noqa: F401, PLC0415 - slow, and not part of ANSWER_S

    found = ground_truth.find(text)
    limit_s = ANSWER_S if found.has_answered else LATE_S
    source = made_within(limit_s, text, name, lambda: make(text, found.slot))
    own = own_ground_truth_of(source)
    return source, found if own is None else FoundGroundTruth(own)


def name_of(text: str | None) -> str:
    """Return the name of a source for people, before the source is open."""
    if text is None:
        return tr("the first camera")
    number = camera_index(text)
    if number is not None:
        return tr("camera {number}").format(number=number)
    return redact_url(text) if is_address(text) else Path(text).name or text
