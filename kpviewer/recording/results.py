"""Result files: sinks that write results, safe against crashes and full disks."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from kpviewer.errors import RecordingError
from kpviewer.recording.coco import CocoDataset, CocoResults
from kpviewer.recording.files import utf8_of
from kpviewer.recording.formats import CsvRows, JsonLines, ResultFormat, ResultHeader
from kpviewer.recording.parts import reserve
from kpviewer.recording.reasons import reason_of
from kpviewer.structures import FrameResult

__all__ = ["RESULT_FORMATS", "ResultHeader", "ResultWriter", "open_results"]

RESULT_FORMATS: dict[str, tuple[tuple[str, Callable[[ResultHeader], ResultFormat]], ...]] = {
    "jsonl": ((".jsonl", JsonLines),),
    "csv": ((".csv", CsvRows),),
    "coco": ((".json", CocoResults), ("_dataset.json", CocoDataset)),
}
"""Ending and format of each file, by the name on the command line."""
_FLUSH_EVERY_S = 1.0


class ResultWriter:
    """A result sink that writes one file, ``NAME.part`` until it is closed.

    ``accept`` and ``close`` may be called on two threads. After a failed write, and once closed, it
    ignores results; ``failure`` has the reason, and ``close`` raises it. The file then ends with
    the last result that was written whole.
    """

    def __init__(self, folder: Path, stem: str, suffix: str, text_format: ResultFormat) -> None:
        """Reserve the name and write the beginning; ``open_results`` makes writers by kind.

        Raises:
            RecordingError: if the folder can't be written.
        """
        self.part = reserve(folder, stem, suffix)
        """The part file."""
        self._format = text_format
        self._unwritten: list[str] = []
        self._next_flush_s = 0.0
        self._lock = threading.Lock()
        self.path: Path | None = None
        """Path of the finished file, after ``close``."""
        self.failure: str | None = None
        """Reason why nothing more is written: one or two lines for the user."""
        self._try(lambda: self._write(text_format.begin()))

    @property
    def notes(self) -> list[str]:
        """Notes for the user on results that the file leaves out, and why."""
        return self._format.notes()

    def accept(self, result: FrameResult) -> None:
        """Write the result of a frame."""
        with self._lock:
            if self.failure is None:
                self._try(lambda: self._write(self._format.frame(result)))

    def close(self) -> Path:
        """Finish the file and give it its final name; idempotent.

        Raises:
            RecordingError: if a write failed; the file then has its name, but is incomplete.
        """
        with self._lock:
            if self.path is None:
                ends: list[str] = []  # ends the format, which frees its memory, in any case
                self._try(lambda: ends.append(self._format.end()))
                if self.failure is None:
                    self._try(lambda: self._write("".join(ends)))
                self._try(self._flush)
                if self.failure is not None:
                    self._unwritten = [self._format.end_of_cut()]
                    self._try(self._flush)
                self.path = self.part.publish()
        if self.failure is not None:
            raise RecordingError(self.failure)
        return self.path

    def _write(self, text: str) -> None:
        self._unwritten.append(text)
        now_s = time.monotonic()
        if now_s >= self._next_flush_s:
            self._flush()
            self._next_flush_s = now_s + _FLUSH_EVERY_S

    def _flush(self) -> None:
        data, self._unwritten = utf8_of("".join(self._unwritten)), []
        start = self.part.tell()
        try:
            self.part.write(data)
        except OSError:
            written = data[: self.part.tell() - start]
            self.part.truncate(start + self._format.whole_bytes(written))
            raise

    def _try(self, action: Callable[[], None]) -> None:
        """Run an action; keep the first failure for the user."""
        try:
            action()
        except Exception as error:  # of any kind: the other files continue
            failure = f"{self.part.name} is incomplete: {reason_of(error)}"
            self.failure = self.failure or failure


def open_results(
    kind: str, folder: Path, stem: str, header: ResultHeader
) -> tuple[ResultWriter, ...]:
    """Open the result files of a kind; most have one, COCO has two. Never overwrites.

    Raises:
        RecordingError: if the folder can't be written.
    """
    return tuple(
        ResultWriter(folder, stem, suffix, make(header)) for suffix, make in RESULT_FORMATS[kind]
    )
