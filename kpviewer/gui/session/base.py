"""What the session of a source and that of a grid have in common, and their state as a snapshot."""

from abc import abstractmethod
from dataclasses import dataclass, replace

from PyQt6.QtCore import QObject, pyqtSignal

from kpviewer.errors import KpviewerError
from kpviewer.gui.language import tr
from kpviewer.gui.opening.loaders import ViewerEngine
from kpviewer.gui.opening.model_loading import ModelLoading
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.settings.remembered import RememberedSettings
from kpviewer.models.spec import ModelSpec
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
    is_one_image: bool = False
    """Whether the source has a single frame, which nothing follows."""
    below: tuple[str, ...] = ()
    """Sources in the folder, if it has no image: the nearest folder with some, or videos."""
    opening: str | None = None
    """Name of another source that is being opened while this one continues; None without one."""


class AnySession(QObject):
    """What the session of a source and that of a grid have in common: a model and a source."""

    opened = pyqtSignal()
    """Emitted when a stream has been opened: ``source_text`` and ``info`` are of it."""
    model_changed = pyqtSignal()
    """Emitted when another ``engine`` is in use."""
    warned = pyqtSignal(str)
    """Emitted with a warning for the user."""

    def __init__(
        self, models: ModelLoading, options: ViewerOptions, remembered: RememberedSettings
    ) -> None:
        super().__init__()
        self.models = models
        self._options, self._remembered = options, remembered
        self._thresholds, self._is_edited = options.on_top_of(Thresholds()), False
        self._spec: ModelSpec | None = None
        """Description of the last model."""
        self.engine: ViewerEngine | None = None
        """Engine of the model; None until it is loaded."""
        self.source_text: str | None = None
        """Source as the user named it; None is the first camera."""
        self.info: StreamInfo | None = None
        """Description of the source; None until it is open."""

    @property
    def thresholds(self) -> Thresholds:
        """The settings that turn candidates into detections."""
        return self._thresholds

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Use other thresholds from the next frame on; a model that loads later keeps them."""
        self._thresholds, self._is_edited = thresholds, True

    @property
    @abstractmethod
    def failure(self) -> KpviewerError | None:
        """Error of the source, if it has failed."""

    @abstractmethod
    def close(self) -> None:
        """End the threads of sources and models, within time limits."""

    def _take_model(self, spec: ModelSpec) -> None:
        """Begin with the thresholds of a model, unless it has only moved to another device."""
        before, self._spec = self._spec, spec
        if before == spec:
            return
        edited = self._thresholds if before is None and self._is_edited else None
        if before is not None:  # the classes of the command line are of the first model
            self._options = replace(self._options, classes=())
        self._thresholds = self._thresholds_of(spec, edited)
        if spec.notes:
            self.warned.emit(f"{spec.name}: {' '.join(spec.notes)}")

    def _thresholds_of(self, spec: ModelSpec, edited: Thresholds | None) -> Thresholds:
        """Return the thresholds of a new model, overridden by earlier edits of the user."""
        options = self._options
        try:
            asked = options.thresholds_for(spec)
        except ValueError as error:
            self.warned.emit(tr("{error} All classes are shown.").format(error=error))
            asked = replace(options, classes=()).thresholds_for(spec)
        thresholds = self._remembered.thresholds(spec, asked)
        return thresholds if edited is None else replace(edited, classes=thresholds.classes)
