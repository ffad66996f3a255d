"""Opening of the models that the user chooses; which names are of models, and which of sources."""

from abc import abstractmethod
from pathlib import Path

from kpviewer.annotations.beside import GROUND_TRUTH_SUFFIXES, label_file_in
from kpviewer.annotations.formats.recognition import is_annotation_xml
from kpviewer.annotations.reading.folders import LABEL_FOLDERS
from kpviewer.gui.controllers.layout_choice import LayoutChoice
from kpviewer.gui.opening.cameras import CameraFinder
from kpviewer.gui.opening.loaders import Loaders
from kpviewer.gui.opening.model_loading import ModelLoading
from kpviewer.gui.opening.model_names import short_name
from kpviewer.gui.settings.recent import MODEL_SUFFIXES
from kpviewer.gui.views.dialogs.questions import may_open
from kpviewer.gui.views.panes import AnyPanes
from kpviewer.models.files.foreign import FOREIGN_SUFFIXES
from kpviewer.runtime.process.abandoned import DISK_S, NoAnswerError, answer_within


class ModelOpener:
    """Loads the models that the user chooses, and finds the cameras for menus."""

    def __init__(self, models: ModelLoading, panes: AnyPanes, loaders: Loaders) -> None:
        self.cameras = CameraFinder()
        self._permission, self._panes = loaders.permission, panes
        self.models = models
        self.layouts = LayoutChoice(panes, loaders.load_first or loaders.load_engine)
        models.layout_asked.connect(
            lambda error, name: self.layouts.ask(error, name, self.choose_model)
        )

    def choose_model(self, name: str) -> None:
        """Load another model; an empty name (a cancelled dialog) does nothing."""
        if name and may_open(self._panes.docks, self._permission, name):
            self.models.load(name)
            self._panes.top_bar.model.set_choice(short_name(name))

    @abstractmethod
    def choose_source(self, text: str) -> None:
        """Open a source; an empty text (a cancelled dialog) does nothing."""

    def close(self) -> None:
        """Let go of what runs in the background."""
        self.cameras.close()
        self.layouts.close()


def is_model(text: str) -> bool:
    """Return whether an address or a path is of a model; unsupported ones are refused."""
    is_known = _ending(text) in (*MODEL_SUFFIXES, *FOREIGN_SUFFIXES)
    return is_known and not is_ground_truth(text)


def is_ground_truth(text: str) -> bool:
    """Return whether an address or a path is of annotations; models may be XML, too."""
    return label_file(text) is not None


def label_file(text: str) -> Path | None:
    """Return the file of annotations that a path names, or one of the folder that it names.

    Returns:
        None if it names something else, can't be read, or its disk doesn't answer in time.
    """
    ending, path = _ending(text), Path(text)
    if ending != ".xml" and path.name.lower() not in LABEL_FOLDERS:
        return path if ending in GROUND_TRUTH_SUFFIXES else None
    try:
        return answer_within(DISK_S, lambda: _label_file_in(path), f"reading {path.name}")
    except (NoAnswerError, OSError):
        return None


def _label_file_in(path: Path) -> Path | None:
    file = label_file_in(path)
    ending = file.suffix.lower()
    is_read = ending in GROUND_TRUTH_SUFFIXES and (ending != ".xml" or is_annotation_xml(file))
    return file if is_read else None


def is_source(text: str) -> bool:
    """Return whether an address or a path is neither of a model nor of annotations."""
    return not is_model(text) and not is_ground_truth(text)


def _ending(text: str) -> str:
    return "" if "://" in text else Path(text).suffix.lower()
