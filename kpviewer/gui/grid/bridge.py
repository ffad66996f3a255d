"""Connection between the streams of a grid and its widgets, by timers and signals."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from PyQt6.QtCore import QObject, pyqtSignal

from kpviewer.gui.controllers.playback import repeat_frame
from kpviewer.gui.controllers.timers import precise_timer
from kpviewer.gui.controllers.tracking import Tracking
from kpviewer.gui.grid.model_notice import ModelNotice
from kpviewer.gui.grid.panes import GridPanes
from kpviewer.gui.grid.saving import GridSaving
from kpviewer.gui.grid.session import GridSession
from kpviewer.gui.grid.texts import is_outdated, model_failure_line, state_text, total_stats
from kpviewer.gui.language import tr
from kpviewer.gui.opening.loaders import backend_of
from kpviewer.gui.opening.model_titles import title_of
from kpviewer.gui.opening.source_names import name_of
from kpviewer.gui.session import Session
from kpviewer.gui.session_status import SessionStatus
from kpviewer.gui.views.panels.side_panel import Intent
from kpviewer.gui.views.video.state_card import Card
from kpviewer.gui.views.video.view_state import model_line
from kpviewer.structures import Thresholds

FRAME_MS, STATS_MS = 16, 200
ADD = "add"
"""Key of the button of an empty grid."""


class GridBridge(QObject):
    """Owner of the timers that connect streams and widgets; ``stop`` ends them."""

    titled = pyqtSignal(str)
    """Emitted with the title that the window should have."""

    def __init__(self, panes: GridPanes, grid: GridSession, saving: GridSaving) -> None:
        super().__init__(panes.docks)
        self._panes, self._grid, self._saving = panes, grid, saving
        self._model_notice = ModelNotice(panes.notices.add(), grid.models)
        self._tracking = Tracking(lambda: grid.sessions)
        self._timers = [
            precise_timer(self, FRAME_MS, self._on_frame_tick),
            precise_timer(self, STATS_MS, self.refresh),
        ]
        self._connect()

    def stop(self) -> None:
        """Stop the timers and what they drive."""
        for timer in self._timers:
            timer.stop()
        self._tracking.close()

    def refresh(self) -> None:
        """Update everything but the images."""
        panes, now_s = self._panes, time.monotonic()
        statuses = self._grid.poll()
        self._saving.poll()
        tiles = panes.grid.tiles
        for tile, status in zip(tiles, statuses, strict=True):
            tile.show_status(status, self._saving.each.state_of(tile.session), now_s)
            word = state_text(status)
            caption = f"{tile.name} · {word}" if word else tile.name
            self._saving.mosaic.show_state(tile.session, caption, is_dimmed=is_outdated(status))
        self._show_model(statuses)
        self._show_recording()
        panes.top_bar.set_can_save(any(tile.has_image for tile in tiles))
        self._show_numbers(statuses)

    def use_thresholds(self, thresholds: Thresholds) -> None:
        """Set thresholds of the same model in sessions and panels."""
        if self._grid.engine is not None:
            self._grid.set_thresholds(thresholds)
            self._panes.side_panel.show_thresholds(self._grid.engine.spec, thresholds)
            self._select_again(thresholds)

    def _on_frame_tick(self) -> None:
        for tile in self._panes.grid.tiles:
            tile.take_result()

    def _show_model(self, statuses: list[SessionStatus]) -> None:
        """Show whether the model loads or fails, and the card of a grid without streams."""
        panes, models, engine = self._panes, self._grid.models, self._grid.engine
        line = ""
        if statuses:
            first = replace(statuses[0], waits_for_model=False)
            line = model_line(first) or model_failure_line(statuses)
        self._model_notice.show(line, is_loading=models.loading is not None)
        card = Card(tr("Add cameras, videos or streams to see them side by side."))
        card = replace(card, buttons=((ADD, tr("Add a stream")),))
        panes.grid.card.set_card(None if statuses else card)
        if models.loading is None:
            loaded = models.loaded
            title = title_of(loaded.model) if loaded is not None else None
            name = engine.spec.name if engine is not None else tr("None")
            panes.top_bar.model.set_choice(title or name)

    def _show_recording(self) -> None:
        """Show the state of the recording: on its button, in the title, and in full screen."""
        panes, state, count = self._panes, self._saving.state(), len(self._grid.sessions)
        panes.top_bar.show_recording(state)
        if panes.docks.is_fullscreen:
            message = panes.status_bar.message_text() or self._model_notice.text
            panes.grid.sign.show_state(state, message)
        else:
            panes.grid.sign.show_state(None, "")
        text = tr("1 stream") if count == 1 else tr("{count} streams").format(count=count)
        panes.top_bar.source.set_choice(text)
        title = f"{text} · kpviewer"
        self.titled.emit(f"{state.mark} {title}" if state is not None else title)

    def _show_numbers(self, statuses: list[SessionStatus]) -> None:
        """Show detections by class, and the rates of all streams together."""
        panes, engine = self._panes, self._grid.engine
        shown = (tile.view.result() for tile in panes.grid.shown)
        results = [each for each in shown if each is not None and each.has_model]
        found = [result.detections for result in results]
        is_loading = self._grid.models.loading is not None
        count = sum(map(len, found)) if engine is not None and found else None
        panes.side_panel.show_found(count, is_loading=is_loading)
        ids = [each.class_ids for each in found]
        panes.side_panel.classes.show_counts(np.concatenate(ids) if ids else np.zeros(0, np.int64))
        pipelines = [status.pipeline for status in statuses if status.pipeline is not None]
        panes.status_bar.show_stats(total_stats(pipelines), has_model=engine is not None)
        if engine is None:
            panes.status_bar.show_model("", "", None)
        else:
            times = [each.timings.model_ms for each in results]
            mean_ms = sum(times) / len(times) if times else None
            panes.status_bar.show_model(engine.device_name, backend_of(engine), mean_ms)

    def _on_streams_changed(self) -> None:
        for tile in self._panes.grid.set_sessions(self._grid.sessions):
            tile.session.source_changed.connect(self.refresh)
        self._on_display_edited()
        self.refresh()

    def _on_model_changed(self) -> None:
        engine = self._grid.engine
        if engine is None:
            return
        self._panes.side_panel.show_model(engine.spec, self._grid.thresholds)
        self._on_display_edited()
        for session in self._grid.sessions:
            repeat_frame(session)
        self.refresh()

    def _on_stream_told(self, session: Session, text: str) -> None:
        """Show a message on the tile of its stream."""
        for tile in self._panes.grid.tiles:
            if tile.session is session:
                tile.show_note(text, time.monotonic())

    def _on_stream_warned(self, session: Session, text: str) -> None:
        name = session.source_name or name_of(session.source_text)
        self._on_stream_told(session, text)
        self._panes.say(text if name in text else f"{name}: {text}")

    def _on_thresholds_edited(self) -> None:
        thresholds = self._panes.side_panel.edited_thresholds()
        self._grid.set_thresholds(thresholds)
        self._select_again(thresholds)

    def _select_again(self, thresholds: Thresholds) -> None:
        """Select detections again from the candidates on the screen."""
        self._on_display_edited()  # bars are marked at the thresholds
        for tile in self._panes.grid.shown:
            tile.select_again(thresholds)

    def _on_display_edited(self) -> None:
        engine = self._grid.engine
        spec = engine.spec if engine is not None else None
        style = self._panes.side_panel.overlay_style(spec, self._grid.thresholds)
        self._tracking.set_style(style)
        if self._tracking.is_waiting:
            self._panes.say(tr("Tracking starts in a moment …"))
        for tile in self._panes.grid.tiles:
            tile.view.set_style(style)
        self._saving.set_style(style)

    def _on_told(self, text: str, saved: Path | None) -> None:
        self._panes.status_bar.show_message(text, saved)

    def _connect(self) -> None:
        panes, grid = self._panes, self._grid
        grid.streams_changed.connect(self._on_streams_changed)
        grid.model_changed.connect(self._on_model_changed)
        grid.stream_warned.connect(self._on_stream_warned)
        self._saving.told.connect(self._on_told)
        self._saving.stream_told.connect(self._on_stream_told)
        panes.side_panel.thresholds_edited.connect(self._on_thresholds_edited)
        panes.side_panel.sections[Intent.ACT].entered.connect(self._tracking.prepare)
        panes.side_panel.display.changed.connect(self._on_display_edited)
