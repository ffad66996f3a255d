"""The ground truth of the source that is watched: given, chosen, or found beside it.

Sources and models are loaded by two threads, and either may be done first: each leaves here what it
knows, then numbers the ground truth by what is known of both.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from kpviewer.annotations.beside import ground_truth_beside
from kpviewer.annotations.ground_truth import AnnotationGroundTruth, read_ground_truth
from kpviewer.annotations.spec import split_extra
from kpviewer.errors import DatasetError
from kpviewer.gui.background import BackgroundLoader
from kpviewer.gui.language import tr
from kpviewer.runtime.abandoned import NoAnswerError, answer_within
from kpviewer.runtime.loading import Outcome
from kpviewer.sources.base import GroundTruthProvider
from kpviewer.structures import GroundTruth

_log = logging.getLogger(__name__)


SEARCH_S = 1.5
"""For the folder of a source to answer."""


class GroundTruthSlot:
    """Ground truth of an open source, replaceable while it plays: a GroundTruthProvider."""

    def __init__(self, ground_truth: GroundTruthProvider | None) -> None:
        self._ground_truth = ground_truth
        self._held: tuple[Sequence[Path], int | None] | None = None

    def put(self, ground_truth: GroundTruthProvider) -> None:
        """Use another ground truth from the next frame on; on another thread than the window's."""
        if self._held is not None:
            ground_truth.set_source_files(*self._held)
        self._ground_truth = ground_truth

    def set_source_files(self, files: Sequence[Path], frames: int | None = None) -> None:
        """Learn what the source holds, for the ground truth of now and those to come."""
        self._held = (files, frames)
        if self._ground_truth is not None:
            self._ground_truth.set_source_files(files, frames)

    def for_frame(
        self, index: int, name: str, size_wh: tuple[int, int] | None = None
    ) -> GroundTruth | None:
        """Return the ground truth of one frame, None where nothing is known."""
        ground_truth = self._ground_truth
        return None if ground_truth is None else ground_truth.for_frame(index, name, size_wh)


@dataclass(frozen=True, slots=True)
class FoundGroundTruth:
    """What was found for a source."""

    ground_truth: GroundTruthProvider | None
    news: str | None = None
    """One line for people; None where there is nothing to tell."""
    slot: GroundTruthSlot | None = None
    """Where the source looks it up; None where a source can't have any."""


