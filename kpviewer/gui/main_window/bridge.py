"""Connection between the session and the widgets: timers update widgets, signals pass on edits.

The newest result goes to the view 60 times a second, numbers go to panels and plots 10 times a
second, and shortly after the image when thresholds change. No Qt signal carries a frame: a slow
window can't make a queue grow.
"""

import logging
import time
from dataclasses import replace

from kpviewer.gui.controllers.any_bridge import AnyBridge
from kpviewer.gui.controllers.playback import Playback, current_stats, is_playing
from kpviewer.gui.controllers.recording_setup import recording_state
from kpviewer.gui.controllers.saving import Saving
from kpviewer.gui.controllers.view_state import describe, silence_text
from kpviewer.gui.language import tr
from kpviewer.gui.main_window.opener import Opener
from kpviewer.gui.main_window.real_speed import RealSpeed
from kpviewer.gui.main_window.scanning import Scanning
from kpviewer.gui.main_window.scores_link import ScoresLink
from kpviewer.gui.main_window.slow_models import SlowModels
from kpviewer.gui.session import Session
from kpviewer.gui.session.played_results import PlayedResults
from kpviewer.gui.views.panes import Panes
from kpviewer.overlay import OverlayStyle
from kpviewer.pipeline.results.reselecting import of_models, reselected
from kpviewer.sources.base import frame_times_s
from kpviewer.structures import FrameError, FrameResult, Thresholds

STATS_MS = 100
TICKS_PER_PLOT = 2

_log = logging.getLogger(__name__)


