"""The error for a file that several layouts fit. The window catches it, so this needs no torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kpviewer.errors import WeightsError

if TYPE_CHECKING:
    from kpviewer.models.onnx.families.base import Recognised


class AmbiguousLayout(WeightsError):
    """One or more layouts fit a file, and nothing in it says which is right."""

    def __init__(self, path: Path, candidates: tuple[Recognised, ...]) -> None:
        self.path, self.candidates = path, candidates
        options = "; ".join(f"--layout {each.layout} ({each.summary})" for each in candidates)
        super().__init__(
            f"{path.name} doesn't say what its outputs mean. Choose the layout that is right: "
            f"{options}."
        )
