"""Link between the timeline and the session: thumbnails, marks, go to, files of a folder."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from PyQt6.QtCore import QObject

from kpviewer.gui.background.loader import BackgroundLoader
from kpviewer.gui.controllers.playback import Playback
from kpviewer.gui.keys import Act, key_of
from kpviewer.gui.language import tr
from kpviewer.gui.main_window.scan_targets import source_name
from kpviewer.gui.opening.loaders import SourceOpener
from kpviewer.gui.opening.source_opening import open_turned
from kpviewer.gui.scanning.analysis import Analysis
from kpviewer.gui.session import Session
from kpviewer.gui.settings.recent import markable_source, with_marks
from kpviewer.gui.settings.remembered import RememberedSettings
from kpviewer.gui.views.panes import Panes
from kpviewer.gui.views.timeline.file_list import FileList
from kpviewer.gui.views.timeline.hovering import Hovering
from kpviewer.runtime.process.loading import Outcome
from kpviewer.scanning.lanes import Lanes
from kpviewer.sources.base import FrameSource, file_names, is_folder, original_of
from kpviewer.sources.naming import GENERATED

WORST, WORST_APART = 10, 0.02
"""Number of worst frames that have a sign; least distance of two as a share of the source."""
UNUSUAL = 2.0
"""Error from which a frame without mistakes may be one of them, as a multiple of the median."""


class TimelineLink(QObject):
    """Owner of the user's marks and of what the timeline reads in the background; see ``close``."""

    def __init__(
        self,
        panes: Panes,
        session: Session,
        playback: Playback,
        analysis: Analysis,
        remembered: RememberedSettings,
        open_source: SourceOpener,
    ) -> None:
        super().__init__(panes.transport)
        self._panes, self._bar = panes, panes.transport
        self._session, self._playback, self._store = session, playback, remembered.store
        self._open_source = partial(open_turned, open_source, remembered)
        self.hovering = Hovering(self._bar, self._may_show)
        self.files = FileList(self._bar)
        self.files.chosen.connect(playback.show)
        self._listing = BackgroundLoader()
        self._names: Sequence[str] = ()
        self.marks: tuple[int, ...] = ()
        """Frames that the user marked, ascending."""
        self._worst: tuple[int, ...] = ()
        session.source_changed.connect(self._on_source_changed)
        session.opened.connect(self._on_opened)
        analysis.lanes_changed.connect(self.show_lanes)

    @property
    def acts(self) -> Mapping[Act, Callable[[], object]]:
        """Functions of the keys of the timeline."""
        return {
            Act.GO_TO: self.go_to,
            Act.MARK: self.toggle_mark,
            Act.NEXT_MARK: partial(self.go_to_sign, 1),
            Act.PREVIOUS_MARK: partial(self.go_to_sign, -1),
        }

    def show_lanes(self, lanes: Lanes | None) -> None:
        """Show what was found in every frame; None: nothing was scanned."""
        lack = self._lack()
        self._bar.show_lanes(lanes, self._session.thresholds.score, lack)
        self._panes.plots.show_lack(lack)
        self._worst = worst_of(lanes) if lanes is not None else ()
        self._bar.strip.set_signs(self.marks, self._worst)
        self.hovering.refresh()
        found = lanes.found if lanes is not None and not lanes.first else np.zeros(0, np.int32)
        self.files.model.set_counts(found)

    def _lack(self) -> str:
        """Return why there are no errors, for people; empty if they may still come."""
        annotated = self._session.ground_truth
        if annotated.problem:
            return tr("annotations can't be compared")
        is_known = annotated.is_known or source_name(self._session) in GENERATED
        return "" if is_known else tr("needs annotations")

    def go_to(self) -> None:
        """Ask for a position: in the list of files for a folder, else in the frame's number."""
        if self._names:
            self._list_files()
            self.files.show_over(self._bar.position, self._playback.index)
        else:
            self._bar.edit_position()

    def toggle_mark(self) -> None:
        """Mark the present frame, or remove its mark."""
        info = self._session.info
        if info is None or not info.is_seekable:
            self._panes.say(tr("Only frames of files can be marked"))
            return
        self.marks = tuple(sorted({*self.marks} ^ {self._playback.index}))
        self._bar.strip.set_signs(self.marks, self._worst)
        source = markable_source(self._session.source_text)
        if source is not None:
            self._store.edit(partial(with_marks, source=source, frames=self.marks))

    def go_to_sign(self, direction: int) -> None:
        """Pause at the next mark or worst frame, forward (1) or back (-1)."""
        here, signs = self._playback.index, sorted({*self.marks, *self._worst})
        ahead = [sign for sign in signs if (sign - here) * direction > 0]
        if ahead:
            self._playback.show(ahead[0] if direction > 0 else ahead[-1])
        else:
            key = key_of(Act.MARK)
            none = tr("No mark yet. {key} marks this frame.") if key else tr("No mark yet.")
            none = tr("No more marks in this direction") if signs else none
            self._panes.say(none.format(key=key))

    def close(self) -> None:
        """Let go of what runs in the background."""
        self._listing.close()
        self.hovering.close()

    def _on_source_changed(self) -> None:
        self.marks = self._worst = ()
        self._names = ()
        self._listing.cancel()
        self.files.hide()
        self.hovering.hide()
        self.hovering.thumbnails.set_source(None)

    def _on_opened(self) -> None:
        session = self._session
        info, text = session.info, session.source_text
        if info is None or info.is_live or not info.is_seekable:
            return
        source = markable_source(text)
        kept = self._store.current.marks.get(source, ()) if source is not None else ()
        count = info.frame_count
        self.marks = tuple(sorted(each for each in kept if count is None or each < count))
        self._bar.strip.set_signs(self.marks, self._worst)
        # Without a name, no camera was there: opening that again might open one.
        make = partial(_other_source, self._open_source, text or "demo", session.source)
        self.hovering.thumbnails.set_source(make)
        if is_folder(session.source):
            self._list_files()

    def _list_files(self) -> None:
        """List the files on a thread: a folder may hold many thousands."""
        self._listing.submit("files", partial(file_names, self._session.source), self._on_listed)

    def _on_listed(self, outcome: Outcome[list[str]]) -> None:
        if outcome.value:
            self._names = outcome.value
            self._bar.set_files(self._names)
            self.files.model.set_names(self._names)

    def _may_show(self) -> bool:
        """Return whether frames may be shown as they are."""
        return not self._panes.side_panel.display.style_of_overlay.anonymise


def worst_of(lanes: Lanes) -> tuple[int, ...]:
    """Return the worst frames, ascending: those with mistakes, or with an unusual error."""
    apart = max(round(len(lanes) * WORST_APART), 1)
    deviation = lanes.deviation_px
    known = deviation[np.isfinite(deviation)]
    limit = UNUSUAL * float(np.median(known)) if len(known) else np.inf
    is_bad = (lanes.mistakes > 0) | (deviation > limit)
    return tuple(sorted(each for each in lanes.worst(WORST, apart) if is_bad[each - lanes.first]))


def _other_source(make: SourceOpener, text: str, present: FrameSource | None) -> FrameSource | None:
    """Return a second source of the same name; None if there is only one object for it."""
    source = make(text, None)
    return None if original_of(source) is original_of(present) else source
