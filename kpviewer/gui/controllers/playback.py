"""Playback as the keys control it: play, pause, step, seek, speed, loop, A-B loop."""

from dataclasses import replace

from kpviewer.gui.session import Session
from kpviewer.gui.views.timeline.texts import frames_of, next_speed
from kpviewer.pipeline.source.transport import Span
from kpviewer.pipeline_status import PipelineState, PipelineStats, PipelineStatus


class Playback:
    """Translation of the user's commands into calls of the pipeline."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.index = 0
        """Frame on the screen, or the one that was sought last."""
        self.ab: tuple[int, ...] = ()
        """First and last frame of the A-B loop; A alone, or empty."""

    @property
    def is_playing(self) -> bool:
        """Whether frames are coming."""
        pipeline = self._session.pipeline
        return pipeline is not None and is_playing(pipeline.state)

    def toggle(self) -> None:
        """Play or pause; at the end, play again from the start."""
        pipeline = self._session.pipeline
        if pipeline is None:
            return
        self._session.model_wait.drop()
        if self.is_playing:
            pipeline.pause()
        else:
            pipeline.resume()

    def step_forward(self) -> None:
        """Pause and show the next frame."""
        if self._session.pipeline is not None:
            self._session.model_wait.drop()
            self._session.pipeline.step()

    def step_back(self) -> None:
        """Pause and show the previous frame."""
        self.show(self.index - 1)

    def seek(self, index: int) -> None:
        """Go to a frame, or to the nearest one that exists."""
        info, pipeline = self._session.info, self._session.pipeline
        if info is None or pipeline is None or not self._can_seek():
            return
        last = (frames_of(info) or index + 1) - 1
        self.index = max(min(index, last), 0)  # a held key continues from here
        self._session.model_wait.release()
        pipeline.seek(self.index)

    def read_again(self, index: int) -> None:
        """Read the frame on the screen again, whether the video plays or not."""
        if self._session.pipeline is not None and self._can_seek():
            self._session.pipeline.seek(index)

    def show(self, index: int) -> None:
        """Pause and show a frame."""
        if self._session.pipeline is not None and self._can_seek():
            self._session.model_wait.drop()
            self._session.pipeline.pause()
            self.seek(index)

    def set_speed(self, speed: float) -> None:
        """Play at another speed."""
        self._session.model_wait.release()
        self._session.speed = speed
        if self._session.pipeline is not None:
            self._session.pipeline.set_speed(speed)

    def change_speed(self, direction: int) -> None:
        """Play at the next speed up (1) or down (-1)."""
        self.set_speed(next_speed(self._session.speed, direction))

    def set_loop(self, loop: bool) -> None:
        """Set whether playback restarts at the end."""
        self._session.loops = loop
        if self._session.pipeline is not None:
            self._session.pipeline.transport.change(loop=loop)

    def toggle_loop(self) -> None:
        """Turn looping on or off."""
        self.set_loop(not self._session.loops)

    def mark_ab(self) -> None:
        """Set A of the A-B loop at the current frame, then B, then end the loop.

        A second mark on the same frame ends it too.
        """
        if not self._can_seek():
            return
        marked = tuple(sorted({*self.ab, self.index}))
        self.set_ab(marked if len(marked) == len(self.ab) + 1 < 3 else ())

    def set_ab(self, ab: tuple[int, ...]) -> None:
        """Set first and last frame of the A-B loop; A alone, or nothing, ends it."""
        self.ab = ab
        if self._session.pipeline is not None:
            span = Span(*ab) if len(ab) == 2 else None
            self._session.pipeline.transport.change(span=span)

    def forget(self) -> None:
        """Forget the position and the A-B loop, for another source."""
        self.index, self.ab = 0, ()

    def set_lossless(self, wanted: bool) -> None:
        """Set whether live sources deliver every frame or the newest; files deliver every one."""
        self._session.lossless = True if wanted else None
        if self._session.pipeline is not None:
            self._session.pipeline.transport.change(lossless=self._session.lossless)

    def _can_seek(self) -> bool:
        info = self._session.info
        return info is not None and info.is_seekable


def is_playing(state: PipelineState) -> bool:
    """Return whether frames are coming, or about to come."""
    return state in (PipelineState.RUNNING, PipelineState.STARTING)


def current_stats(status: PipelineStatus) -> PipelineStats:
    """Return the figures of a pipeline; its rates are 0 unless it plays."""
    if is_playing(status.state):
        return status.stats
    return replace(status.stats, capture_fps=0.0, inference_fps=0.0, display_fps=0.0)


def repeat_frame(session: Session) -> None:
    """Run another model on the frame of a paused file, unless that waits for a recording."""
    if session.pipeline is not None and not session.model_wait.for_recording:
        session.pipeline.repeat_frame(session.engine)
