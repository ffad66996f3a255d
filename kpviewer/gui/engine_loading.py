"""Loading a model into an engine: the only place of the window that imports torch.

It runs in the loader's thread, so the window is there and the video plays meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kpviewer.runtime.executor import Executor


def load_engine(model: str, device: str, source_hw: tuple[int, int]) -> Executor:
    """Load a model and make it ready for pictures of a size.

    Raises:
        WeightsError: if the file is missing, damaged or refused.
    """
    # Imported here, as torch takes seconds to load.
    from kpviewer.models.loading import open_model  # noqa: PLC0415
    from kpviewer.runtime.executor import Executor  # noqa: PLC0415

    engine = Executor(open_model(model), device=device)
    engine.warm_up(source_hw)
    return engine


def list_devices() -> dict[str, str]:
    """Name the devices that a model can run on: for the command line, and for people."""
    from kpviewer.runtime.device import available_devices  # noqa: PLC0415

    return available_devices()
