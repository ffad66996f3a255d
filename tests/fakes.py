"""Fakes with scripted faults: a source, an engine, a sink and a clock. No camera, no weights.

Every image of FakeSource is filled with its number. A test can check that a result belongs to its
frame, and that a buffer wasn't overwritten while it was held.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from kpviewer.errors import SourceError
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.pipeline.clock import Clock
from kpviewer.pipeline.pipeline import Pipeline
from kpviewer.sources.base import Allocate, Captured
from kpviewer.structures import Candidates, FrameResult, GroundTruth, ImageArray, StreamInfo

TIMEOUT_S = 120.0
"""Time limit of every wait, reached only by failing tests, even on a busy machine."""


def eventually(is_true: Callable[[], bool]) -> None:
    """Wait until a condition without an event is true."""
    pause = threading.Event()
    deadline = time.monotonic() + TIMEOUT_S
    while not is_true():
        assert time.monotonic() < deadline, "the condition never came true"
        pause.wait(0.002)


def stamp(bgr: ImageArray, number: int) -> None:
    """Fill an image with its number, in base 256 over the three channels."""
    bgr[:] = (number % 256, number // 256 % 256, number // 65536)


def read_stamp(bgr: ImageArray) -> int:
    """Return the number of an image; fail if the image is a mixture of two."""
    flat = bgr.reshape(-1, 3)
    assert (flat == flat[0]).all(), "the image was overwritten while it was being read"
    blue, green, red = (int(value) for value in flat[0])
    return blue + 256 * green + 65536 * red


class FakeClock(Clock):
    """Clock whose time advances only by waiting, and then at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now_ns = 1_000_000_000
        self.waits_s: list[float] = []

    def now_ns(self) -> int:
        with self._lock:
            return self._now_ns

    def wait(self, condition: threading.Condition, timeout_s: float) -> None:
        self.advance(timeout_s)
        self.waits_s.append(timeout_s)
        condition.wait(0)  # release the lock, as a real wait does

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._now_ns += round(seconds * 1e9)


@dataclass(slots=True)
class Fault:
    """Event that happens once, before a frame is read; see the functions below."""

    action: Callable[[FakeSource], bool]
    """Function that causes the event; True ends the stream."""


def raises(error: BaseException) -> Fault:
    """Return a fault that raises an error."""

    def action(source: FakeSource) -> bool:
        raise error

    return Fault(action)


def ends() -> Fault:
    """Return a fault that ends the stream early."""
    return Fault(lambda source: True)


def resizes(height: int, width: int) -> Fault:
    """Return a fault that changes the size of images from then on."""

    def action(source: FakeSource) -> bool:
        source.size_hw = (height, width)
        return False

    return Fault(action)


def stalls() -> Fault:
    """Return a fault that blocks until the source is interrupted."""
    return Fault(lambda source: source.block(lambda: False))


def takes(seconds: float, clock: FakeClock) -> Fault:
    """Return a fault that takes time."""

    def action(source: FakeSource) -> bool:
        clock.advance(seconds)
        return False

    return Fault(action)


