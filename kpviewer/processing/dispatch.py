"""Distribution of tasks to workers in other processes, one at a time, with retries of lost ones.

The workers are those of a ``Pool``: local processes or Ray actors.
"""

from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from signal import SIGTERM
from typing import Protocol, TypeAlias

from kpviewer.processing.reporting import Reporter
from kpviewer.processing.tasks import Result, Setting, Task
from kpviewer.system.interrupts import Interrupted

_POLL_S = 0.25

Frames: TypeAlias = Mapping[int, tuple[int, int | None]]
"""Frames done and their total, if known, by the number of the task."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Task whose worker ended without a result."""

    task: Task
    why: str
    """How the worker ended, such as "was killed by SIGKILL"."""


class TaskWorker(Protocol):
    """Processes one task after another with the model that it holds."""

    def run(self, task: Task, reporter: Reporter) -> Result:
        """Process a task; its errors are part of the result."""


class Pool(Protocol):
    """Workers in other processes, by their number from 0."""

    attempts: int
    """How often a task is given to a worker before it counts as failed, if each one is lost."""

    @property
    def workers(self) -> int:
        """Number of workers."""

    def submit(self, worker: int, task: Task) -> None:
        """Give a task to an idle worker, which is started anew if it was lost."""

    def wait(self, timeout_s: float) -> list[tuple[int, Result | Lost]]:
        """Return the workers that became idle, once there is one or the time is over.

        Raises:
            KpviewerError: if workers can't start.
        """

    def frames(self) -> Frames:
        """Return the progress of running tasks, as far as it is known."""

    def stop(self, number: int = SIGTERM, /) -> list[Result]:
        """End running tasks early, then the workers; return the results of those tasks.

        Args:
            number: signal that ends the run, which the results name.
        """


def dispatch(
    tasks: Iterable[Task],
    pool: Pool,
    failed: Callable[[Lost], Result],
    on_frames: Callable[[Frames], None],
) -> Generator[Result]:
    """Yield the result of each task, in the order in which they end, and stop the pool.

    A task is tried again if its worker is lost: killed, for lack of memory for example, or
    crashed. Other tasks aren't affected.

    Args:
        tasks: the tasks; one is taken when a worker is idle.
        pool: the workers.
        failed: function that makes the result of a task whose worker was lost each time.
        on_frames: function that takes the progress, several times a second.

    Raises:
        Interrupted: on a signal, after the results of the tasks that it ended.
        KpviewerError: if workers can't start.
    """
    waiting, lost = iter(tasks), deque[Task]()
    attempts = Counter[int]()
    idle, busy = deque(range(pool.workers)), 0
    try:
        while True:
            while idle and (task := lost.popleft() if lost else next(waiting, None)) is not None:
                attempts[task.number] += 1
                pool.submit(idle.popleft(), task)
                busy += 1
            if not busy:
                return
            for worker, result in pool.wait(_POLL_S):
                idle.append(worker)
                busy -= 1
                if isinstance(result, Result):
                    yield result
                elif attempts[result.task.number] < pool.attempts:
                    lost.append(result.task)
                else:
                    yield failed(result)
            on_frames(pool.frames())
    except Interrupted as interrupt:
        yield from pool.stop(interrupt.number)
        raise
    finally:
        pool.stop()


def usual_worker(setting: Setting) -> TaskWorker:
    """Return a worker that loads its model."""
    from kpviewer.processing.worker import Worker  # noqa: PLC0415 - it loads heavy libraries

    return Worker(setting)
