"""The thread that reads the source: it paces, obeys the transport and restores a lost signal."""

import threading
from collections import deque
from dataclasses import replace

from kpviewer.errors import SourceError
from kpviewer.pipeline.protocols import takes_seconds
from kpviewer.pipeline.source.pacing import Pacer, reconnect_delay_s
from kpviewer.pipeline.source.reader import QueuedFrame, SourceReader
from kpviewer.pipeline.source.transport import PendingCommands, PlaybackSettings
from kpviewer.pipeline.state.stats import NO_FREE_BUFFER, QUEUE_FULL
from kpviewer.pipeline.state.wiring import Wiring
from kpviewer.pipeline_status import StopReason
from kpviewer.runtime.buffers import BufferLease

_POLL_S = 0.05
"""Longest reaction time to a command while no buffer is free or the queue is full."""
_NS = 1_000_000_000


class CaptureThread(threading.Thread):
    """Reads frames into leased buffers and puts them on the queue, until it is asked to stop.

    No other thread reads the source meanwhile. With a live source it never waits: a frame that
    finds no room is dropped and counted. With a file it delivers every frame in order, waiting for
    the model.

    ::

        opening --> reading <--> waiting (paused, at the end)
                     |  ^
             no frame|  |opened again      (live only)
                     v  |
                     lost, backing off
    """

    def __init__(self, reader: SourceReader, wiring: Wiring) -> None:
        super().__init__(name="kpviewer-capture", daemon=False)
        self._reader = reader
        self._wiring = wiring
        self._pending: deque[QueuedFrame] = deque()
        """Frames that were read, but are not on the queue yet."""
        self._delivered: deque[int] = deque(maxlen=wiring.options.queue_size + 1)
        """Indices of the frames that went on the queue last, since a jump; they may loop."""
        self._pacer = Pacer()
        self._was_paused = False
        self.has_ended = threading.Event()
        self.is_let_go = False
        """Whether no thread waits for this one any more; it ends once it wakes."""
        self._playback = wiring.transport.playback

    def run(self) -> None:
        """Serve until stopped, at the end, or broken; source and queue are closed in any case."""
        lifecycle, transport = self._wiring.lifecycle, self._wiring.transport
        is_begun = False
        try:
            while lifecycle.stop_reason is None:
                try:
                    if is_begun:
                        self._serve(transport.take())
                    else:
                        is_begun = True
                        self._open()
                except BaseException as error:  # SystemExit too: it is not the end of the video
                    self._fail(error)
        finally:
            self._end()

    def _fail(self, error: BaseException) -> None:
        """Keep the error, unless the source was interrupted, or another one is to replace it."""
        is_interrupted = self._wiring.lifecycle.stop_reason is StopReason.REQUESTED
        if not (is_interrupted and isinstance(error, SourceError)):
            self._wiring.transport.end_unless_replaced(
                lambda: self._wiring.lifecycle.failed(error, self)
            )

    def _end(self) -> None:
        """Release everything; the queue is played out only at the end of a stream."""
        wiring = self._wiring
        try:
            self._reader.close()
            if (unused := wiring.transport.take_source()) is not None:
                unused.close()
        except BaseException as error:
            self._fail(error)
        finally:
            self._discard_pending()
            if wiring.lifecycle.stop_reason is StopReason.END_OF_STREAM:
                wiring.queue.close()
            else:
                wiring.queue.abort()
            wiring.lifecycle.thread_ended(self)
            del self._wiring, self._reader  # a failure's traceback holds this thread
            self.has_ended.set()

    # -- commands ----------------------------------------------------------------------------

    def _serve(self, commands: PendingCommands) -> None:
        """Carry out commands, then move one frame or wait; blocks for one read at most."""
        if commands.stop:
            self._wiring.lifecycle.stopping(StopReason.REQUESTED)
            return
        if commands.source is not None:
            self._discard_unseen()
            self._reader.change(commands.source)
            self._open()
        if commands.seek is not None:
            self._discard_unseen()
            self._reader.go_to(commands.seek)
            self._pacer.reset()
        self._note_pause(commands)
        self._apply_playback(commands.playback)
        if commands.repeat:
            self._go_back_one()
        if commands.may_advance:
            self._advance(commands)
        elif self._reader.open_info.is_live:
            self._read(None)  # the camera continues; only its images are not shown
        else:
            self._wiring.transport.wait_for_commands(commands.number)

    def _open(self) -> None:
        self._wiring.lifecycle.opening()
        self._reader.open()
        self._pacer.reset()
        self._wiring.lifecycle.opened()

    def _note_pause(self, commands: PendingCommands) -> None:
        """On a pause, take back frames that the model has not begun; they go first later.

        At the end of a file nothing is held back: its last frames are still to be shown.
        """
        if commands.paused and not (self._was_paused or commands.at_end) and self._is_lossless:
            self._take_back_queued()
        if self._was_paused and not commands.paused:
            self._pacer.reset()
        self._was_paused = commands.paused

    def _apply_playback(self, playback: PlaybackSettings) -> None:
        """Use these settings from now on; jump to a new span where the stream is past its end."""
        before, self._playback = self._playback, playback
        span = playback.span
        if span == before.span or not self._reader.open_info.is_seekable:
            return
        if span is None and self._delivered:  # what was read ahead may be its first frames again
            self._discard_pending()
            self._reader.go_to(self._delivered[-1])
            self._reader.read(None)
        if span is None:
            return
        self._take_back_queued()
        while self._pending and self._pending[-1].frame.index > span.last:
            self._pending.pop().release()
        if self._reader.next_index > span.last and not self._reader.has_just_read(span.last):
            self._reader.go_to(span.first)

    def _go_back_one(self) -> None:
        """Make the frame that was delivered last the next one."""
        self._reader.go_to(self._delivered[-1] if self._delivered else 0)
        self._discard_unseen()
        self._pacer.reset()

    def _take_back_queued(self) -> None:
        """Move the frames on the queue back to the pending ones, in order."""
        for item in reversed(self._wiring.queue.take_all()):
            self._pending.appendleft(item)
            self._delivered.pop()

    def _discard_unseen(self) -> None:
        """Discard frames that were read but not seen by the model, before a jump."""
        self._wiring.queue.clear()
        self._delivered.clear()
        self._discard_pending()

    def _discard_pending(self) -> None:
        while self._pending:
            self._pending.popleft().release()

    # -- frames ------------------------------------------------------------------------------

    def _advance(self, commands: PendingCommands) -> None:
        """Move one frame towards the model, once it is due."""
        if not self._pending and not self._fetch():
            return
        item = self._pending[0]
        if self._wiring.options.pace and not self._reader.open_info.is_live:
            clock = self._wiring.clock
            now_ns = due_ns = clock.now_ns()
            position_s = self._reader.position_s(item.frame)
            if not commands.paused:
                due_ns = self._pacer.due_ns(position_s, now_ns, commands.playback.speed)
            wait_s = (due_ns - now_ns) / _NS
            if wait_s > 0 and self._wiring.transport.wait_for_commands(commands.number, wait_s):
                return
            # Frames are read ahead: the time of capture is when one is due, not when it is decoded.
            item = item._replace(frame=replace(item.frame, captured_ns=clock.now_ns()))
            if self._deliver(item, commands.jump_number):
                self._pacer.shown(position_s, due_ns)
        else:
            self._deliver(item, commands.jump_number)

    def _deliver(self, item: QueuedFrame, jump_number: int) -> bool:
        """Put the first pending frame on the queue; return False if there is no room yet."""
        queue = self._wiring.queue
        is_lossless = self._is_lossless and not self._is_ahead_of_the_model
        item = item._replace(queued_ns=self._wiring.clock.now_ns(), is_lossless=is_lossless)
        if not is_lossless:
            self._wiring.stats.dropped(QUEUE_FULL, queue.offer(item))
        elif not queue.put(item, _POLL_S):
            return False
        self._pending.popleft()
        self._delivered.append(item.frame.index)
        self._wiring.transport.frame_delivered(jump_number)
        return True

    def _fetch(self) -> bool:
        """Read a frame to deliver; return False if there is none now."""
        span = self._playback.span
        if span is not None and self._reader.has_just_read(span.last):
            self._reader.go_to(span.first)
        lease = self._wiring.pool.acquire(_POLL_S if self._is_lossless else 0)
        if lease is None:
            if not self._is_lossless and self._read(None):
                self._wiring.stats.dropped(NO_FREE_BUFFER)
            return False
        return self._read(lease)

    def _read(self, lease: BufferLease | None) -> bool:
        """Read a frame, and keep it if there is a buffer for it; return False if none came."""
        item = None
        try:
            item = self._reader.read(lease)
        finally:
            if item is None and lease is not None:
                lease.release()
        if item is None:
            self._on_no_frame()
            return False
        self._wiring.stats.frame_read()
        if lease is not None:
            self._pending.append(item)
        return True

    def _on_no_frame(self) -> None:
        """Handle the lack of a frame: a lost signal, another round, or the end."""
        span = self._playback.span if self._reader.open_info.is_seekable else None
        if self._reader.open_info.is_live:
            self._reader.lose()
            delay_s = reconnect_delay_s(self._reader.failed_attempts)
            if not self._wiring.transport.wait_for_stop_or_source(delay_s):
                self._reader.reconnect()
        elif (span or self._playback.loop) and self._reader.has_given_frames:
            self._reader.go_to(span.first if span else 0)
        elif self._wiring.options.hold_at_end:
            self._wiring.transport.hold_at_end()
        else:
            self._wiring.transport.end_unless_replaced(
                lambda: self._wiring.lifecycle.stopping(StopReason.END_OF_STREAM)
            )

    @property
    def _is_ahead_of_the_model(self) -> bool:
        """Whether steps replace each other, as the model needs seconds for each of them."""
        return self._wiring.transport.paused and takes_seconds(self._wiring.settings.current.engine)

    @property
    def _is_lossless(self) -> bool:
        """Whether every frame is delivered, not only the newest."""
        lossless = self._playback.lossless
        return not self._reader.open_info.is_live if lossless is None else lossless