class FakeSource:
    """File of ``frames`` numbered images, or a camera that sends one per ``give``."""

    def __init__(
        self,
        frames: int = 10,
        *,
        live: bool = False,
        seekable: bool = True,
        fps: float | None = 30.0,
        faults: Mapping[int, Fault] | None = None,
        open_errors: list[Exception | None] | None = None,
        ground_truth: GroundTruth | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.size_hw = (24, 32)
        self.open_is_blocked = False
        self.warning: str | None = None
        self.opens = self.closes = self.reads = self.frames_given = 0
        self.threads: set[str] = set()
        self.has_blocked = threading.Event()
        self._frames = frames
        self._live = live
        self._seekable = seekable and not live
        self._fps = fps
        self._faults = dict(faults or {})
        self._open_errors = list(open_errors or [])
        self._ground_truth = ground_truth
        self._clock = clock or Clock()
        self._next = 0
        self._is_open = False
        self._tickets = 0
        self._interrupted = False
        self._changed = threading.Condition()

    # -- controls for tests

    def give(self, frames: int = 1) -> None:
        """Let a live source send more frames."""
        with self._changed:
            self._tickets += frames
            self._changed.notify_all()

    def interrupt(self) -> None:
        """Raise SourceError in calls that block, now and from now on."""
        with self._changed:
            self._interrupted = True
            self._changed.notify_all()

    def unblock_open(self) -> None:
        with self._changed:
            self.open_is_blocked = False
            self._changed.notify_all()

    def wait_for_reads(self, count: int) -> None:
        """Wait until a number of reads were begun."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.reads >= count, TIMEOUT_S)

    def wait_for_frames(self, count: int) -> None:
        """Wait until a number of frames were returned."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.frames_given >= count, TIMEOUT_S)

    def wait_for_opens(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.opens >= count, TIMEOUT_S)

    # -- FrameSource

    @property
    def info(self) -> StreamInfo:
        height, width = self.size_hw
        count = None if self._live else self._frames
        return StreamInfo(
            "fake", width, height, self._fps, count, is_live=self._live, is_seekable=self._seekable
        )

    def open(self) -> StreamInfo:
        with self._changed:
            self._note_thread()
            self.opens += 1
            self._changed.notify_all()
            if self.open_is_blocked:
                self.block(lambda: not self.open_is_blocked)
            error = self._open_errors.pop(0) if self._open_errors else None
        if error is not None:
            raise error
        self._is_open = True
        self._next = 0
        return self.info

    def read(self, allocate: Allocate) -> Captured | None:
        with self._changed:
            self._note_thread()
            self.reads += 1
            self._changed.notify_all()
            if not self._is_open:
                raise SourceError("the fake is closed")
            fault = self._faults.pop(self._next, None)
            if fault is not None and fault.action(self):
                return None
            if self._live:
                self.block(lambda: self._tickets > 0)
                self._tickets -= 1
            elif self._next >= self._frames:
                return None
        bgr = allocate(*self.size_hw)
        stamp(bgr, self._next)
        position_s = None if self._live or self._fps is None else self._next / self._fps
        with self._changed:
            self._next += 1
            self.frames_given += 1
            self._changed.notify_all()
        return Captured(bgr, self._clock.now_ns(), position_s, self._ground_truth)

    def seek(self, index: int) -> None:
        self._note_thread()
        if not self._is_open or not self._seekable:
            raise SourceError("the fake can't seek")
        self._next = index

    @property
    def next_index(self) -> int:
        return self._next

    def close(self) -> None:
        self.closes += 1
        self._is_open = False

    def block(self, is_over: Callable[[], bool]) -> bool:
        """Wait with the lock held until a condition is true; raise SourceError if interrupted."""
        if not is_over():
            self.has_blocked.set()
        assert self._changed.wait_for(lambda: self._interrupted or is_over(), TIMEOUT_S)
        if self._interrupted:
            raise SourceError("the fake was interrupted")
        return False

    def _note_thread(self) -> None:
        self.threads.add(threading.current_thread().name)


class FakeTimings(NamedTuple):
    """Copy of ``runtime.executor.InferenceTimings``, whose module needs torch."""

    upload_ms: float = 1.0
    forward_ms: float = 2.0
    postprocess_ms: float = 3.0


FAKE_SPEC = ModelSpec(
    "fake", "fake", Task.DETECT, ("thing",), (24, 32), score_threshold=0.3, iou_threshold=0.4
)


@dataclass
class FakeEngine:
    """Engine that detects one box of score 0.9 in every image, whose x1 is the image's number."""

    fails_at: Mapping[int, BaseException] = field(default_factory=dict)
    """Errors by number of the image."""
    blocks_at: set[int] = field(default_factory=set)
    """Numbers of images that wait for ``go_on``."""
    spec: ModelSpec = FAKE_SPEC

    def __post_init__(self) -> None:
        self.seen: list[int] = []
        self.threads: set[str] = set()
        self._changed = threading.Condition()
        self._may_go_on = False

    def infer(self, bgr: ImageArray) -> tuple[Candidates, FakeTimings]:
        number = read_stamp(bgr)
        with self._changed:
            self.threads.add(threading.current_thread().name)
            self.seen.append(number)
            self._changed.notify_all()
            if number in self.blocks_at:
                assert self._changed.wait_for(lambda: self._may_go_on, TIMEOUT_S)
        if number in self.fails_at:
            raise self.fails_at[number]
        assert read_stamp(bgr) == number, "the buffer was reused during inference"
        box = np.array([[number, 0, number + 10, 10]], np.float32)
        scores = np.full((1, 1), 0.9, np.float32)
        return Candidates(box, scores, np.zeros((1, 0, 2), np.float32)), FakeTimings()

    def go_on(self) -> None:
        """Unblock all images, now and from now on."""
        with self._changed:
            self._may_go_on = True
            self._changed.notify_all()

    def wait_for(self, count: int) -> None:
        """Wait until a number of images have reached the engine."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.seen) >= count, TIMEOUT_S)


class LateCopy:
    """Copy of an image that happens as late as it may: when it is waited for."""

    def __init__(self, bgr: ImageArray) -> None:
        self._bgr = bgr
        self._number = read_stamp(bgr)
        self._done = False
        self._lock = threading.Lock()

    def query(self) -> bool:
        return self._done

    def synchronize(self) -> None:
        with self._lock:
            if not self._done:
                assert read_stamp(self._bgr) == self._number, "overwritten before its copy"
                self._done = True


@dataclass
class FakeTicket:
    """Ticket whose image is copied and computed when its result is asked for."""

    engine: SubmittingFakeEngine
    bgr: ImageArray
    fence: LateCopy

    def result(self) -> tuple[Candidates, FakeTimings]:
        self.fence.synchronize()
        self.engine.alive -= 1
        return self.engine.infer(self.bgr)


@dataclass
class SubmittingFakeEngine(FakeEngine):
    """Engine that takes several frames at once, whose copies are as late as they may be."""

    frames_in_flight: int = 2
    refuses: Mapping[int, BaseException] = field(default_factory=dict)
    """Errors of ``submit`` by number of the image."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.submitted: list[int] = []
        self.copies: list[LateCopy] = []
        self.alive = self.most_alive = 0

    def submit(self, bgr: ImageArray) -> FakeTicket:
        number = read_stamp(bgr)
        self.submitted.append(number)
        if number in self.refuses:
            raise self.refuses[number]
        self.alive += 1
        self.most_alive = max(self.most_alive, self.alive)
        self.copies.append(LateCopy(bgr))
        return FakeTicket(self, bgr, self.copies[-1])

    def finish_copies(self) -> None:
        """Do the copies that are left; each fails if its image was overwritten before."""
        for copy in self.copies:
            copy.synchronize()


class Collector:
    """Sink that records every result, and holds the frames if ``keeps`` is True."""

    def __init__(self, *, keeps: bool = False) -> None:
        self.results: list[FrameResult] = []
        self.numbers: list[int] = []
        self._keeps = keeps
        self._changed = threading.Condition()

    def accept(self, result: FrameResult) -> None:
        if self._keeps:
            result.frame.retain()
        with self._changed:
            self.results.append(result)
            self.numbers.append(read_stamp(result.frame.bgr))
            self._changed.notify_all()

    def wait_for(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.results) >= count, TIMEOUT_S), (
                f"waited for {count} results, got {self.numbers}"
            )

    def release_all(self) -> None:
        """Release the kept frames."""
        while self.results:
            self.results.pop().frame.release()


def collect(pipeline: Pipeline, *, keeps: bool = False) -> Collector:
    """Add a sink to a pipeline, which records its results."""
    collector = Collector(keeps=keeps)
    pipeline.add_sink(collector)
    return collector


class BatchEngine(FakeEngine):
    """Fake that notes the numbers of images of each batch."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.batches: list[int] = []

    def infer_batch(self, images: Sequence[ImageArray]) -> list[tuple[Candidates, FakeTimings]]:
        self.batches.append(len(images))
        return [self.infer(bgr) for bgr in images]


def numbered(number: int) -> ImageArray:
    """Return a small image with a number that ``FakeEngine`` reads."""
    bgr = np.zeros((4, 4, 3), np.uint8)
    stamp(bgr, number)
    return bgr
