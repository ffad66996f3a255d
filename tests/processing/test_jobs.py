"""Pools of workers in other processes: killed ones, errors, shares of the cores, and Ray."""

import errno
import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sample_workers import text_worker

from kpviewer.errors import PipelineError, WeightsError
from kpviewer.processing.dispatch import Frames, Lost, Pool, dispatch
from kpviewer.processing.jobs import ProcessPool
from kpviewer.processing.manifest import Record
from kpviewer.processing.options import ProcessOptions
from kpviewer.processing.ray_jobs import RayPool
from kpviewer.processing.tasks import Result, Setting, Task
from kpviewer.system.cpu_threads import available_cores
from kpviewer.system.interrupts import Interrupted

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends SIGKILL")


def setting(folder: Path, **given: object) -> Setting:
    return Setting(ProcessOptions(folder, **given))


def failed(lost: Lost) -> Result:
    record = Record(source=lost.task.source or "", name="", status="failed", why=lost.why)
    return Result(lost.task, record, exit_code=1)


def results(
    pool: Pool, sources: list[str], on_frames: Callable[[Frames], None] = lambda _: None
) -> dict[str, Result]:
    tasks = [Task(number, source) for number, source in enumerate(sources)]
    return {result.record.source: result for result in dispatch(tasks, pool, failed, on_frames)}


def test_killed_workers_are_replaced_and_no_other_source_is_lost(tmp_path):
    pool = ProcessPool(setting(tmp_path), 2, make=text_worker)
    done = results(pool, ["a", "dies once", "b", "dies", "c"])
    assert sorted(done) == ["a", "b", "c", "dies", "dies once"]
    assert {name for name, result in done.items() if result.exit_code} == {"dies"}
    assert "killed" in (done["dies"].record.why or "")
    tries = {path.stem: path.read_text().split("\n")[:-1] for path in tmp_path.glob("*.tries")}
    assert {name: len(lines) for name, lines in tries.items()} == {
        **dict.fromkeys("abc", 1),
        "dies once": 2,
        "dies": 2,
    }
    assert done["a"].messages == ((True, "Note: a"),)
    share = str(max(available_cores() // 2, 1))
    assert {line.split()[1] for lines in tries.values() for line in lines} == {share}


def test_a_model_that_does_not_load_ends_the_run(tmp_path):
    pool = ProcessPool(setting(tmp_path, model="broken"), 1, make=text_worker)
    with pytest.raises(WeightsError, match="broken"):
        results(pool, ["a", "b"])


def test_a_system_without_shared_memory_is_named_with_the_cure(tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("kpviewer.processing.jobs.ProcessPoolExecutor", full)
    with pytest.raises(PipelineError, match=r"No space left on device.*leave out --jobs"):
        results(ProcessPool(setting(tmp_path), 2, make=text_worker), ["a", "b"])


def test_an_interrupted_run_leaves_no_process(tmp_path):
    pool = ProcessPool(setting(tmp_path), 1, make=text_worker)

    def interrupt(frames: Frames) -> None:
        if (tmp_path / "waits.begun").exists():
            raise Interrupted(2)

    with pytest.raises(Interrupted):
        results(pool, ["waits", "never"], interrupt)
    assert not (tmp_path / "never.tries").exists()


@pytest.mark.parametrize("model", ["sound", "broken"])
def test_a_worker_that_has_not_begun_when_the_run_ends_begins_nothing(tmp_path, model):
    pool = ProcessPool(setting(tmp_path, model=model), 2, make=text_worker)
    pool.submit(0, Task(0, "waits"))
    assert pool.stop() == []
    assert not list(tmp_path.iterdir())


class FakePool:
    """Pool whose workers answer at once; the sources of ``dying`` lose theirs."""

    workers, attempts = 2, 3

    def __init__(self, dying: str = "") -> None:
        self.dying, self.busy = dying, dict[int, Task]()
        self.submitted: list[str] = []
        self.is_stopped = False

    def submit(self, worker: int, task: Task) -> None:
        assert worker not in self.busy
        self.busy[worker] = task
        self.submitted.append(task.source or "")

    def wait(self, timeout_s: float) -> list[tuple[int, Result | Lost]]:
        worker, task = self.busy.popitem()
        if task.source in self.dying:
            return [(worker, Lost(task, "it died"))]
        return [(worker, Result(task, Record(source=task.source or "", name="", status="ok")))]

    def frames(self) -> Frames:
        return {}

    def stop(self, number: int = 0) -> list[Result]:
        self.is_stopped = True
        return []


def test_a_lost_source_is_tried_as_often_as_the_pool_says():
    pool = FakePool(dying="b")
    done = results(pool, ["a", "b", "c"])
    assert pool.submitted.count("b") == 3
    assert [name for name, result in done.items() if result.exit_code] == ["b"]
    assert pool.is_stopped


def test_tasks_are_taken_only_when_a_worker_is_idle():
    taken: list[int] = []

    def tasks() -> Iterator[Task]:
        for number in range(9):
            taken.append(number)
            yield Task(number, str(number))

    running = dispatch(tasks(), FakePool(), failed, lambda _: None)
    next(running)
    assert len(taken) == 2
    running.close()


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the extra ray is missing")
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_actors_of_ray_are_replaced_like_processes(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))  # of sample_workers
    pool = RayPool(setting(tmp_path), "auto", 1, make=text_worker)
    done = results(pool, ["a", "dies once", "dies", "b"])
    assert {name for name, result in done.items() if result.exit_code} == {"dies"}
    tries = {path.stem: path.read_text().count("\n") for path in tmp_path.glob("*.tries")}
    assert tries == {"a": 1, "b": 1, "dies once": 2, "dies": 2}