class SourceGroundTruth(QObject):
    """Finds ground truth, and numbers its classes as the model does.

    Args:
        source: that ``given`` is for.
        given: ground truth that the command line names; None: there is none.
    """

    changed = pyqtSignal()
    """The open source has another ground truth, which was asked for with ``read``."""

    def __init__(self, source: str | None = None, given: GroundTruthProvider | None = None) -> None:
        super().__init__()
        self._chosen: dict[str | None, GroundTruthProvider | str] = {}
        if given is not None:
            self._chosen[source] = given
        self._ground_truth: GroundTruthProvider | None = given
        self._class_names: tuple[str, ...] = ()
        self._news: str | None = None
        self._told: set[str] = set()
        self._slot: GroundTruthSlot | None = None
        self._reader = BackgroundLoader()

    def read(self, source: str | None, spec: str) -> bool:
        """Begin to read annotations for the open source; ``changed`` follows if they can be used.

        Annotations that can't be read change nothing, and ``take_news`` says why.

        Args:
            source: as typed; it keeps these annotations when it is opened again.
            spec: as for ``read_annotations``.

        Returns:
            Whether the source can have any.
        """
        slot, names = self._slot, self._class_names
        if slot is None:
            return False
        self._reader.submit(
            spec, lambda: _put(slot, spec, names), partial(self._on_read, source, spec)
        )
        return True

    def close(self) -> None:
        """Let go of annotations that are being read."""
        self._reader.close()

    def find(self, source: str | None) -> FoundGroundTruth:
        """Read the ground truth of a source that is about to be opened; change nothing.

        It may hang, so it runs on a thread of its own. What can't be read leaves the source without
        ground truth; the news say why.
        """
        spec, is_file = self._chosen.get(source), False
        if spec is None and source is not None:
            try:
                is_file, spec = answer_within(
                    SEARCH_S, lambda: _beside(source), "looking for ground truth"
                )
            except NoAnswerError:
                news = tr("No ground truth: the folder of {name} doesn't answer.")
                return FoundGroundTruth(None, news.format(name=Path(source).name))
        found = _read(spec) if isinstance(spec, str) else FoundGroundTruth(spec)
        if is_file or spec is not None:
            found = replace(found, slot=GroundTruthSlot(found.ground_truth))
        if isinstance(found.ground_truth, AnnotationGroundTruth) and self._class_names:
            found.ground_truth.prepare_classes(self._class_names)
        return found

    def use(self, found: FoundGroundTruth) -> None:
        """Number this ground truth from now on, and tell what became of it."""
        self._ground_truth, self._news, self._slot = found.ground_truth, found.news, found.slot
        self._told = set()
        self._number()

    def prepare_classes(self, class_names: Sequence[str]) -> None:
        """Do the slow part of ``use_classes``; on another thread than the window's."""
        ground_truth = self._ground_truth
        if isinstance(ground_truth, AnnotationGroundTruth):
            ground_truth.prepare_classes(class_names)

    def use_classes(self, class_names: Sequence[str]) -> None:
        """Number the ground truth as another model does."""
        self._class_names = tuple(class_names)
        self._number()

    @property
    def category_ids(self) -> Mapping[int, int] | None:
        """Categories of a COCO ground truth by class id; None where there is none."""
        return (
            self._ground_truth.category_ids
            if isinstance(self._ground_truth, AnnotationGroundTruth)
            else None
        )

    def take_news(self) -> str | None:
        """Say once what became of the ground truth; None where there is nothing new.

        What is left out of it is known in part when it is read, in part when the source is open.
        """
        news, self._news = [self._news] if self._news else [], None
        ground_truth = self._ground_truth
        notes = ground_truth.notes if isinstance(ground_truth, AnnotationGroundTruth) else ()
        for note in notes:
            kind = note.partition(":")[0]  # behind it may stand a count that goes on growing
            if kind not in self._told:
                self._told.add(kind)
                news.append(note.removesuffix(".") + ".")
        return " ".join(news) or None

    def _on_read(self, source: str | None, spec: str, outcome: Outcome[FoundGroundTruth]) -> None:
        found = outcome.value
        if found is None:
            self._news = tr("No ground truth: {reason}").format(reason=outcome.reason)
        elif found.ground_truth is None:
            self._news = found.news
        elif found.slot is self._slot:
            self._chosen[source] = spec
            self.use(found)
            self.changed.emit()

    def _number(self) -> None:
        ground_truth, names = self._ground_truth, self._class_names
        if not names or not isinstance(ground_truth, AnnotationGroundTruth):
            return
        try:
            ground_truth.use_classes(names)
        except DatasetError as error:
            _log.warning("Nothing is compared with the ground truth. %s", error)
            self._news = tr("Nothing is compared with the ground truth. {reason}").format(
                reason=error
            )


def _beside(source: str) -> tuple[bool, str | None]:
    """Return whether a source is a file or a folder, and what lies beside it."""
    is_there = os.path.exists(source)  # False, too, for a name that no file can have
    return is_there, ground_truth_beside(Path(source)) if is_there else None


def _put(slot: GroundTruthSlot, spec: str, class_names: Sequence[str]) -> FoundGroundTruth:
    """Read annotations and, if that goes well, put them in a slot."""
    found = _read(spec)
    if isinstance(found.ground_truth, AnnotationGroundTruth):
        if class_names:
            with suppress(DatasetError):  # ``use`` tells of it
                found.ground_truth.use_classes(class_names)
        slot.put(found.ground_truth)
    return replace(found, slot=slot)


def _read(spec: str) -> FoundGroundTruth:
    try:
        ground_truth = read_ground_truth(spec, ())
    except DatasetError as error:
        return FoundGroundTruth(None, tr("No ground truth: {reason}").format(reason=error))
    place, _ = split_extra(spec.partition(":")[2] or spec)
    return FoundGroundTruth(
        ground_truth, tr("Ground truth from {name}").format(name=Path(place).name) + "."
    )
