"""Result sinks that installed packages add (``plug_ins``): foreign code, whose errors are told."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from kpviewer.errors import InputError, RecordingError
from kpviewer.models.tables import first_line
from kpviewer.plug_ins import SINKS, plug_ins

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from kpviewer.recording.formats import ResultHeader
    from kpviewer.structures import FrameResult


def check_sinks(names: Iterable[str]) -> None:
    """Check that installed packages add these sinks; imports nothing.

    Raises:
        InputError: naming the first that is missing, and those that are there.
    """
    known = plug_ins(SINKS)
    for name in names:
        if name not in known:
            raise InputError(
                f"No installed package adds a sink {name!r}; installed: "
                f"{', '.join(sorted(known)) or 'none'}."
            )


class AddedSink:
    """A sink of a package, by its name. After its first error it gets nothing more.

    Args:
        name: of the entry point.
        folder: where it may write.
        header: what the results are of.

    Raises:
        RecordingError: if it can't be imported or made.
    """

    def __init__(self, name: str, folder: Path, header: ResultHeader) -> None:
        self._name = name
        module, _, function = plug_ins(SINKS)[name].code.partition(":")
        self.failure: str | None = None
        """Why it gets nothing more: one line for the user."""
        try:
            self._sink: Any = getattr(importlib.import_module(module), function)(folder, header)
        except (Exception, SystemExit) as error:  # whatever the package's code raises
            raise RecordingError(self._told(error)) from error

    def accept(self, result: FrameResult) -> None:
        """Pass a result on."""
        if self.failure is None:
            self._call("accept", result)

    def close(self) -> None:
        """Let it finish, if it has a ``close``."""
        if hasattr(self._sink, "close"):
            self._call("close")

    def _call(self, method: str, *given: object) -> None:
        try:
            getattr(self._sink, method)(*given)
        except (Exception, SystemExit) as error:  # as above; the other files go on
            self.failure = self.failure or self._told(error)

    def _told(self, error: BaseException) -> str:
        package = plug_ins(SINKS)[self._name].package
        reason = f"{type(error).__name__}: {first_line(error)}".rstrip(".")
        return f"The sink {self._name} of {package} failed: {reason}. Process without --sink."
