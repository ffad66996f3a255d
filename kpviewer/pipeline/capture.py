"""The thread that reads the source: paces, obeys the transport, and brings a lost signal back."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from kpviewer.errors import SourceError
from kpviewer.pipeline.pacing import Pacer, reconnect_delay_s
from kpviewer.pipeline.stats import NO_FREE_BUFFER, QUEUE_FULL
from kpviewer.pipeline_status import StopReason

if TYPE_CHECKING:
    from kpviewer.pipeline.reader import QueuedFrame, SourceReader
    from kpviewer.pipeline.transport import PendingCommands, PlaybackSettings
    from kpviewer.pipeline.wiring import Wiring
    from kpviewer.runtime.buffers import BufferLease

_POLL_S = 0.05
"""Bounds the reaction to an order while no buffer is free or the queue is full."""
_NS = 1_000_000_000


class CaptureThread(threading.Thread):
    """Reads frames into leased buffers and puts them on the queue, until told to stop.

    Nobody else reads the source while the thread runs. Live: waits for nobody, and what finds no
    room is dropped and counted. Files: every frame, in order, so it waits for the model.

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
        self._queue = wiring.queue
        self._pool = wiring.pool
        self._transport = wiring.transport
        self._lifecycle = wiring.lifecycle
        self._stats = wiring.stats
        self._options = wiring.options
        self._clock = wiring.options.clock
        self._pending: deque[QueuedFrame] = deque()
        """Read, but not on the queue yet."""
        self._pacer = Pacer()
        self._was_paused = False
        self.has_ended = threading.Event()
        self.is_let_go = False
        """Nobody waits any more; the lifecycle has stopped, so that it ends once it wakes."""
        self._manner = wiring.transport.manner

    def run(self) -> None:
        """Serve until stopped, at the end, or broken; source and queue are closed in any case."""
        try:
            if self._lifecycle.stop_reason is None:
                self._open()
            while self._lifecycle.stop_reason is None:
                self._serve(self._transport.take())
        except BaseException as error:  # SystemExit too: it is not the end of the film
            self._fail(error)
        finally:
            self._end()

    def _fail(self, error: BaseException) -> None:
        """Keep the error, unless it is only a source that says that we broke it off."""
        is_broken_off = self._lifecycle.stop_reason is StopReason.REQUESTED
        if not (is_broken_off and isinstance(error, SourceError)):
            self._lifecycle.failed(error, self)

    def _end(self) -> None:
        """Let go of everything; only at the end of a stream the queue is played out."""
        try:
            self._reader.close()
            unused = self._transport.take_source()
            if unused is not None:
                unused.close()
        except BaseException as error:
            self._fail(error)
        finally:
            self._forget_pending()
            if self._lifecycle.stop_reason is StopReason.END_OF_STREAM:
                self._queue.close()
            else:
                self._queue.abort()
            self._lifecycle.thread_ended(self)
            self.has_ended.set()

    # -- orders ------------------------------------------------------------------------------

    def _serve(self, orders: PendingCommands) -> None:
        """Carry orders out, then move one frame or wait; blocks for one read at most."""
        if orders.stop:
            self._lifecycle.stopping(StopReason.REQUESTED)
            return
        if orders.source is not None:
            self._drop_waiting()
            self._reader.change(orders.source)
            self._open()
        if orders.seek is not None:
            self._drop_waiting()
            self._reader.go_to(orders.seek)
            self._pacer.reset()
        self._note_pause(orders)
        self._take_manner(orders.manner)
        if orders.again:
            self._go_back_one()
        if orders.may_advance:
            self._advance(orders)
        elif self._reader.open_info.is_live:
            self._read(None)  # the camera goes on; only its images are not shown
        else:
            self._transport.wait_for_orders(orders.version)

    def _open(self) -> None:
        self._lifecycle.opening()
        self._reader.open()
        self._pacer.reset()
        self._lifecycle.opened()

    def _note_pause(self, orders: PendingCommands) -> None:
        """When the user pauses, take back what the model has not begun with; it goes first later.

        At the end of a file there is nothing to hold: its last frames are still to be seen.
        """
        if orders.paused and not self._was_paused and not orders.at_end and self._is_lossless:
            self._pending.extendleft(reversed(self._queue.take_all()))
        if self._was_paused and not orders.paused:
            self._pacer.reset()
        self._was_paused = orders.paused

    def _take_manner(self, manner: PlaybackSettings) -> None:
        """Play so from now on; from the start of a new span where the stream is past its end."""
        before, self._manner = self._manner, manner
        span = manner.span
        if span is None or span == before.span or not self._reader.open_info.is_seekable:
            return
        self._pending.extendleft(reversed(self._queue.take_all()))
        while self._pending and self._pending[-1].frame.index > span.last:
            self._pending.pop().release()
        if self._reader.next_index > span.last:
            self._reader.go_to(span.first)

    def _go_back_one(self) -> None:
        """Make the frame that went out last the next one."""
        coming = self._pending[0].frame.index if self._pending else self._reader.next_index
        self._drop_waiting()
        self._reader.go_to(max(coming - 1, 0))
        self._pacer.reset()

    def _drop_waiting(self) -> None:
        """Throw away what was read but not seen: nobody wants it any more."""
        self._queue.clear()
        self._forget_pending()

    def _forget_pending(self) -> None:
        while self._pending:
            self._pending.popleft().release()

    # -- frames ------------------------------------------------------------------------------

    def _advance(self, orders: PendingCommands) -> None:
        """Move one frame towards the model, once it is due."""
        if not self._pending and not self._fetch():
            return
        item = self._pending[0]
        if self._options.pace and not self._reader.open_info.is_live:
            now_ns = due_ns = self._clock.now_ns()
            position_s = self._reader.position_s(item.frame)
            if not orders.paused:
                due_ns = self._pacer.due_ns(position_s, now_ns, orders.manner.speed)
            wait_s = (due_ns - now_ns) / _NS
            if wait_s > 0 and self._transport.wait_for_orders(orders.version, wait_s):
                return
            # Read ahead, then played: its time is when it is due, not when it was decoded.
            frame = replace(item.frame, captured_ns=self._clock.now_ns())
            item = item._replace(frame=frame)
            if self._hand_over(item, orders.place):
                self._pacer.shown(position_s, due_ns)
        else:
            self._hand_over(item, orders.place)

    def _hand_over(self, item: QueuedFrame, place: int) -> bool:
        """Put the first pending frame on the queue; False if there is no room yet."""
        item = item._replace(queued_ns=self._clock.now_ns())
        if not self._is_lossless:
            self._stats.dropped(QUEUE_FULL, self._queue.offer(item))
        elif not self._queue.put(item, _POLL_S):
            return False
        self._pending.popleft()
        self._transport.frame_went_out(place)
        return True

    def _fetch(self) -> bool:
        """Read a frame to hand over; False if there is none now."""
        span = self._manner.span
        if span is not None and self._has_just_read(span.last):
            self._reader.go_to(span.first)
        lease = self._pool.acquire(_POLL_S if self._is_lossless else 0)
        if lease is None:
            if not self._is_lossless and self._read(None):
                self._stats.dropped(NO_FREE_BUFFER)
            return False
        return self._read(lease)

    def _has_just_read(self, index: int) -> bool:
        """Whether frame ``index`` of a file was the last one read; False after a seek."""
        reader = self._reader
        is_file = reader.open_info.is_seekable
        return is_file and reader.has_given_frames and reader.next_index == index + 1

    def _read(self, lease: BufferLease | None) -> bool:
        """Read a frame, and keep it if there is a buffer for it; False if none came."""
        item = None
        try:
            item = self._reader.read(lease)
        finally:
            if item is None and lease is not None:
                lease.release()
        if item is None:
            self._on_no_frame()
            return False
        self._stats.frame_read()
        if lease is not None:
            self._pending.append(item)
        return True

    def _on_no_frame(self) -> None:
        """Decide what the lack of a frame means: a lost signal, another round, or the end."""
        span = self._manner.span if self._reader.open_info.is_seekable else None
        if self._reader.open_info.is_live:
            self._reader.lose()
            delay_s = reconnect_delay_s(self._reader.failed_attempts)
            if not self._transport.wait_for_leave(delay_s):
                self._reader.reconnect()
        elif (span or self._manner.loop) and self._reader.has_given_frames:
            self._reader.go_to(span.first if span else 0)
        elif self._options.hold_at_end:
            self._transport.hold_at_end()
        else:
            self._lifecycle.stopping(StopReason.END_OF_STREAM)

    @property
    def _is_lossless(self) -> bool:
        """Whether every frame counts, or the newest."""
        wanted = self._manner.lossless
        return not self._reader.open_info.is_live if wanted is None else wanted
