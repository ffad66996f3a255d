"""A ``kpviewer`` command that runs beside the window: at low priority, and never longer than it."""

import contextlib
import json
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PyQt6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, pyqtSignal

import kpviewer
from kpviewer.gui.language import tr
from kpviewer.sources.redact import redact_text
from kpviewer.system.paths import is_utf8

NICER, NICEST = 10, 19
"""How much lower the priority of the process is on POSIX, and the lowest there is: the window and
other programs come first."""
PATIENCE_MS = 5000
"""Time that a process gets to finish its files after it was asked to end, in ms."""
LONGEST_TAIL = 4096
"""Greatest length of the text that is kept of stderr, in bytes."""
LONGEST_LINE = 1 << 16
"""Greatest length of a line of stdout, in bytes; longer ones are cut."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChildEnd:
    """How a process ended."""

    failure: str | None
    """Why it failed, for people; None if it succeeded or was cancelled."""
    was_cancelled: bool = False


class ChildProcess(QObject):
    """Runner of one command at a time; ``close`` ends it with the window.

    The command line is visible to every user of the machine: it must hold no secret.

    Args:
        command: words before the arguments; None is this program's own command.
        parent: owner of the object.
    """

    progressed = pyqtSignal(int, object)
    """Emitted with the number of processed frames and that of all, None if unknown.

    A command reports them by lines such as ``{"frames": 120, "total": 300}``."""
    line_came = pyqtSignal(str)
    """Emitted with each other line of stdout, without its end."""
    ended = pyqtSignal(object)
    """Emitted with a ChildEnd, once for each start."""

    def __init__(self, command: Sequence[str] | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._command = tuple(command) if command is not None else own_command()
        self._process: QProcess | None = None
        self._out, self._tail = b"", b""
        self._is_cancelled = False
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(PATIENCE_MS)
        self._patience.timeout.connect(self._kill)

    @property
    def is_running(self) -> bool:
        """Whether the process has been started and hasn't ended."""
        return self._process is not None

    @property
    def process_id(self) -> int:
        """Number of the running process; 0 if there is none."""
        return self._process.processId() if self._process is not None else 0

    def start(self, arguments: Sequence[str]) -> None:
        """Run the command with these arguments.

        Raises:
            RuntimeError: if it is running already.
        """
        if self._process is not None:
            raise RuntimeError("A child process must have ended before it is started again.")
        self._out, self._tail, self._is_cancelled = b"", b"", False
        if not all(map(is_utf8, arguments)):  # Qt would hand over another name
            self._end(tr("A file or folder name isn't valid UTF-8. Rename it."))
            return
        process = self._process = QProcess(self)
        process.setProcessEnvironment(_environment())
        process.setStandardInputFile(QProcess.nullDevice())
        process.started.connect(self._on_started)
        process.readyReadStandardOutput.connect(self._on_output)
        process.readyReadStandardError.connect(self._on_error_output)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        process.start(self._command[0], [*self._command[1:], *arguments])

    def cancel(self) -> None:
        """Ask the process to end; it finishes its files, and is killed if that takes too long."""
        if self._process is not None and not self._is_cancelled:
            self._is_cancelled = True
            self._process.terminate()
            self._patience.start()

    def close(self, patience_ms: int = PATIENCE_MS) -> None:
        """End the process and wait for it, in bounded time; nothing is emitted any more."""
        process, self._process = self._process, None
        self._patience.stop()
        if process is None:
            return
        process.blockSignals(True)
        process.terminate()
        if not process.waitForFinished(patience_ms):
            process.kill()
            process.waitForFinished(patience_ms)

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _on_started(self) -> None:
        number = self.process_id
        if number and hasattr(os, "setpriority"):  # not on Windows
            with contextlib.suppress(OSError):
                own = os.getpriority(os.PRIO_PROCESS, 0)
                os.setpriority(os.PRIO_PROCESS, number, min(own + NICER, NICEST))

    def _on_output(self) -> None:
        if self._process is None:
            return
        *lines, rest = (self._out + self._process.readAllStandardOutput().data()).split(b"\n")
        self._out = rest[:LONGEST_LINE]
        for line in lines:
            self._take(line[:LONGEST_LINE].decode("utf-8", "replace").rstrip("\r"))

    def _take(self, line: str) -> None:
        progress = _progress_in(line)
        if progress is not None:
            self.progressed.emit(*progress)
        elif line:
            self.line_came.emit(line)

    def _on_error_output(self) -> None:
        if self._process is not None:
            added = self._process.readAllStandardError().data()
            self._tail = (self._tail + added)[-LONGEST_TAIL:]

    def _on_finished(self, code: int, _status: QProcess.ExitStatus) -> None:
        if self._process is None:
            return
        self._on_output()
        if self._out:
            self._take(self._out.decode("utf-8", "replace"))
        self._on_error_output()
        failure = None
        if code != 0 or _status is QProcess.ExitStatus.CrashExit:
            failure = failure_in(self._tail) or tr("It ended unexpectedly ({code}).").format(
                code=code
            )
        self._end(failure)

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart and self._process is not None:
            self._end(
                tr("It can't be started: {reason}.").format(reason=self._process.errorString())
            )

    def _end(self, failure: str | None) -> None:
        process, self._process = self._process, None
        self._patience.stop()
        if process is not None:
            process.deleteLater()
        if failure is not None and not self._is_cancelled:
            _log.info("A child process failed: %s", failure)
        ended = ChildEnd(None if self._is_cancelled else failure, self._is_cancelled)
        self.ended.emit(ended)


def own_command() -> tuple[str, ...]:
    """Return the words that run this program; nothing is imported from the present folder."""
    return (sys.executable, "-P", "-m", "kpviewer")


def failure_in(tail: bytes) -> str:
    """Return the error of the last lines of stderr, without addresses' secrets; empty for none.

    What a killed process had noted before says nothing of its end.
    """
    lines = [line.strip() for line in tail.decode("utf-8", "replace").splitlines()]
    lines = [line for line in lines if line and not line.startswith(("Note: ", "Warning: "))]
    errors = [line for line in lines if line.startswith("Error: ")]
    last = (errors or lines or [""])[-1]
    return redact_text(last.removeprefix("Error: "))


def _environment() -> QProcessEnvironment:
    """Return the environment: the process imports the same kpviewer as this one."""
    environment = QProcessEnvironment.systemEnvironment()
    folder, others = str(Path(kpviewer.__file__).parents[1]), environment.value("PYTHONPATH")
    environment.insert("PYTHONPATH", os.pathsep.join([folder, *filter(None, [others])]))
    environment.insert("PYTHONUTF8", "1")
    environment.insert("PYTHONUNBUFFERED", "1")
    return environment


def _progress_in(line: str) -> tuple[int, int | None] | None:
    """Return the frames and their total in a line of progress; None for another line."""
    if not line.startswith('{"frames"'):
        return None
    try:
        read = json.loads(line)
        frames, total = read["frames"], read.get("total")
    except (ValueError, KeyError, AttributeError, RecursionError):
        return None
    if type(frames) is not int or not (total is None or type(total) is int):
        return None
    return (frames, total) if 0 <= frames < 1 << 31 else None
