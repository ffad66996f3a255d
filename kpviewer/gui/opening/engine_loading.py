"""Loading of a model into an engine: the only module of the window that may import torch.

It runs on the loader's thread, while the window is shown and the video plays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kpviewer.gui.opening.loaders import Loaders
from kpviewer.gui.opening.source_opening import open_source
from kpviewer.runtime.process.garbage import keep_for_good, without_collection, young_collections
from kpviewer.runtime.process.threads import short_turns

if TYPE_CHECKING:
    from kpviewer.runtime.executor import Executor


def load_engine(model: str, device: str, source_hw: tuple[int, int]) -> Executor:
    """Load a model on the fastest backend, warmed up for images of one size.

    Raises:
        WeightsError: if the file is missing, damaged or refused.
    """
    return load_variant(model, device, source_hw, "auto", "auto")


def load_first(model: str, device: str, source_hw: tuple[int, int]) -> Executor:
    """Load a model on the backend that is ready first: remembered, or as it was trained.

    Raises:
        WeightsError: if the file is missing, damaged or refused.
        PipelineError: if the device doesn't exist.
    """
    return _loaded(model, device, source_hw, measures=False)


def load_variant(
    model: str, device: str, source_hw: tuple[int, int], backend: str, precision: str
) -> Executor:
    """Load a model as ``load_engine`` does, with a given backend and precision.

    Raises:
        WeightsError: if the file is missing, damaged or refused.
        PipelineError: if this machine can't run it with them.
    """
    return _loaded(model, device, source_hw, precision=precision, backend=backend)


@short_turns()
def _loaded(model: str, device: str, source_hw: tuple[int, int], **how: Any) -> Executor:
    with without_collection():
        # Imported here, as torch takes seconds to load where it is installed.
        from kpviewer.models.loading import open_model  # noqa: PLC0415
        from kpviewer.runtime.executor import Executor  # noqa: PLC0415

        detector = open_model(model)
        _import_curves()
        keep_for_good()  # not after warming up: an engine may be replaced
    with young_collections():
        engine = Executor(detector, device, **how)
        engine.warm_up(source_hw)
    return engine


def _import_curves() -> None:
    """Import what curves need here, as the window would stand still for 0.1 s at the first ones."""
    import kpviewer.gui.widgets.curve_plot  # noqa: F401, PLC0415


def list_devices() -> dict[str, str]:
    """Return the devices that a model can run on: name on the command line -> name for people."""
    from kpviewer.runtime.device import available_devices  # noqa: PLC0415

    return available_devices()


LOADERS = Loaders(open_source, load_engine, load_variant, list_devices, load_first)