class Bridge(AnyBridge):
    """Bridge of the window of one source."""

    _panes: Panes
    _session: Session

    def __init__(self, panes: Panes, opener: Opener, saving: Saving, scanning: Scanning) -> None:
        session = opener.session
        super().__init__(panes, session, lambda: (session,), STATS_MS)
        self._saving, self._compare = saving, opener.compare
        self.playback = Playback(session)
        self._scanning, self.analysis = scanning, scanning.analysis
        self._played = session.played = PlayedResults()
        self.scores = ScoresLink(panes.side_panel, opener, scanning, self.playback)
        self._speed = RealSpeed(panes, session, self.playback)
        self._has_image, self._are_numbers_old, self._ticks = False, False, 0
        self._connect()
        SlowModels(self._session, self._compare, saving)
        panes.side_panel.thresholds.set_thresholds(self._session.thresholds)

    def stop(self) -> None:
        """Stop the timers and what they drive."""
        super().stop()
        self._scanning.stop()

    def refresh(self) -> None:
        """Update everything but the image."""
        panes, status = self._panes, self._session.poll()
        self._saving.poll()
        state = describe(status, has_image=self._has_image)
        panes.view.card.set_card(state.card)
        chip = panes.view.chip
        chip.show_line(state.chip, can_cancel=state.can_cancel, can_close=state.can_close)
        panes.pair.set_dimmed(state.is_dimmed)
        if state.hides_image and panes.view.result() is not None:
            panes.view.clear()
        panes.transport.show_state(
            playing=status.pipeline is not None and is_playing(status.pipeline.state),
            loop=self._session.loops,
            speed=self._session.speed,
            ab=self.playback.ab,
            lossless=self._session.lossless is True,
        )
        self._show_recording(silence_text(status.pipeline) if status.pipeline is not None else "")
        panes.top_bar.set_can_save(self._has_image)
        if status.loading_model is None:  # after a load that failed, the previous model stays
            self._show_model_in_use()
        lacks_model = self._session.engine is None and status.loading_model is None
        panes.transport.strip.set_lacks_model(lacks_model=lacks_model)
        panes.side_panel.score.frames.set_lacks_model(lacks_model=lacks_model)
        now = time.monotonic()
        if status.pipeline is None or state.hides_image:
            panes.status_bar.clear_stats()
        else:
            has_model = self._session.engine is not None
            stats = current_stats(status.pipeline)
            panes.status_bar.show_stats(stats, has_model=has_model)
            panes.plots.add_stats(now, stats, has_model=has_model)
        self._ticks += 1
        if self._ticks % TICKS_PER_PLOT == 0:  # drawing costs more than everything else
            panes.plots.draw(now)
        self._show_result_numbers()

    def _on_frame_tick(self) -> None:
        if self._are_numbers_old:  # by now the image is painted
            self._are_numbers_old = False
            self.scores.set_thresholds(self._session.thresholds)
            self._show_result_numbers()
            if (shown := self._panes.view.current_result()) is not None:
                self._panes.status_bar.note_error(shown.error, _difference_of(shown))
        if self._session.info is not None:
            for played in self._played.take():
                self.analysis.add(self._of_present(played))
        result = self._session.take_result()
        if result is None:
            return
        result = self._of_present(result)
        self._has_image = True
        self._panes.view.show_result(result)
        now, difference = time.monotonic(), _difference_of(result)
        self._panes.plots.add_frame(now, result.timings, result.error, difference)
        self._panes.status_bar.note_error(result.error, difference)
        frame = result.frame
        self.playback.index = frame.index
        self._panes.transport.show_frame(frame)
        self._panes.transport.add_live(result)
        self._panes.status_bar.show_source(self._session.info, frame)

    def _show_result_numbers(self) -> None:
        result = self._panes.view.current_result()
        self.scores.show_result(result)
        self._show_found([] if result is None else [result])
        if result is not None and result.frame.ground_truth is not None:
            self._panes.side_panel.offer_score()

    def _show_recording(self, silence: str) -> None:
        """Show the state of the recording: on its button, in the title, and in full screen.

        ``silence`` says why no frames come; empty if they do, or the video is paused.
        """
        panes, state = self._panes, recording_state(self._saving.recordings)
        if state is not None:
            waits = bool(silence) or not self.playback.is_playing
            state = replace(state, is_waiting=waits, silence=silence)
        is_clean = panes.docks.is_fullscreen
        panes.view.sign.show_state(
            state if is_clean else None, panes.status_bar.message_text() if is_clean else ""
        )
        name = self._session.source_name
        title = f"{name} · kpviewer" if name else "kpviewer"
        self._show_title(self._speed.titled(title), state)

    def _on_painted(self) -> None:
        pipeline, result = self._session.pipeline, self._panes.view.result()
        if pipeline is not None and result is not None:
            pipeline.note_displayed(result)

    def _on_source_changed(self) -> None:
        self._has_image = False
        self.scores.set_source(None)
        self.playback.forget()
        name = self._session.source_name
        self._panes.top_bar.source.set_choice(name or tr("None"))
        self._panes.transport.set_info(None)
        self._panes.status_bar.show_source(None)
        self._panes.plots.set_source(None)
        self._panes.view.clear()
        self._panes.view.fit()
        self.refresh()

    def _on_opened(self) -> None:
        info = self._session.info
        self.scores.set_source(info)
        self._panes.top_bar.source.set_choice(self._session.source_name or tr("None"))
        self._panes.transport.set_info(info, frame_times_s(self._session.source))
        self._panes.status_bar.show_source(info)
        self._panes.plots.set_source(info.nominal_fps if info is not None else None)

    def _on_ground_truth_changed(self) -> None:
        result = self._panes.view.result()
        if result is not None:
            self.playback.read_again(result.frame.index)  # with its ground truth

    def _of_present(self, result: FrameResult) -> FrameResult:
        """Return a result without what former models found."""
        first, second = self._session.models.current, self._compare.models.current
        if first is None:
            return result
        return of_models(result, first.found, None if second is None else second.found)

    def _forget_former(self) -> None:
        """Show nothing of a former model: no other comes to a live source that is paused."""
        result = self._panes.view.result()
        if result is not None and (present := self._of_present(result)) is not result:
            self._panes.view.show_again(present)
            self._are_numbers_old = True

    def _forget_numbers(self) -> None:
        """Forget what is plotted of a former model."""
        self._panes.plots.forget_errors()
        self._panes.status_bar.forget_errors()
        self._panes.transport.forget_live()

    def _on_model_changed(self) -> None:
        self._forget_former()
        present = self._session.models.current
        if present is not None and not present.earlier:
            self._forget_numbers()
        self.scores.update_models()
        self.scores.set_thresholds(self._session.thresholds)
        super()._on_model_changed()

    def _select_again(self, thresholds: Thresholds) -> None:
        """Select detections again from the candidates on the screen; numbers follow the image."""
        self._compare.note_thresholds()
        self._scanning.note_models()
        self._on_display_edited()  # bars are marked at the thresholds
        view, engine, second = self._panes.view, self._session.engine, self._session.second
        result = view.result()
        if result is not None and result.has_model and engine is not None:
            view.show_again(reselected(result, thresholds, engine.spec, second, view.known))
        self._are_numbers_old = True

    def _use_style(self, style: OverlayStyle) -> None:
        self._panes.view.set_style(self._compare.style_on_screen(style))
        self._saving.set_style(self._compare.style_of(style))

    def _connect(self) -> None:
        panes, session = self._panes, self._session
        session.opened.connect(self._on_opened)
        session.source_changed.connect(self._on_source_changed)
        session.ground_truth.changed.connect(self._on_ground_truth_changed)
        self._saving.told.connect(panes.say)
        panes.view.painted.connect(self._on_painted)
        panes.view.chip.cancelled.connect(session.cancel)
        self._compare.changed.connect(self._on_display_edited)
        self._compare.models.engine_loaded.connect(self._forget_numbers)
        self._compare.second_changed.connect(self._forget_former)
        self._compare.second_changed.connect(self.scores.update_models)
        panes.transport.sought.connect(self.playback.seek)
        panes.transport.speed.chosen.connect(self.playback.set_speed)
        panes.transport.policy.chosen.connect(self.playback.set_lossless)


def _difference_of(result: FrameResult) -> FrameError | None:
    return result.second.difference if result.second is not None else None
