"""Workers in processes of this machine, each with its share of the cores, or a GPU.

Each worker is a pool of one process. If it is killed, its task is known and no other process ends;
in one pool for all, every process would.
"""

import atexit
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import wait as wait_for
from typing import Any

from kpviewer.errors import KpviewerError, PipelineError
from kpviewer.processing.dispatch import Frames, Lost, TaskWorker, usual_worker
from kpviewer.processing.reporting import Collected
from kpviewer.processing.tasks import Result, Setting, Task
from kpviewer.system.cpu_threads import available_cores, limited_children
from kpviewer.system.interrupts import Interrupted, interrupts_raised

_STOP_S = 15.0
"""Time in which workers that were asked to end finish their files."""
_FRAMES, _TOTAL, _PID, _ENDED_BY = range(4)
"""Places in the memory that a worker shares with the parent."""


class ProcessPool:
    """Pool of processes; ``dispatch.Pool``.

    Args:
        setting: values that all tasks share.
        jobs: number of workers.
        devices: devices to share among the workers in turn, such as the GPUs; empty: that of the
            options.
        make: function that makes a worker in its process; it must be importable there.
    """

    def __init__(
        self,
        setting: Setting,
        jobs: int,
        devices: Sequence[str] = (),
        make: Callable[[Setting], TaskWorker] | None = None,
    ) -> None:
        settings = [
            on_device(setting, devices[each % len(devices)]) if devices else setting
            for each in range(jobs)
        ]
        with _shared_memory():
            self._slots = [_Slot(each, jobs, make or usual_worker) for each in settings]

    attempts = 2
    """A source that killed two workers has failed."""

    @property
    def workers(self) -> int:
        """Number of workers."""
        return len(self._slots)

    def submit(self, worker: int, task: Task) -> None:
        """Give a task to an idle worker, which is started anew if it was lost."""
        self._slots[worker].submit(task)

    def wait(self, timeout_s: float) -> list[tuple[int, Result | Lost]]:
        """Return the workers that became idle."""
        running = [slot.future for slot in self._slots if slot.future is not None]
        wait(running, timeout_s, FIRST_COMPLETED)
        ended = [
            (number, slot)
            for number, slot in enumerate(self._slots)
            if slot.future is not None and slot.future.done()
        ]
        return [(number, slot.take()) for number, slot in ended]

    def frames(self) -> Frames:
        """Return the frames done and their total of each running task."""
        return {slot.task.number: slot.frames for slot in self._slots if slot.task is not None}

    def stop(self, number: int = signal.SIGTERM) -> list[Result]:
        """End running tasks early, then the processes; return the results of those tasks."""
        running = [slot for slot in self._slots if slot.future is not None]
        for slot in running:
            slot.interrupt(number)
        wait([slot.future for slot in running if slot.future is not None], _STOP_S)
        ended = [slot for slot in running if slot.future is not None and slot.future.done()]
        results: list[Result] = []
        for slot in ended:
            with suppress(KpviewerError):  # a worker that couldn't begin has no result
                result = slot.take(is_stopping=True)
                results += [result] if isinstance(result, Result) else []
        for slot in self._slots:
            slot.close()
        return results


