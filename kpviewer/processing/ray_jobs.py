"""Workers as actors of a Ray cluster: many machines that share the files. Ray is an extra.

An actor holds the model and processes one source a task. Ray restarts an actor that was lost and
gives it its task once more.
"""

import logging
import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any

from kpviewer.errors import KpviewerError, PipelineError
from kpviewer.models.tables import first_line
from kpviewer.processing.dispatch import Frames, Lost, TaskWorker, usual_worker
from kpviewer.processing.reporting import Collected
from kpviewer.processing.tasks import Result, Setting, Task

AUTO = "auto"
_TASK_ATTEMPTS = 2
"""How often Ray gives a task to an actor before it is reported as lost."""


class RayPool:
    """Pool of Ray actors; ``dispatch.Pool``.

    Args:
        setting: values that all tasks share.
        address: address of a cluster; auto is the one that runs here, or else this machine alone.
        jobs: number of workers, which share the cores; None is one for each GPU, or for each core.
        make: function that makes a worker in its process; it must be importable there.
        has_gpu: whether each worker needs a GPU.

    Raises:
        PipelineError: if Ray isn't installed, the cluster doesn't answer, or it lacks the
            resources.
    """

    def __init__(
        self,
        setting: Setting,
        address: str,
        jobs: int | None,
        make: Callable[[Setting], TaskWorker] | None = None,
        *,
        has_gpu: bool = False,
    ) -> None:
        self._ray = _started(address)
        resources = self._ray.cluster_resources()
        cpus, gpus = int(resources.get("CPU", 0)), int(resources.get("GPU", 0))
        has = gpus if has_gpu else cpus
        wanted = jobs or has
        if not 1 <= wanted <= has:
            self._ray.shutdown()
            kind = "GPUs" if has_gpu else "cores"
            raise PipelineError(
                f"Each worker needs one of the cluster's {has} {kind}, got {wanted}."
            )
        nodes = [node["Resources"].get("CPU", 0) for node in self._ray.nodes() if node["Alive"]]
        actor = self._ray.remote(
            num_cpus=max(
                min(cpus // wanted, int(min(filter(None, nodes)))), 1
            ),  # Ray sets OMP_NUM_THREADS to it
            num_gpus=int(has_gpu),
            max_restarts=-1,
            max_task_retries=_TASK_ATTEMPTS - 1,
        )(_Actor)
        self._actors = [actor.remote(setting, make or usual_worker) for _ in range(wanted)]
        self._running: dict[Any, tuple[int, Task]] = {}

    attempts = 1
    """Ray itself tries a lost task again."""

    @property
    def workers(self) -> int:
        """Number of workers."""
        return len(self._actors)

    def submit(self, worker: int, task: Task) -> None:
        """Give a task to an idle worker."""
        self._running[self._actors[worker].run.remote(task)] = (worker, task)

    def wait(self, timeout_s: float) -> list[tuple[int, Result | Lost]]:
        """Return the workers that became idle."""
        ended, _ = self._ray.wait(list(self._running), num_returns=1, timeout=timeout_s)
        return [self._taken(each) for each in ended]

    def _taken(self, reference: Any) -> tuple[int, Result | Lost]:
        worker, task = self._running.pop(reference)
        errors = self._ray.exceptions
        try:
            return worker, self._ray.get(reference)
        except errors.RayTaskError as error:  # what the task raised, also as its own class
            raise error.cause if isinstance(error.cause, KpviewerError) else error from None
        except errors.RayError:
            return worker, Lost(
                task, "its actor ended (killed, out of memory, or its machine lost)"
            )

    def frames(self) -> Frames:
        """Return nothing: actors report only finished tasks."""
        return {}

    def stop(self, _number: int = 0) -> list[Result]:
        """End the actors at once; the next run starts their tasks anew."""
        for actor in self._actors:
            self._ray.kill(actor)
        self._ray.shutdown()
        return []


class _Actor:
    """Worker in a process of the cluster."""

    def __init__(self, setting: Setting, make: Callable[[Setting], TaskWorker]) -> None:
        self._setting, self._make = setting, make
        self._worker: TaskWorker | None = None

    def run(self, task: Task) -> Result:
        """Process a task; the first one loads the model, whose errors end the run."""
        if self._worker is None:
            self._worker = self._make(self._setting)
        collected = Collected(lambda _frames, _total: None)
        result = self._worker.run(task, collected)
        return replace(result, messages=tuple(collected.messages))


def _started(address: str) -> ModuleType:
    """Return Ray, connected to a cluster.

    Raises:
        PipelineError: if Ray isn't installed, or the cluster doesn't answer.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent unless the user wants
    try:
        ray = import_module("ray")  # an extra, whose types aren't there without it
    except ImportError as error:
        raise PipelineError('--ray needs Ray: pip install "kpviewer[ray]".') from error
    start = partial(ray.init, log_to_driver=False, logging_level=logging.ERROR)
    try:
        start(address=address)
    except (ConnectionError, ValueError, RuntimeError) as error:
        if address != AUTO:
            raise PipelineError(
                f"No Ray cluster answers at {address} ({first_line(error)}). "
                "Check the address, or use --ray auto."
            ) from error
        start(include_dashboard=False)
    return ray
