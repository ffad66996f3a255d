"""A backend, precision and device that the user chose, and its text in settings. No torch."""

from __future__ import annotations

import re
from typing import NamedTuple

_TEXT = re.compile(r"(?P<backend>\w+):(?P<precision>\w+)(?:@(?P<device>[\w.:]+))?")


class BackendChoice(NamedTuple):
    """A backend and precision to run a model with, in place of those that are measured."""

    backend: str
    """One of ``libraries.inference.BACKENDS``, or auto."""
    precision: str
    """Precision, or auto."""
    device: str = ""
    """Device as on the command line; empty: the one that was chosen apart from this."""

    @classmethod
    def parse(cls, text: str) -> BackendChoice | None:
        """Parse ``openvino:bf16`` or ``openvino:fp16@gpu``; return None for another text."""
        parts = _TEXT.fullmatch(text)
        return cls(parts[1], parts[2], parts[3] or "") if parts is not None else None

    def __str__(self) -> str:
        """Return the text that ``parse`` takes."""
        return f"{self.backend}:{self.precision}" + (f"@{self.device}" if self.device else "")

    @property
    def label(self) -> str:
        """Name for people, as the status bar has it: "openvino bf16"."""
        return " ".join(each for each in (self.backend, self.precision) if each != "auto")
