"""Rotation and mirroring of the open source, as its menu offers them."""

from dataclasses import replace
from functools import partial

from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QMenu

from kpviewer.gui.controllers.playback import Playback
from kpviewer.gui.controllers.saving import Saving
from kpviewer.gui.language import tr
from kpviewer.gui.session import Session
from kpviewer.gui.settings.remembered import RememberedSettings
from kpviewer.gui.views.video.frame_view import FrameView
from kpviewer.gui.widgets.menu_entries import add_entry, add_submenu
from kpviewer.sources.turn import Turn


class Turning(QObject):
    """Turns the frames of the open source, which is reopened for that, and remembers it."""

    def __init__(
        self,
        session: Session,
        remembered: RememberedSettings,
        view: FrameView,
        playback: Playback,
        saving: Saving,
    ) -> None:
        super().__init__(session)
        self._session, self._remembered, self._view = session, remembered, view
        self._playback, self._saving = playback, saving
        self._place: tuple[int, bool, tuple[int, ...]] | None = None
        """Frame to return to, whether it plays, and A-B loop; None for another source."""
        session.source_changed.connect(self._on_source_changed)
        session.opened.connect(self._on_opened)

    @property
    def turn(self) -> Turn:
        """Turn of the open source."""
        info = self._session.info
        return Turn() if info is None else self._remembered.turn(self._session.source_text, info)

    def use(self, turn: Turn) -> None:
        """Turn the frames of the open source; a seekable one returns to the frame on the screen."""
        info, result = self._session.info, self._view.result()
        if info is None or turn == self.turn:
            return
        index = result.frame.index if result is not None and info.is_seekable else 0
        place = index, self._playback.is_playing, self._playback.ab
        self._remembered.set_turn(self._session.source_text, info, turn)
        self._session.reopen()
        self._place = place

    def add_to(self, menu: QMenu) -> None:
        """Add a submenu for the open source; live ones can be mirrored, too."""
        info, turn = self._session.info, self.turn
        if info is None:
            return
        title = tr("Rotate and mirror") if info.is_live else tr("Rotate")
        submenu = add_submenu(menu, title, "rotate")
        submenu.setEnabled(self._saving.recorded_s is None)
        add_entry(submenu, tr("Rotate by 90°"), partial(self.use, turn.rotated()))
        if info.is_live:
            mirrored = replace(turn, is_mirrored=not turn.is_mirrored)
            is_on = turn.is_mirrored
            add_entry(submenu, tr("Mirror"), partial(self.use, mirrored), is_on=is_on)
        if turn != Turn():
            add_entry(submenu, tr("Original"), partial(self.use, Turn()))

    def _on_source_changed(self) -> None:
        self._place = None

    def _on_opened(self) -> None:
        place, self._place = self._place, None
        if place is None:
            return
        index, was_playing, ab = place
        self._playback.set_ab(ab)
        if self._playback.is_playing and not was_playing:
            self._playback.toggle()
        if index or not was_playing:  # some frames have passed before the pause
            self._playback.seek(index)
