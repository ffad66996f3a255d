"""File dialogs; each starts in the folder that was last used for its kind."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PyQt6.QtWidgets import QFileDialog, QWidget

from kpviewer.annotations.beside import GROUND_TRUTH_SUFFIXES, spec_of_file
from kpviewer.gui.language import tr
from kpviewer.gui.saving.target import RecordingTarget
from kpviewer.gui.settings.recent import MODEL_SUFFIXES, Recent
from kpviewer.image_files import IMAGE_SUFFIXES
from kpviewer.runtime.abandoned import DISK_S, NoAnswerError, answer_within
from kpviewer.sources.video.formats import VIDEO_SUFFIXES

_NO_DETAILS = QFileDialog.Option.HideNameFilterDetails
"""Names of kinds of files without their suffixes: those of videos fill several lines."""
_SOURCES = (*VIDEO_SUFFIXES, *sorted(IMAGE_SUFFIXES))


def ask_for_files(parent: QWidget, recent: Recent) -> list[str]:
    """Return the videos and images that the user chooses; empty if they choose none."""
    start, kinds = last_folder(recent), _filter(tr("Videos and images"), _SOURCES)
    return QFileDialog.getOpenFileNames(parent, tr("Open files"), start, kinds, "", _NO_DETAILS)[0]


def ask_for_folder(parent: QWidget, recent: Recent) -> str:
    """Return the folder of images that the user chooses; empty if they choose none."""
    return QFileDialog.getExistingDirectory(parent, tr("Open folder"), last_folder(recent))


def ask_for_model(parent: QWidget, recent: Recent) -> str:
    """Return the weight file that the user chooses; empty if they choose none."""
    start, kinds = last_folder(recent), _filter(tr("Models"), MODEL_SUFFIXES)
    return QFileDialog.getOpenFileName(parent, tr("Open model"), start, kinds, "", _NO_DETAILS)[0]


def ask_for_ground_truth(parent: QWidget, source: str | None) -> str:
    """Return the specification of the annotations that the user chooses; empty for none."""
    open_source = Path(source) if source and is_on_disk(source) else Path.home()
    start = str(open_source if open_source.is_dir() else open_source.parent)
    kinds = _filter(tr("Annotations"), GROUND_TRUTH_SUFFIXES)
    title = tr("Open annotations")
    chosen = QFileDialog.getOpenFileName(parent, title, start, kinds, "", _NO_DETAILS)[0]
    return spec_of_file(Path(chosen), open_source) if chosen else ""


def ask_for_recordings_folder(parent: QWidget, saving: RecordingTarget) -> str:
    """Return the folder that the user chooses; empty if they choose none."""
    # A dialog on a folder that doesn't answer would freeze the window.
    start = Path.home() if saving.watch.is_silent else saving.folder
    return QFileDialog.getExistingDirectory(parent, tr("Folder for recordings"), str(start))


def is_on_disk(source: str) -> bool:
    """Return whether a source is a file or folder; False if its disk doesn't answer."""
    try:
        return answer_within(DISK_S, Path(source).exists, f"looking for {Path(source).name}")
    except NoAnswerError:
        return False


def last_folder(recent: Recent) -> str:
    """Return the folder of the newest recent file; the home folder if there is none."""
    newest = next((path for item in recent.items if (path := Path(item)).is_absolute()), None)
    return str(Path.home() if newest is None else newest.parent)


def _filter(name: str, suffixes: Iterable[str]) -> str:
    """Return the name filter of a file dialog."""
    everything = tr("All files")
    return f"{name} ({' '.join('*' + suffix for suffix in suffixes)});;{everything} (*)"
