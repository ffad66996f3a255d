"""Ground truth of the open source: given, chosen, or found beside it.

Sources and models are loaded on two threads, and either may come first. Each stores here what it
knows; classes and keypoints of the ground truth are then numbered as those of the model.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from kpviewer.annotations.beside import ground_truth_beside
from kpviewer.annotations.ground_truth import read_ground_truth
from kpviewer.annotations.spec import split_extra
from kpviewer.errors import DatasetError
from kpviewer.gui.background.loader import BackgroundLoader
from kpviewer.gui.language import tr
from kpviewer.gui.opening.ground_truth_lookup import GroundTruthLookup
from kpviewer.runtime.process.abandoned import NoAnswerError, answer_within
from kpviewer.runtime.process.loading import Outcome
from kpviewer.sources.base import GroundTruthProvider, NamedGroundTruth
from kpviewer.structures import GroundTruth

_log = logging.getLogger(__name__)


SEARCH_S = 4.0
"""Time for the folder of a source to answer, in seconds; large ones and busy machines are slow."""


class GroundTruthSlot:
    """GroundTruthProvider of an open source, whose ground truth can be replaced while it plays."""

    def __init__(self, ground_truth: GroundTruthProvider | None) -> None:
        self._ground_truth = ground_truth
        self._held: tuple[Sequence[Path], int | None] | None = None

    def put(self, ground_truth: GroundTruthProvider) -> None:
        """Use another ground truth from the next frame on; not to be called on the GUI thread."""
        if self._held is not None:
            ground_truth.set_source_files(*self._held)
        self._ground_truth = ground_truth

    @property
    def files(self) -> Sequence[Path]:
        """The images of the source, or its one video; none until it is open."""
        return () if self._held is None else self._held[0]

    def set_source_files(self, files: Sequence[Path], frames: int | None = None) -> None:
        """Keep the files of the source, for the present and for later ground truth."""
        self._held = (files, frames)
        if self._ground_truth is not None:
            self._ground_truth.set_source_files(files, frames)

    def for_frame(
        self, index: int, name: str, size_wh: tuple[int, int] | None = None
    ) -> GroundTruth | None:
        """Return the ground truth of one frame; None if it has none."""
        ground_truth = self._ground_truth
        return None if ground_truth is None else ground_truth.for_frame(index, name, size_wh)


_FITS_NOTHING = ("ground truth fits 0 of", "ground truth fits no frame")
"""How the notes of ``AnnotationGroundTruth`` begin if no frame has ground truth."""


@dataclass(frozen=True, slots=True)
class FoundGroundTruth:
    """Ground truth that was found for a source."""

    ground_truth: GroundTruthProvider | None
    news: str | None = None
    """Message for the user, in one line; None if there is none."""
    slot: GroundTruthSlot | None = None
    """Provider that the source asks; None if the source can't have ground truth."""
    has_answered: bool = True
    """Whether the folder of the source answered the search."""


