"""Drops of files, folders, addresses and models on the window."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PyQt6.QtCore import QEvent, QObject
from PyQt6.QtGui import QDragEnterEvent, QDropEvent
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.controllers.opener import is_model, is_source
from kpviewer.gui.language import tr
from kpviewer.gui.opening.clipboard import all_pasted
from kpviewer.gui.saving.folder_watch import names_of
from kpviewer.image_files import IMAGE_SUFFIXES


class DropTarget(QObject):
    """Event filter for drags over a window; drags that name no source are refused at once."""

    def __init__(self, window: QWidget, open_all: Callable[[list[str]], None]) -> None:
        super().__init__(window)
        self._open_all = open_all
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, _object: QObject | None, event: QEvent | None) -> bool:
        """Accept drags and drops of sources, models and annotations."""
        if isinstance(event, QDragEnterEvent):  # a subclass of QDropEvent, so it comes first
            if all_pasted(event.mimeData()):
                event.acceptProposedAction()
            return True
        if isinstance(event, QDropEvent) and event.type() == QEvent.Type.Drop:
            texts = all_pasted(event.mimeData())
            if texts:
                event.acceptProposedAction()
                self._open_all(texts)
            return True
        return False


def open_dropped(
    texts: list[str],
    open_one: Callable[[str], None],
    open_several: Callable[[list[str]], None],
    say: Callable[[str], None],
) -> None:
    """Open what was dropped on a window with one source: images one alone, videos side by side.

    A model that was dropped with a source is opened, too; ``open_several`` gets all texts.
    """
    if not texts:  # a cancelled dialog
        return
    sources = [text for text in texts if is_source(text)]
    images = [text for text in sources if Path(text).suffix.lower() in IMAGE_SUFFIXES]
    if len(sources) > max(1, len(images)):
        open_several(texts)
        return
    models = [text for text in texts if is_model(text)]
    opened = [*sources[:1], *models[:1]] or texts[:1]
    for text in opened:
        open_one(text)
    said = not_opened([text for text in texts if text not in (*opened, *images)])
    if len(images) > 1:
        message = tr("Opened the first of {count}. Drop a folder to see all of its images.")
        said.insert(0, message.format(count=len(images)))
    if said:
        say(" ".join(said))


def not_opened(texts: Sequence[str]) -> list[str]:
    """Return what to say of paths that came with others and weren't opened; empty for none."""
    names = names_of([Path(text) for text in texts])
    if len(texts) > 1:
        return [tr("{names} weren't opened. Drop each alone.").format(names=names)]
    return [tr("{name} wasn't opened. Drop it alone.").format(name=names)] if texts else []
