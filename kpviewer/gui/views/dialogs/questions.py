"""Questions to the user: which file or folder, and whether a model that is code may run.

File dialogs start in the folder that was last used for their kind.
"""

from collections.abc import Callable, Iterable
from pathlib import Path, PurePath

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFileDialog, QMessageBox, QWidget

from kpviewer.annotations.beside import GROUND_TRUTH_SUFFIXES, spec_of_file
from kpviewer.gui.language import tr
from kpviewer.gui.opening.permission import CodePermission, file_of
from kpviewer.gui.saving.target import RecordingTarget
from kpviewer.gui.settings.recent import MODEL_SUFFIXES, Recent
from kpviewer.image_files import IMAGE_SUFFIXES
from kpviewer.models.names.models import is_engine
from kpviewer.runtime.process.abandoned import DISK_S, NoAnswerError, answer_within
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


def may_open(parent: QWidget, permission: CodePermission, name: str) -> bool:
    """Return whether a model may be opened; ask the user before it runs code for the first time.

    The question names the file. The permission lasts until the window is closed.
    """
    for code in permission.missing(name):
        if not _ask(parent, code):
            return False
    permission.allow(name)
    return True


def _ask(parent: QWidget, code: str) -> bool:
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle(tr("Run code?"))
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(question(code))
    yes = box.addButton(tr("Run it"), QMessageBox.ButtonRole.AcceptRole)
    no = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(no)
    box.exec()
    return box.clickedButton() is yes


def ask_to_close(parent: QWidget, name: str, close: Callable[[], object]) -> None:
    """Ask whether the window may close while an export of ``name`` runs; ``close`` closes it."""
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle(tr("Cancel the export?"))
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(tr("{name} is still being exported. Closing cancels that.").format(name=name))
    yes = box.addButton(tr("Cancel it and close"), QMessageBox.ButtonRole.DestructiveRole)
    no = box.addButton(tr("Go on exporting"), QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(no)
    box.setEscapeButton(no)
    box.buttonClicked.connect(lambda button: close() if button is yes else None)
    box.open()


def question(code: str) -> str:
    """Return what is asked before a function, or an engine, runs."""
    if is_engine(code):
        text = tr("Open the TensorRT engine {name}?") + "\n\n"
        text += tr("An engine holds code, which runs with your rights. Open it if you trust:")
        return f"{text.format(name=PurePath(code).name)}\n\n{code}"
    module, _, function = code.partition(":")
    text = tr("Run code of the module {module}?") + "\n\n"
    text += tr("The model is its function {function}. To open it, kpviewer runs this file:")
    file = file_of(code) or tr("(not found)")
    return f"{text.format(module=module, function=function)}\n\n{file}"
