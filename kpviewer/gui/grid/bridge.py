"""Connection between the streams of a grid and its widgets, by timers and signals."""

import time
from dataclasses import replace
from pathlib import Path

from PyQt6.QtCore import QObject

from kpviewer.gui.controllers.any_bridge import AnyBridge
from kpviewer.gui.controllers.playback import Playback
from kpviewer.gui.controllers.view_state import model_line
from kpviewer.gui.grid.panes import GridPanes
from kpviewer.gui.grid.saving import GridSaving
from kpviewer.gui.grid.session import GridSession
from kpviewer.gui.grid.texts import is_outdated, model_failure_line, state_text, total_stats
from kpviewer.gui.language import tr
from kpviewer.gui.opening.model_loading import ModelLoading
from kpviewer.gui.session import Session
from kpviewer.gui.session.base import SessionStatus
from kpviewer.gui.views.video.state_card import Card
from kpviewer.gui.widgets.notice_line import Notice, NoticeLine
from kpviewer.overlay import OverlayStyle
from kpviewer.structures import Thresholds

_CANCEL = "cancel"


class ModelNotice(QObject):
    """Shows a line, with a bar and a link to cancel while a model loads."""

    def __init__(self, line: NoticeLine, models: ModelLoading) -> None:
        super().__init__(line)
        self.line, self._models = line, models
        self._closed = ""
        """Line that the user has closed."""
        line.pressed.connect(models.cancel)
        line.closed.connect(self._on_closed)

    @property
    def text(self) -> str:
        """The line that is shown; empty while there is none."""
        notice = self.line.notice()
        return notice.text if notice is not None else ""

    def show(self, text: str, *, is_loading: bool) -> None:
        """Show a line; an empty one hides it."""
        notice = Notice(text)
        if is_loading:
            notice = Notice(text, ((_CANCEL, tr("Cancel")),), (0, None))
        is_shown = bool(text) and text != self._closed
        self.line.show_notice(notice if is_shown else None)

    def _on_closed(self) -> None:
        notice = self.line.notice()
        if self._models.loading is not None:
            self._models.cancel()
        elif notice is not None:
            self._closed = notice.text
        self.line.show_notice(None)


STATS_MS = 200
ADD = "add"
"""Key of the button of an empty grid."""


class GridBridge(AnyBridge):
    """Bridge of the window of a grid."""

    _panes: GridPanes
    _session: GridSession

    def __init__(self, panes: GridPanes, grid: GridSession, saving: GridSaving) -> None:
        super().__init__(panes, grid, lambda: grid.sessions, STATS_MS)
        self._saving = saving
        self._model_notice = ModelNotice(panes.notices.add(), grid.models)
        self._connect()

    def refresh(self) -> None:
        """Update everything but the images."""
        panes, now_s = self._panes, time.monotonic()
        statuses = self._session.poll()
        self._saving.poll()
        panes.grid.update_names()
        tiles = panes.grid.tiles
        named = zip(statuses, tiles, strict=True)
        statuses = [replace(each, source=tile.name) for each, tile in named]
        can_play = not any(Playback(tile.session).is_playing for tile in panes.grid.shown)
        for tile, status in zip(tiles, statuses, strict=True):
            recording = self._saving.each.state_of(tile.session)
            tile.show_status(status, recording, now_s, can_play=can_play)
            word = state_text(status)
            caption = f"{tile.name} · {word}" if word else tile.name
            self._saving.mosaic.show_state(
                tile.session, caption, tile.view.result(), is_dimmed=is_outdated(status)
            )
        self._show_model(statuses)
        self._show_recording()
        panes.top_bar.set_can_save(any(tile.has_image for tile in tiles))
        self._show_numbers(statuses)

    def _on_frame_tick(self) -> None:
        for tile in self._panes.grid.tiles:
            tile.take_result(self._session.models.current)

    def _show_model(self, statuses: list[SessionStatus]) -> None:
        """Show whether the model loads or fails, and the card of a grid without streams."""
        panes, models = self._panes, self._session.models
        line = models.failure or ""
        if statuses:
            first = replace(statuses[0], waits_for_model=False)
            line = model_line(first) or model_failure_line(statuses)
        self._model_notice.show(line, is_loading=models.loading is not None)
        card = Card(tr("Add cameras, videos or streams to see them side by side."))
        card = replace(card, buttons=((ADD, tr("Add a stream")),))
        panes.grid.card.set_card(None if statuses else card)
        if models.loading is None:
            self._show_model_in_use()

    def _show_recording(self) -> None:
        """Show the state of the recording: on its button, in the title, and in full screen."""
        panes, state, count = self._panes, self._saving.state(), len(self._session.sessions)
        if panes.docks.is_fullscreen:
            message = panes.status_bar.message_text() or self._model_notice.text
            panes.grid.sign.show_state(state, message)
        else:
            panes.grid.sign.show_state(None, "")
        text = tr("1 stream") if count == 1 else tr("{count} streams").format(count=count)
        panes.top_bar.source.set_choice(text)
        self._show_title(f"{text} · kpviewer", state)

    def _show_numbers(self, statuses: list[SessionStatus]) -> None:
        """Show detections by class, and the rates of all streams together."""
        grid = self._panes.grid
        results = [tile.view.current_result() for tile in grid.shown]
        self._show_found([each for each in results if each is not None])
        hidden = [
            each.pipeline
            for tile, each in zip(grid.tiles, statuses, strict=True)
            if each.pipeline is not None and tile not in grid.shown
        ]
        stats = total_stats([each.pipeline for each in statuses if each.pipeline], hidden)
        self._panes.status_bar.show_stats(stats, has_model=self._session.engine is not None)

    def _on_streams_changed(self) -> None:
        for tile in self._panes.grid.set_sessions(self._session.sessions):
            tile.session.source_changed.connect(self.refresh)
        self._on_display_edited()
        self.refresh()

    def _on_stream_told(self, session: Session, text: str) -> None:
        """Show a message on the tile of its stream."""
        for tile in self._panes.grid.tiles:
            if tile.session is session:
                tile.show_note(text, time.monotonic())

    def _on_streams_warned(self, sessions: list[Session], text: str) -> None:
        """Show a warning on the tile that has it last; the line names those that have it."""
        self._on_stream_told(sessions[-1], text)
        tiles = self._panes.grid.tiles
        names = [tile.name for tile in tiles if tile.session in sessions and tile.name not in text]
        is_of_all = 1 < len(sessions) == len(tiles)
        self._panes.say(f"{', '.join(names)}: {text}" if names and not is_of_all else text)

    def _on_model_changed(self) -> None:
        for tile in self._panes.grid.tiles:
            tile.forget_former(self._session.models.current)
        super()._on_model_changed()

    def _select_again(self, thresholds: Thresholds) -> None:
        self._on_display_edited()  # bars are marked at the thresholds
        for tile in self._panes.grid.tiles:  # also those behind an enlarged one
            tile.select_again(thresholds)

    def _use_style(self, style: OverlayStyle) -> None:
        for tile in self._panes.grid.tiles:
            tile.view.set_style(style)
        self._saving.set_style(style)

    def _on_told(self, text: str, saved: Path | None) -> None:
        self._panes.status_bar.show_message(text, saved)

    def _connect(self) -> None:
        grid = self._session
        grid.streams_changed.connect(self._on_streams_changed)
        grid.streams_warned.connect(self._on_streams_warned)
        self._saving.told.connect(self._on_told)
        self._saving.stream_told.connect(self._on_stream_told)
