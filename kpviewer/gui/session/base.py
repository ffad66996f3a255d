"""What the session of a source and that of a grid have in common, and their state as a snapshot."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from PyQt6.QtCore import QObject, pyqtSignal

from kpviewer.errors import KpviewerError
from kpviewer.gui.opening.loaders import ViewerEngine
from kpviewer.gui.opening.model_loading import ModelLoading
from kpviewer.pipeline_status import PipelineStatus
from kpviewer.structures import StreamInfo, Thresholds


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """State that the cards and chips over the video depend on."""

    source: str | None
    """Name of the source for people; None while nothing is open."""
    opening_s: float
    """Time since a source was chosen, s."""
    pipeline: PipelineStatus | None
    failure: str | None
    loading_model: str | None
    loading_s: float
    model_failure: str | None
    model_doubt: str | None = None
    """Why the boxes of the model can't be right; None while they may be."""
    waits_for_model: bool = False
    """Whether the first frame is held until the model is loaded."""
    has_model: bool = False
    """Whether a model runs; it goes on if another one can't be loaded."""
    below: str | None = None
    """Folder that has images, if the source is a folder without any."""
    opening: str | None = None
    """Name of another source that is being opened while this one continues; None without one."""


class AnySession(QObject):
    """What the session of a source and that of a grid have in common: a model and a source."""

    opened = pyqtSignal()
    """Emitted when a stream has been opened: ``source_text`` and ``info`` are of it."""
    model_changed = pyqtSignal()
    """Emitted when another ``engine`` is in use."""

    def __init__(self, models: ModelLoading) -> None:
        super().__init__()
        self.models = models
        self.engine: ViewerEngine | None = None
        """Engine of the model; None until it is loaded."""
        self.source_text: str | None = None
        """Source as the user named it; None is the first camera."""
        self.info: StreamInfo | None = None
        """Description of the source; None until it is open."""

    @property
    @abstractmethod
    def thresholds(self) -> Thresholds:
        """The settings that turn candidates into detections."""

    @property
    @abstractmethod
    def failure(self) -> KpviewerError | None:
        """Error of the source, if it has failed."""

    @abstractmethod
    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Use other thresholds from the next frame on; a model that loads later keeps them."""

    @abstractmethod
    def close(self) -> None:
        """End the threads of sources and models, within time limits."""
