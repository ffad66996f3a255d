"""What TensorBoard shows of a run: the numbers of the CSV files, by step."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kpviewer.errors import PipelineError
from kpviewer.training.config import AUTO

FOLDER = "tensorboard"
"""In the folder of the run."""


class Board:
    """Writes numbers for TensorBoard, if that is wanted and installed; else it does nothing.

    Args:
        wanted: as ``TrainConfig.tensorboard``.
        out_dir: folder of the run.
        done: steps that were done before; what an interrupted run wrote of later ones is hidden.

    Raises:
        PipelineError: if it is wanted and not installed.
    """

    def __init__(self, wanted: bool | str, out_dir: Path, done: int) -> None:
        self._writer: Any = None
        if wanted is False:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - an optional package
        except ImportError as error:
            if wanted == AUTO:
                return
            raise PipelineError(
                "tensorboard = true needs the package tensorboard, which isn't installed. "
                "Install it (pip install kpviewer[tensorboard]) or leave the setting out."
            ) from error
        self._writer = SummaryWriter(str(out_dir / FOLDER), purge_step=done + 1 if done else None)

    def add(self, group: str, values: Mapping[str, float], step: int) -> None:
        """Add numbers of a step.

        Args:
            group: what they are put together under.
            values: by name.
            step: that they are of.
        """
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(f"{group}/{name}", value, step)

    def close(self) -> None:
        """Write what is waiting."""
        if self._writer is not None:
            self._writer.close()
