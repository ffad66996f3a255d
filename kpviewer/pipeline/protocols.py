"""Interfaces that the pipeline requires: an engine that runs a model, and sinks for results."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeAlias, TypeGuard, runtime_checkable

from kpviewer.models.spec import ModelSpec
from kpviewer.runtime.tickets import Ticket
from kpviewer.structures import Candidates, Frame, FrameResult, ImageArray

EngineResult: TypeAlias = tuple[Candidates, tuple[float, float, float]]
"""What an engine returns for a frame."""


@runtime_checkable
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


class SubmittingEngine(InferenceEngine, Protocol):
    """Engine that may take a frame while it computes another."""

    @property
    def frames_in_flight(self) -> int:
        """Most frames in flight; with 1, none is submitted. May change at any time."""

    def submit(self, bgr: ImageArray) -> Ticket[EngineResult]:
        """Start an (H, W, 3) uint8 image, which stays unchanged until the ticket's fence is done.

        A ticket that is dropped gives up its result. ``infer`` may be called while others are
        pending.
        """


@runtime_checkable
class FrameEngine(InferenceEngine, Protocol):
    """Engine that needs to know which frames its images are, as to look their candidates up."""

    def infer_frames(self, frames: Sequence[Frame]) -> Sequence[EngineResult]:
        """Return what ``infer`` returns for the image of each frame, in order."""


class NotRunError(BaseException):
    """An engine was interrupted before the turn of an image, and didn't run on it."""


class QueueingEngine(InferenceEngine, Protocol):
    """Engine whose images wait for their turn, as other pipelines share its model.

    Its calls raise NotRunError for an image that waits when ``interrupt`` is called, and for later
    ones until ``resume``. The frame is run by the present engine, if that is another.
    """

    waited_ms: float
    """Time for which the last image waited for others after it was given, in ms."""

    def infer_at_turn(self, take: Callable[[], ImageArray]) -> EngineResult:
        """Return what ``infer`` returns for an image that is taken when its turn comes.

        Args:
            take: function that returns the image; called once, by the thread of the model.
        """

    @property
    def silent_s(self) -> float:
        """Seconds that the model's run under way has lasted, whose image it may be."""

    def interrupt(self) -> None:
        """End the wait of an image, and of all later ones; called from any thread."""

    def resume(self) -> None:
        """Accept images again."""


def infer_all(engine: InferenceEngine, frames: Sequence[Frame]) -> Sequence[EngineResult]:
    """Run an engine on frames, at once where it can."""
    if isinstance(engine, FrameEngine):
        return engine.infer_frames(frames)
    if len(frames) > 1 and isinstance(engine, BatchEngine):
        return engine.infer_batch([frame.bgr for frame in frames])
    return [engine.infer(frame.bgr) for frame in frames]


def frames_in_flight(engine: InferenceEngine | None) -> int:
    """Return how many frames an engine takes at once: its own ``frames_in_flight``, or 1."""
    return int(getattr(engine, "frames_in_flight", 1))


def submits(engine: InferenceEngine | None) -> TypeGuard[SubmittingEngine]:
    """Return whether an engine takes several frames at once at present."""
    return frames_in_flight(engine) > 1


def queues(engine: InferenceEngine | None) -> TypeGuard[QueueingEngine]:
    """Return whether an engine is a ``QueueingEngine``; ``isinstance`` is slow for each frame."""
    return hasattr(engine, "infer_at_turn")


def interrupt(engine: InferenceEngine | None) -> None:
    """Interrupt an image that waits in a shared engine; do nothing for other engines."""
    if queues(engine):
        engine.interrupt()


def resume(engine: InferenceEngine | None) -> None:
    """Resume an engine that was interrupted."""
    if queues(engine):
        engine.resume()


def waited_ms(engine: InferenceEngine) -> float:
    """Return how long the last image waited in the engine for its turn, in ms."""
    return engine.waited_ms if queues(engine) else 0.0


def silent_s(engine: InferenceEngine, at_frame_s: float) -> float:
    """Return for how many seconds a model has been at one image.

    Args:
        engine: an engine.
        at_frame_s: seconds that the pipeline has waited for its image, which may wait its turn.
    """
    return min(at_frame_s, engine.silent_s) if queues(engine) else at_frame_s


def needs_pinned_memory(engine: InferenceEngine | None) -> bool:
    """Return whether frames are copied to a GPU: the engine's own ``needs_pinned_memory``."""
    return bool(getattr(engine, "needs_pinned_memory", False))


class RunsOn(NamedTuple):
    """What runs a model; what an engine doesn't say is empty."""

    device: str
    backend: str
    precision: str


def runs_on(engine: object) -> RunsOn:
    """Return what runs a model, by the engine's ``device_name``, ``backend``, ``precision``."""
    names = ("device_name", "backend", "precision")
    return RunsOn(*(str(getattr(engine, name, None) or "") for name in names))


def content_hash(engine: object) -> str | None:
    """Return the hash of a model's content, by the engine's own ``model_hash``; else None."""
    found: str | None = getattr(engine, "model_hash", None)
    return found


def doubt_about(engine: InferenceEngine | None) -> str | None:
    """Return why a model's outputs can't be right, by the engine's own ``doubt``; else None."""
    doubt: str | None = getattr(engine, "doubt", None)
    return doubt


def notice_about(engine: InferenceEngine | None) -> str | None:
    """Return why a model is slower than it could be, by the engine's own ``notice``; else None."""
    notice: str | None = getattr(engine, "notice", None)
    return notice


def takes_seconds(engine: InferenceEngine | None) -> bool:
    """Return whether a frame takes seconds, by the engine's own ``takes_seconds``."""
    return bool(getattr(engine, "takes_seconds", False))


def is_settled(engine: InferenceEngine | None) -> bool:
    """Return whether no other backend is worth a trial, by the engine's own ``is_settled``."""
    return takes_seconds(engine) or bool(getattr(engine, "is_settled", False))


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