class _Slot:
    """One worker process, which is replaced when it is lost."""

    def __init__(self, setting: Setting, jobs: int, make: Callable[[Setting], TaskWorker]) -> None:
        self._setting, self._jobs, self._make = setting, jobs, make
        self._context = multiprocessing.get_context("spawn")
        self._shared: Any = self._context.RawArray("q", 4)
        self._executor: ProcessPoolExecutor | None = None
        self.task: Task | None = None
        self.future: Future[Result] | None = None

    @property
    def frames(self) -> tuple[int, int | None]:
        """Frames done, and their total if it is known."""
        return self._shared[_FRAMES], self._shared[_TOTAL] or None

    def submit(self, task: Task) -> None:
        """Begin a task."""
        self._shared[_FRAMES] = self._shared[_TOTAL] = 0
        self.task = task
        try:
            self._begin(task)
        except BrokenProcessPool:  # it was killed while it was idle
            self.close()
            self._begin(task)

    def _begin(self, task: Task) -> None:
        if self._executor is None:
            with _shared_memory():
                self._executor = ProcessPoolExecutor(
                    1,
                    mp_context=self._context,
                    initializer=_prepare,
                    initargs=(self._make, self._setting, self._shared),
                )
        with limited_children(available_cores() // self._jobs), _interrupts_blocked():
            self.future = self._executor.submit(_work, task)

    def take(self, *, is_stopping: bool = False) -> Result | Lost:
        """Return the result of the ended task.

        Raises:
            KpviewerError: if the worker can't load the model.
        """
        task, future = self.task, self.future
        assert task is not None and future is not None
        self.task = self.future = None
        try:
            result = future.result()
        except BrokenProcessPool:
            self.close()
            return Lost(task, "its process ended (killed, out of memory, or crashed)")
        if result.signal is not None and not is_stopping:
            return Lost(task, f"its process got {signal.Signals(result.signal).name}")
        return result

    def interrupt(self, number: int) -> None:
        """Ask the process to finish the files of its task and end it, as by a signal."""
        self._shared[_ENDED_BY] = number  # also for a process that hasn't begun yet
        if pid := int(self._shared[_PID]):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def close(self) -> None:
        """End the process; one that doesn't answer is killed."""
        executor, self._executor = self._executor, None
        if executor is None:
            return
        if self.future is not None and (pid := int(self._shared[_PID])):
            with suppress(ProcessLookupError):
                os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        executor.shutdown(wait=True, cancel_futures=True)
        self._shared[_PID] = 0


def on_device(setting: Setting, device: str) -> Setting:
    """Return a setting for another device."""
    return replace(setting, options=replace(setting.options, device=device))


@contextmanager
def _shared_memory() -> Iterator[None]:
    """Name the cure where the system has no memory for several processes.

    Raises:
        PipelineError: in place of OSError.
    """
    try:
        yield
    except OSError as error:
        raise PipelineError(
            f"Several processes need shared memory, and there is none ({error.strerror or error}). "
            "Free /dev/shm, as by docker run --shm-size, or leave out --jobs."
        ) from error


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Leave Ctrl-C to this process, not to those that are started inside."""
    set_mask = getattr(signal, "pthread_sigmask", None)  # Windows lacks it
    mask = set_mask(signal.SIG_BLOCK, {signal.SIGINT}) if set_mask is not None else None
    try:
        yield
    finally:
        if set_mask is not None:
            set_mask(signal.SIG_SETMASK, mask)


# -- in the worker's process -----------------------------------------------------------------------


@dataclass(slots=True)
class _Here:
    """State of this process."""

    make: Callable[[Setting], TaskWorker]
    setting: Setting
    shared: Any
    worker: TaskWorker | None = None


_here: list[_Here] = []


def _prepare(make: Callable[[Setting], TaskWorker], setting: Setting, shared: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    atexit.register(os._exit, 0)  # the last one: tearing down torch's modules takes a second
    parent = multiprocessing.parent_process()
    if parent is not None:
        watch = partial(_end_with, parent.sentinel)
        threading.Thread(target=watch, name="kpviewer-parent", daemon=True).start()
    shared[_PID] = os.getpid()
    _here[:] = [_Here(make, setting, shared)]


def _end_with(sentinel: int) -> None:
    """End this process if its parent is killed, as its results would be lost."""
    wait_for([sentinel])
    os._exit(1)


def _work(task: Task) -> Result:
    """Process a task; the first one loads the model, whose errors end the run."""
    (here,) = _here
    if here.worker is None:
        here.worker = here.make(here.setting)

    def report(frames: int, total: int) -> None:
        here.shared[_FRAMES], here.shared[_TOTAL] = frames, total

    collected = Collected(report)
    try:
        with interrupts_raised(lambda number: here.shared[_ENDED_BY] or number):
            if ended_by := here.shared[_ENDED_BY]:
                raise Interrupted(ended_by)
            result = here.worker.run(task, collected)
    except Interrupted as interrupt:  # before its first frame: there is nothing to finish
        os._exit(interrupt.exit_code)
    return replace(result, messages=tuple(collected.messages))
