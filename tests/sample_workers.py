"""Workers without a model, for tests of pools; other processes import them by name."""

import os
import signal
import time

from kpviewer.errors import WeightsError
from kpviewer.processing.manifest import Record
from kpviewer.processing.reporting import Reporter
from kpviewer.processing.tasks import Result, Setting, Task


class TextWorker:
    """Worker that does what the name of a source says, and writes it to a file."""

    def __init__(self, setting: Setting) -> None:
        self._folder = setting.options.out
        if setting.options.model == "broken":
            raise WeightsError("The model is broken.")

    def run(self, task: Task, reporter: Reporter) -> Result:
        source = task.source or ""
        tries = self._folder / f"{source}.tries"
        with tries.open("a") as file:
            file.write(f"{os.getpid()} {os.environ.get('OMP_NUM_THREADS')}\n")
        has_died = tries.read_text().count("\n") > 1
        if source.startswith("dies") and not (source.startswith("dies once") and has_died):
            os.kill(os.getpid(), signal.SIGKILL)
        if source.startswith("waits"):
            (self._folder / f"{source}.begun").touch()
            while not (self._folder / "go on").exists():
                time.sleep(0.01)
        reporter.frames(source, 3, 9)
        reporter.warn(f"Note: {source}")
        (self._folder / f"{source}.txt").write_text(source)
        return Result(task, Record(source=source, name=source, status="ok", frames=9))


def text_worker(setting: Setting) -> TextWorker:
    return TextWorker(setting)


class DyingWorker:
    """Worker that is killed while it writes the files of a source."""

    def __init__(self, setting: Setting) -> None:
        self._folder = setting.options.out

    def run(self, task: Task, reporter: Reporter) -> Result:
        assert task.stem is not None
        (self._folder / f"{task.stem}.jsonl.part").write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("unreachable")


def dying_worker(setting: Setting) -> DyingWorker:
    return DyingWorker(setting)
