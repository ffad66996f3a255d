"""Speed of the pipeline on this machine, stage by stage; ``report`` describes the figures."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from kpviewer.benchmarking.blocks import Measured, Sides, measure_blocks
from kpviewer.benchmarking.report import BenchReport
from kpviewer.benchmarking.versions import LIBRARIES, versions
from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.models.loading import open_model
from kpviewer.models.spec import ModelSpec
from kpviewer.pipeline.measuring.benchmark import Block, Plan, measure_drawing
from kpviewer.runtime.choosing.autotune import probe_image
from kpviewer.runtime.device import resolve_device
from kpviewer.runtime.executor import Executor
from kpviewer.shipped import DEFAULT_MODEL
from kpviewer.sources.base import FrameSource
from kpviewer.sources.naming import SYNTHETIC
from kpviewer.sources.open import make_source
from kpviewer.structures import FrameResult
from kpviewer.system.cpu_threads import cpu_threads

BLOCKS = 5
"""Number of blocks of everything that is compared; one disturbed block doesn't move the median."""
DRAWN_FRAMES = 60


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """Arguments of a measurement."""

    source: str = SYNTHETIC
    model: str = DEFAULT_MODEL
    against: str | None = None
    """Name of the loop to compare with: "naive", or None."""
    record: bool = False
    """Whether to measure drawing and recording, too."""
    device: str = "auto"
    precision: str = "auto"
    backend: str = "auto"
    frames: int = 300


def measure(options: BenchOptions) -> BenchReport:
    """Load the model and measure. Main thread only: drawing may need an application object.

    Raises:
        KpviewerError: if the model can't be loaded, or the source can't be read.
    """

    def source() -> FrameSource:
        return make_source(options.source)

    detector = open_model(options.model)
    engine = Executor(detector, options.device, options.precision, options.backend)
    first_call_ms = _first_call_ms(engine)
    against = naive = None
    if options.against is not None:
        from kpviewer.runtime.naive import DESCRIPTION, NaiveModel  # noqa: PLC0415  # torch

        naive = NaiveModel(detector, resolve_device(options.device)).detect
        against = (options.against, DESCRIPTION)
    drawing_ms, remarks = _drawing_ms(source, engine, options.frames)
    plan = Plan(-(-options.frames // BLOCKS), blocks=BLOCKS)
    records = options.record and drawing_ms is not None
    measured = _measure_blocks(Sides(source, engine, naive, records), plan)
    return BenchReport(
        _setting(engine, measured.pipeline[-1]),
        measured,
        plan,
        first_call_ms=first_call_ms,
        drawing_ms=drawing_ms,
        against=against,
        notes=(*detector.spec.notes, *_notes(measured), *remarks),
    )


def _first_call_ms(engine: Executor) -> float:
    """Return the time of the first call, in which torch initialises and auto options are chosen.

    The image is that of the viewer, so that the same precision is chosen.
    """
    image = probe_image()
    began_s = time.perf_counter()
    engine.infer(image)
    return (time.perf_counter() - began_s) * 1e3


def _measure_blocks(sides: Sides, plan: Plan) -> Measured:
    frames = plan.blocks * (plan.warm_up + plan.frames) * sides.count
    with tqdm(total=frames, unit="frame", disable=None, leave=False) as bar:
        return measure_blocks(sides, plan, bar.update)


def _drawing_ms(
    source: Callable[[], FrameSource], engine: Executor, frames: int
) -> tuple[list[float] | None, tuple[str, ...]]:
    """Return the times of drawing the overlay, or None and the reason if Qt can't be loaded."""
    try:
        draw = _renderer(engine.spec)
    except ImportError as error:
        return None, (f"Drawing is left out, as PyQt6 can't be loaded: {error}",)
    return measure_drawing(source(), engine, Plan(min(frames, DRAWN_FRAMES)), draw), ()


def _renderer(spec: ModelSpec) -> Callable[[FrameResult], object]:
    """Return a function that draws a result like a recording.

    Raises:
        ImportError: if PyQt6, or a library that it needs, is missing.
    """
    from kpviewer.overlay import (  # noqa: PLC0415  # it needs Qt
        OverlayStyle,
        ensure_gui_application,
        render,
    )

    ensure_gui_application()
    style = OverlayStyle().of_model(spec)
    return lambda result: render(result, style)


def _setting(engine: Executor, block: Block) -> dict[str, Any]:
    """Return the measured system and model, with the keys of the JSON."""
    return {
        "model": engine.spec.name,
        "source": block.info.name,
        "device": engine.device_name,
        "engine": engine.backend,  # its name in older files
        "backend": engine.backend,
        "precision": engine.precision,
        "threads": cpu_threads(),
        "picture_hw": list(block.image_hw),
        "input_hw": list(letterbox_of(engine.spec, block.image_hw).input_hw),
        "versions": versions(*LIBRARIES),
    }


def _notes(measured: Measured) -> list[str]:
    """Return notes on the source that matter for the figures."""
    notes = []
    info = measured.pipeline[0].info
    if info.is_live:
        notes.append(f"{info.name} is live: its frame rate limits the figures")
    warnings = (block.warning for block in measured.pipeline)
    return notes + [warning for warning in dict.fromkeys(warnings) if warning is not None]
