"""Properties of an executor, for objects that wrap one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kpviewer.models.spec import ModelSpec
    from kpviewer.runtime.executor import Executor


class EngineFacts:
    """Read-only properties of an executor."""

    _engine: Executor

    @property
    def spec(self) -> ModelSpec:
        """Description of the model: names, input size, thresholds and origin."""
        return self._engine.spec

    @property
    def model_hash(self) -> str | None:
        """Hash of all that the candidates depend on, except device, backend and precision."""
        return self._engine.model_hash

    @property
    def device_name(self) -> str:
        """Name of the device for users: "CPU", or the name of the GPU."""
        return self._engine.device_name

    @property
    def backend(self) -> str:
        """Inference backend, such as "torch"; "auto" until the first image."""
        return self._engine.backend

    @property
    def precision(self) -> str:
        """Precision, such as "fp32"; "auto" until the first image."""
        return self._engine.precision

    @property
    def doubt(self) -> str | None:
        """Reason why the outputs can't be right as they are read; None while they may be."""
        return self._engine.doubt

    @property
    def notice(self) -> str | None:
        """Reason why the model is slower than its device allows; None if it isn't."""
        return self._engine.notice

    @property
    def takes_seconds(self) -> bool:
        """Whether an image takes seconds."""
        return self._engine.takes_seconds

    @property
    def needs_pinned_memory(self) -> bool:
        """Whether images in page-locked memory reach the device faster."""
        return self._engine.needs_pinned_memory

    @property
    def frames_in_flight(self) -> int:
        """Most images that ``submit`` has in flight."""
        return self._engine.frames_in_flight
