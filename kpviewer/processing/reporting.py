"""Reports of processing while it runs; the command line prints them, a worker collects them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from kpviewer.errors import DatasetError


class Reporter(Protocol):
    """Receiver of the progress and the messages of one source at a time."""

    def say(self, text: str) -> None:
        """Take a line about an outcome."""

    def warn(self, text: str) -> None:
        """Take a note, a warning or an error, one or two lines that begin with that word."""

    def frames(self, name: str, done: int, total: int | None) -> None:
        """Take the progress of a source, about ten times a second.

        Args:
            name: name of the source; empty if it has none.
            done: number of frames processed.
            total: number of frames in the end; None if unknown.

        Raises:
            Interrupted: if nobody reads the progress any more.
        """


@dataclass(slots=True)
class Collected:
    """Reporter that keeps messages, for another process to print; frames go to a function."""

    on_frames: Callable[[int, int], None]
    """Function that takes the frames done and their total, 0 if that is unknown."""
    messages: list[tuple[bool, str]] = field(default_factory=list)
    """Whether each is a note, a warning or an error, and its text."""

    def say(self, text: str) -> None:
        """Keep a line about an outcome."""
        self.messages.append((False, text))

    def warn(self, text: str) -> None:
        """Keep a note, a warning or an error."""
        self.messages.append((True, text))

    def frames(self, name: str, done: int, total: int | None) -> None:
        """Pass the progress on."""
        self.on_frames(done, total or 0)


def no_ground_truth(name: str) -> DatasetError:
    """Return the error of a report on a source that no frame has ground truth of."""
    return DatasetError(
        f"No report: no frame of {name} has ground truth. Name its annotations with --ground-truth."
    )
