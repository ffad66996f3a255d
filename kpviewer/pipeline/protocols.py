"""Interfaces that the pipeline requires: an engine that runs a model, and sinks for results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpviewer.models.spec import ModelSpec
    from kpviewer.structures import Candidates, Frame, FrameResult, ImageArray

    EngineResult: TypeAlias = tuple[Candidates, tuple[float, float, float]]
    """What an engine returns for a frame."""


class InferenceEngine(Protocol):
    """Runs a model on one image; ``runtime.executor.Executor`` is one."""

    @property
    def spec(self) -> ModelSpec:
        """Description of the model."""

    def infer(self, bgr: ImageArray) -> EngineResult:
        """Return the candidates in an (H, W, 3) uint8 image, and how long finding them took.

        The three times are those of upload, forward pass and postprocessing, in ms
        (``runtime.executor.InferenceTimings``). The engine doesn't use ``bgr`` after it returns.

        Called on the inference thread only. An exception ends the pipeline, or leaves the frame
        without boxes (``PipelineOptions.carries_on``), after the frame was tried once more.
        """


@runtime_checkable
class BatchEngine(InferenceEngine, Protocol):
    """Engine that may run several images at once."""

    def infer_batch(self, images: Sequence[ImageArray]) -> Sequence[EngineResult]:
        """Return what ``infer`` returns for each image, in order; times are shares of a batch.

        Sizes may differ. An exception makes the pipeline run each image alone.
        """


@runtime_checkable
class FrameEngine(InferenceEngine, Protocol):
    """Engine that needs to know which frames its images are, as to look their candidates up."""

    def infer_frames(self, frames: Sequence[Frame]) -> Sequence[EngineResult]:
        """Return what ``infer`` returns for the image of each frame, in order."""


def infer_all(engine: InferenceEngine, frames: Sequence[Frame]) -> Sequence[EngineResult]:
    """Run an engine on frames, at once where it can."""
    if isinstance(engine, FrameEngine):
        return engine.infer_frames(frames)
    if len(frames) > 1 and isinstance(engine, BatchEngine):
        return engine.infer_batch([frame.bgr for frame in frames])
    return [engine.infer(frame.bgr) for frame in frames]


def needs_pinned_memory(engine: InferenceEngine | None) -> bool:
    """Return whether frames are copied to a GPU: the engine's own ``needs_pinned_memory``."""
    return bool(getattr(engine, "needs_pinned_memory", False))


def doubt_about(engine: InferenceEngine | None) -> str | None:
    """Return why a model's outputs can't be right, by the engine's own ``doubt``; else None."""
    doubt: str | None = getattr(engine, "doubt", None)
    return doubt


def takes_seconds(engine: InferenceEngine | None) -> bool:
    """Return whether a frame takes seconds, by the engine's own ``takes_seconds``."""
    return bool(getattr(engine, "takes_seconds", False))


def spare_on_cpu(engine: InferenceEngine) -> InferenceEngine | None:
    """Return the same model on the CPU; None if it runs there or the engine has no ``on_cpu``."""
    make = getattr(engine, "on_cpu", None)
    spare: InferenceEngine | None = make() if make is not None else None
    return spare


class ResultSink(Protocol):
    """Receives every result, for instance to record it."""

    def accept(self, result: FrameResult) -> None:
        """Process a result, on the inference thread: a slow sink slows the stream.

        The frame is valid during the call; retain it to keep it longer, and release it after.
        An exception ends the pipeline, or only removes the sink (``PipelineOptions.carries_on``).
        """
