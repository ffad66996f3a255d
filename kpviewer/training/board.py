"""TensorBoard log of a run: the numbers of its CSV files, by step."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kpviewer.errors import PipelineError
from kpviewer.system.paths import is_utf8
from kpviewer.training.config import AUTO

FOLDER = "tensorboard"
"""Name of the log folder, in the folder of the run."""


class Board:
    """Writes numbers for TensorBoard; does nothing if that is switched off or not installed.

    Args:
        enabled: as ``TrainConfig.tensorboard``.
        out_dir: folder of the run.
        done: number of steps done before; entries of later steps by an interrupted run are hidden.

    Raises:
        PipelineError: if ``enabled`` is True and TensorBoard isn't installed.
    """

    def __init__(self, enabled: bool | str, out_dir: Path, done: int) -> None:
        self._writer: Any = None
        has_name = is_utf8(str(out_dir))  # TensorBoard opens no other
        if enabled is False or (enabled == AUTO and not has_name):
            return
        if not has_name:
            raise PipelineError("tensorboard = true requires a folder whose path is valid UTF-8.")
        try:
            from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - an optional package
        except ImportError as error:
            if enabled == AUTO:
                return
            raise PipelineError(
                "tensorboard = true requires the package tensorboard, which isn't installed. "
                "Install it (pip install kpviewer[tensorboard]) or leave the setting out."
            ) from error
        self._writer = SummaryWriter(str(out_dir / FOLDER), purge_step=done + 1 if done else None)

    def add(self, group: str, values: Mapping[str, float], step: int) -> None:
        """Add the numbers of a step."""
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(f"{group}/{name}", value, step)

    def close(self) -> None:
        """Write what is buffered, and close the log."""
        if self._writer is not None:
            self._writer.close()
