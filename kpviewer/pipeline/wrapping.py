"""Base of engines that run another one."""

from abc import ABC, abstractmethod

from kpviewer.models.spec import ModelSpec
from kpviewer.pipeline.protocols import (
    InferenceEngine,
    content_hash,
    doubt_about,
    is_settled,
    needs_pinned_memory,
    notice_about,
    runs_on,
    takes_seconds,
)


class WrappingEngine(ABC):
    """Engine whose model is that of another: what ``protocols`` asks of it, the other answers.

    How images are run (``frames_in_flight``, ``infer_at_turn``, ``on_cpu``) is its own.
    """

    @property
    @abstractmethod
    def engine(self) -> InferenceEngine:
        """The engine that runs the model."""

    @property
    def spec(self) -> ModelSpec:
        """Description of the model."""
        return self.engine.spec

    @property
    def model_hash(self) -> str | None:
        """Hash of the model's content."""
        return content_hash(self.engine)

    @property
    def device_name(self) -> str:
        """Name of the device."""
        return runs_on(self.engine).device

    @property
    def backend(self) -> str:
        """Inference backend."""
        return runs_on(self.engine).backend

    @property
    def precision(self) -> str:
        """Precision of the model."""
        return runs_on(self.engine).precision

    @property
    def needs_pinned_memory(self) -> bool:
        """Whether the model copies frames to a GPU."""
        return needs_pinned_memory(self.engine)

    @property
    def takes_seconds(self) -> bool:
        """Whether a frame takes seconds."""
        return takes_seconds(self.engine)

    @property
    def is_settled(self) -> bool:
        """Whether no other backend is worth a trial."""
        return is_settled(self.engine)

    @property
    def doubt(self) -> str | None:
        """Reason why the model's outputs can't be right; None while they may be."""
        return doubt_about(self.engine)

    @property
    def notice(self) -> str | None:
        """Reason why the model is slower than it could be; None if it isn't."""
        return notice_about(self.engine)