class SourceGroundTruth(QObject):
    """Finds ground truth, and numbers its classes and keypoints as the model does."""

    changed = pyqtSignal()
    """The open source has another ground truth, which was asked for with ``read``."""

    def __init__(
        self,
        source: str | None = None,
        given: GroundTruthProvider | None = None,
        chosen: dict[str | None, GroundTruthProvider | str] | None = None,
    ) -> None:
        """Prepare; ``chosen``: what was chosen by source, as kept from window to window."""
        super().__init__()
        self._chosen = {} if chosen is None else chosen
        if given is not None:
            self._chosen.setdefault(source, given)
        self._ground_truth: GroundTruthProvider | None = given
        self._names: tuple[Sequence[str], Sequence[str]] = ((), ())
        self._news: str | None = None
        self.problem = ""
        """Why nothing is compared with the ground truth of the source, in one line, or ""."""
        self._reported: set[str] = set()
        self._slot: GroundTruthSlot | None = None
        self._reader = BackgroundLoader()

    @property
    def is_possible(self) -> bool:
        """Whether the open source can have ground truth."""
        return self._slot is not None

    def read(self, source: str | None, spec: str) -> None:
        """Begin to read annotations for the open source; ``changed`` follows if they can be used.

        Annotations that can't be read change nothing, and ``take_news`` says why.
        """
        slot, names = self._slot, self._names
        if slot is None:
            return
        self._reader.submit(
            spec, lambda: _put(slot, spec, names), partial(self._on_read, source, spec, slot)
        )

    def close(self) -> None:
        """Let go of annotations that are being read."""
        self._reader.close()

    def find(self, source: str | None) -> FoundGroundTruth:
        """Read the ground truth of a source that is about to be opened; change nothing.

        To be called on a thread, as it may hang. A source whose annotations can't be read has no
        ground truth; ``news`` says why.
        """
        spec, is_file = self._chosen.get(source), False
        if spec is None and source is not None:
            try:
                is_file, spec = answer_within(
                    SEARCH_S, lambda: _beside(source), "looking for ground truth"
                )
            except NoAnswerError:
                news = tr("No ground truth: the folder of {name} doesn't answer.")
                news = news.format(name=Path(source).name)
                return FoundGroundTruth(None, news, has_answered=False)
        found = _read(spec) if isinstance(spec, str) else FoundGroundTruth(spec)
        if is_file or spec is not None:
            found = replace(found, slot=GroundTruthSlot(found.ground_truth))
        if isinstance(found.ground_truth, NamedGroundTruth) and self._names[0]:
            found.ground_truth.prepare_names(*self._names)
        return found

    def use(self, found: FoundGroundTruth) -> None:
        """Use this ground truth from now on; its news are for ``take_news``."""
        self._ground_truth, self._news, self._slot = found.ground_truth, found.news, found.slot
        self.problem = (found.news or "") if found.ground_truth is None else ""
        self._reported = set()
        self._number()

    def prepare_names(self, class_names: Sequence[str], keypoint_names: Sequence[str]) -> None:
        """Do the slow part of ``use_names``; not to be called on the GUI thread."""
        ground_truth = self._ground_truth
        if isinstance(ground_truth, NamedGroundTruth):
            ground_truth.prepare_names(class_names, keypoint_names)

    def use_names(self, class_names: Sequence[str], keypoint_names: Sequence[str]) -> None:
        """Number classes and keypoints of the ground truth as another model does."""
        self._names = (class_names, keypoint_names)
        self._number()

    def lookup(self) -> GroundTruthLookup | None:
        """Return the ground truth of the open source for other threads; None if it has none."""
        ground_truth, slot = self._ground_truth, self._slot
        if ground_truth is None:
            return None
        if isinstance(ground_truth, NamedGroundTruth):
            ground_truth = ground_truth.copy()
        return GroundTruthLookup(ground_truth, () if slot is None else slot.files)

    @property
    def is_known(self) -> bool:
        """Whether the open source has ground truth that can be compared."""
        return self._ground_truth is not None and not self.problem

    @property
    def spec(self) -> str:
        """Specification of the annotations, for another process; "" without any in a file."""
        ground_truth = self._ground_truth
        return ground_truth.spec if isinstance(ground_truth, NamedGroundTruth) else ""

    @property
    def category_ids(self) -> Mapping[int, int | str] | None:
        """COCO category ids by class id; None if the ground truth isn't COCO."""
        return (
            self._ground_truth.category_ids
            if isinstance(self._ground_truth, NamedGroundTruth)
            else None
        )

    def take_news(self) -> str | None:
        """Return the news about the ground truth, each once; None if there are none.

        Notes on what was left out appear when it is read, and more when the source is open.
        """
        news, self._news = [self._news] if self._news else [], None
        ground_truth = self._ground_truth
        notes = ground_truth.notes if isinstance(ground_truth, NamedGroundTruth) else ()
        for note in notes:
            kind = note.partition(":")[0]  # a growing count may follow
            if kind not in self._reported:
                self._reported.add(kind)
                news.append(_sentence(note))
            if note.startswith(_FITS_NOTHING):
                self.problem = _sentence(note)
        return " ".join(news) or None

    def _on_read(
        self,
        source: str | None,
        spec: str,
        slot: GroundTruthSlot,
        outcome: Outcome[FoundGroundTruth],
    ) -> None:
        found = outcome.value
        if slot is not self._slot:  # another source was opened meanwhile
            return
        if found is None or found.ground_truth is None:
            reason = tr("No ground truth: {reason}").format(reason=outcome.reason)
            self._news = reason if found is None else found.news
            if not self.is_known:  # else the former one is compared, as before
                self.problem = self._news or ""
        else:
            self._chosen[source] = spec
            self.use(found)
            self.changed.emit()

    def _number(self) -> None:
        ground_truth, names = self._ground_truth, self._names
        if not names[0] or not isinstance(ground_truth, NamedGroundTruth):
            return
        try:
            ground_truth.use_names(*names)
        except DatasetError as error:
            problem = tr("Nothing is compared with the ground truth. {reason}").format(reason=error)
            if problem != self.problem:  # a model that loads in two steps has the same names twice
                _log.warning("Nothing is compared with the ground truth. %s", error)
                self._news = self.problem = problem
        else:
            self.problem = ""


def _sentence(note: str) -> str:
    """Return a note as a sentence; one that begins with a file's name keeps its letters."""
    first = note[:1].upper() if note.partition(" ")[0].isalpha() else note[:1]
    return f"{first}{note[1:].removesuffix('.')}."


def _beside(source: str) -> tuple[bool, str | None]:
    """Return whether a source is a file or folder, and the annotations beside it."""
    is_there = os.path.exists(source)  # False, too, for a name that no file can have
    return is_there, ground_truth_beside(Path(source)) if is_there else None


def _put(
    slot: GroundTruthSlot, spec: str, names: tuple[Sequence[str], Sequence[str]]
) -> FoundGroundTruth:
    """Read annotations and, if that succeeds, put them in a slot."""
    found = _read(spec)
    if isinstance(found.ground_truth, NamedGroundTruth):
        if names[0]:
            with suppress(DatasetError):  # ``use`` reports it
                found.ground_truth.use_names(*names)
        slot.put(found.ground_truth)
    return replace(found, slot=slot)


def _read(spec: str) -> FoundGroundTruth:
    try:
        ground_truth = read_ground_truth(spec, ())
    except DatasetError as error:
        return FoundGroundTruth(None, tr("No ground truth: {reason}").format(reason=error))
    path, _ = split_extra(spec.partition(":")[2] or spec)
    return FoundGroundTruth(
        ground_truth, tr("Ground truth from {name}").format(name=Path(path).name) + "."
    )
