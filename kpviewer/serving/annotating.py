"""The thread that paints results for the viewers of the live page.

It paints only while somebody watches, the newest result each time, and once more when thresholds
change: also of a paused stream, whose boxes follow the sliders without the model.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kpviewer.overlay import OverlayStyle, render
from kpviewer.overlay.images import shrunk
from kpviewer.overlay.jpeg import jpeg_of
from kpviewer.pipeline.results.reselecting import reselected
from kpviewer.pipeline.state.settings import SettingsCell
from kpviewer.structures import FrameResult, ImageArray

JPEG_QUALITY = 80
"""Quality of MJPEG; text and thin lines show the blocks of lower ones."""
_TICK_S = 0.25
"""Interval at which ``tick`` is called while no result arrives."""

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class AnnotatedFrame:
    """A painted frame, shared by all viewers."""

    result: FrameResult
    """The result without its pixels, which are only valid while its lease is held."""
    bgr: ImageArray
    """(H, W, 3) uint8, owned."""
    counts: Mapping[int, int]
    """Number of detections by class id; classes without any are absent."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _jpeg: bytes | None = None

    def jpeg(self) -> bytes:
        """Return the frame as JPEG, which is encoded once; any thread may call it."""
        with self._lock:
            if self._jpeg is None:
                self._jpeg = jpeg_of(self.bgr, JPEG_QUALITY)
            return self._jpeg


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """Settings that a live stream keeps while it runs."""

    style: OverlayStyle = field(default_factory=OverlayStyle)
    """What to paint; names, skeleton and class bars are the model's."""
    side_px: int = 1280
    """Longest side of the frames that are sent, px; larger ones are shrunk."""
    loop: bool = True
    """Whether files start again at their end; False stays on the last frame."""


class AnnotatorThread(threading.Thread):
    """Sink of a pipeline; keeps the newest result, and paints it for those who watch.

    Holds the leases of two frames at most: the shown one, and the next one.
    """

    def __init__(
        self,
        settings: SettingsCell,
        options: LiveOptions,
        publish: Callable[[AnnotatedFrame], None],
        tick: Callable[[], None],
    ) -> None:
        """Prepare; ``start`` begins.

        Args:
            settings: settings of the pipeline, whose thresholds and model count.
            options: how to paint.
            publish: function that gets each painted frame, on this thread.
            tick: function that is called several times a second, on this thread.
        """
        super().__init__(name="kpviewer-annotator", daemon=False)
        self._settings, self._options = settings, options
        self._publish, self._tick = publish, tick
        self._changed = threading.Condition()
        self._next: FrameResult | None = None
        self._shown: FrameResult | None = None
        """Result that was painted last, with its lease; painted again at other thresholds."""
        self._is_due = self._must_end = False
        self._watchers = 0
        self.problem: str | None = None
        """Why the last frame couldn't be painted; None if it could."""

    # -- for any thread ----------------------------------------------------------------------

    def accept(self, result: FrameResult) -> None:
        """Keep a result in place of one that waits; never blocks."""
        result.frame.retain()
        with self._changed:
            dropped, self._next = self._next, result
            if self._must_end:
                dropped, self._next = result, None
            self._changed.notify_all()
        if dropped is not None:
            dropped.frame.release()

    def repaint(self) -> None:
        """Paint the shown frame again, at the present thresholds."""
        with self._changed:
            self._is_due = True
            self._changed.notify_all()

    def add_watchers(self, count: int) -> None:
        """Add a watcher of painted frames (1), or remove one (-1).

        The first one sees the newest result at once, also where none follows it.
        """
        with self._changed:
            self._is_due = self._is_due or self._watchers == 0
            self._watchers += count
            self._changed.notify_all()

    def stop(self) -> None:
        """Ask the thread to end; idempotent."""
        with self._changed:
            self._must_end = True
            self._changed.notify_all()

    # -- the thread --------------------------------------------------------------------------

    def run(self) -> None:
        """Paint until stopped."""
        try:
            while not self._must_end:
                if self._wait():
                    self._paint()
                self._tick()
        finally:
            self.stop()
            for result in (self._next, self._shown):
                if result is not None:
                    result.frame.release()
            self._next = self._shown = None

    def _wait(self) -> bool:
        """Wait for something to paint; return whether there is any."""
        with self._changed:
            self._changed.wait_for(lambda: self._must_end or self._has_work, _TICK_S)
            if self._must_end or not self._has_work:
                return False
            self._is_due = False
            if self._next is None:
                return self._shown is not None
            old, self._shown, self._next = self._shown, self._next, None
        if old is not None:
            old.frame.release()
        return True

    @property
    def _has_work(self) -> bool:
        return self._watchers > 0 and (self._next is not None or self._is_due)

    def _paint(self) -> None:
        """Publish the shown result at the present thresholds; a failure leaves the stream on."""
        result, settings = self._shown, self._settings.current
        if result is None:
            return
        try:
            spec = settings.engine.spec if settings.engine is not None else None
            if spec is not None and result.thresholds != settings.thresholds:
                result = reselected(result, settings.thresholds, spec)
            style = self._options.style
            if spec is not None:
                style = style.of_model(spec, settings.thresholds)
            bgr = shrunk(render(result, style), self._options.side_px)
        except Exception as error:
            self.problem = f"A frame can't be painted: {error}"
            _log.warning("%s", self.problem)
            _log.debug("It came from here:", exc_info=True)
            return
        self.problem = None
        counts = Counter(int(each) for each in result.detections.class_ids)
        self._publish(AnnotatedFrame(result, bgr, counts))
