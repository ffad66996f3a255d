"""Result sinks of installed packages (``plug_ins``): foreign code, whose errors are reported."""

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kpviewer.errors import InputError, RecordingError
from kpviewer.models.tables import first_line
from kpviewer.plug_ins import SINKS, plug_ins
from kpviewer.recording.formats import ResultHeader
from kpviewer.structures import FrameResult


def check_sinks(names: Iterable[str]) -> None:
    """Check that installed packages add these sinks; imports nothing.

    Raises:
        InputError: if one is missing.
    """
    known = plug_ins(SINKS)
    for name in names:
        if name not in known:
            raise InputError(
                f"No installed package adds a sink {name!r}; installed: "
                f"{', '.join(sorted(known)) or 'none'}."
            )


class AddedSink:
    """A sink that a package adds. After its first error it gets no more results.

    Raises:
        RecordingError: if it can't be imported or made.
    """

    def __init__(self, name: str, folder: Path, header: ResultHeader) -> None:
        self._name = name
        module, _, function = plug_ins(SINKS)[name].code.partition(":")
        self.failure: str | None = None
        """Its first error, as one line for the user."""
        try:
            self._sink: Any = getattr(importlib.import_module(module), function)(folder, header)
        except (Exception, SystemExit) as error:  # whatever the package's code raises
            raise RecordingError(self._message(error)) from error

    def accept(self, result: FrameResult) -> None:
        """Pass on a result."""
        if self.failure is None:
            self._call("accept", result)

    def close(self) -> None:
        """Close it, if it has a ``close``."""
        if hasattr(self._sink, "close"):
            self._call("close")

    def _call(self, method: str, *given: object) -> None:
        try:
            getattr(self._sink, method)(*given)
        except (Exception, SystemExit) as error:  # as above; the other files continue
            self.failure = self.failure or self._message(error)

    def _message(self, error: BaseException) -> str:
        package = plug_ins(SINKS)[self._name].package
        reason = f"{type(error).__name__}: {first_line(error)}".rstrip(".")
        return f"The sink {self._name} of {package} failed: {reason}. Process without --sink."
