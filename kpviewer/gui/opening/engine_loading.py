"""Loading a model into an engine: the only place of the window that imports torch.

It runs in the loader's thread, so the window is there and the video plays meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kpviewer.runtime.executor import Executor


def load_engine(model: str, device: str, source_hw: tuple[int, int]) -> Executor:
    """Load a model and make it ready for images of a size, run in the fastest way.

    Raises:
        WeightsError: if the file is missing, damaged or refused.
    """
    return load_variant(model, device, source_hw, "auto", "auto")


def load_first(model: str, device: str, source_hw: tuple[int, int]) -> Executor:
    """Load a model in the way that is ready soonest: as it was trained, nothing compiled.

    Raises:
        WeightsError: if the file is missing, damaged or refused.
        PipelineError: if the device isn't there.
    """
    return load_variant(model, device, source_hw, "torch", "fp32")


def load_variant(
    model: str, device: str, source_hw: tuple[int, int], engine_name: str, precision: str
) -> Executor:
    """Load a model as ``load_engine`` does, run in a given way.

    Args:
        model: name or path.
        device: as on the command line.
        source_hw: (height, width) of the images, px.
        engine_name: auto, torch or openvino.
        precision: auto, fp32, bf16 or fp16.

    Raises:
        WeightsError: if the file is missing, damaged or refused.
        PipelineError: if it can't be run so here.
    """
    # Imported here, as torch takes seconds to load.
    from kpviewer.models.loading import open_model  # noqa: PLC0415
    from kpviewer.runtime.executor import Executor  # noqa: PLC0415

    engine = Executor(open_model(model), device, precision, engine_name)
    engine.warm_up(source_hw)
    return engine


def list_devices() -> dict[str, str]:
    """Name the devices that a model can run on: for the command line, and for people."""
    from kpviewer.runtime.device import available_devices  # noqa: PLC0415

    return available_devices()
