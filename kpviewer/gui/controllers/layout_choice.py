"""The question which layout a model's outputs have, and what follows the answer."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject

from kpviewer.errors import WeightsError
from kpviewer.gui.background.loader import BackgroundLoader
from kpviewer.gui.language import tr
from kpviewer.gui.opening.layout_previews import Preview, PreviewFrame, frame_of, preview
from kpviewer.gui.opening.loaders import EngineLoader
from kpviewer.gui.views.dialogs.layout_dialog import PREVIEW_SIZE, LayoutDialog
from kpviewer.gui.views.panes import AnyPanes
from kpviewer.models.names.models import with_layout
from kpviewer.models.onnx.families.base import AmbiguousLayout, Recognised
from kpviewer.models.onnx.saved import save_description
from kpviewer.runtime.process.loading import Outcome


class LayoutChoice(QObject):
    """Asks for the layout of a file, saves the answer beside it, and opens the file again."""

    def __init__(self, panes: AnyPanes, load: EngineLoader) -> None:
        super().__init__(panes.docks)
        self._panes, self._load = panes, load
        self._previews, self._saving = BackgroundLoader(), BackgroundLoader()
        self.dialog: LayoutDialog | None = None
        """The dialog while it is open."""

    def ask(self, error: AmbiguousLayout, name: str, open_it: Callable[[str], None]) -> None:
        """Show the layouts that fit a file."""
        self._drop()
        dialog = LayoutDialog(error.path.name, error.candidates, self._panes.docks.window())
        dialog.chosen.connect(partial(self._on_chosen, error, name, open_it))
        dialog.finished.connect(partial(self._on_finished, dialog))
        self.dialog = dialog
        frame = frame_of(self._panes.view.result(), self._panes.view.overlay_style)
        self._make_preview(dialog, error, frame, 0)
        dialog.open()

    def close(self) -> None:
        """Close the dialog, and let go of what is computed for it."""
        self._drop()
        self._previews.close()
        self._saving.close()

    def _drop(self) -> None:
        if self.dialog is not None:
            self.dialog.reject()

    def _make_preview(
        self, dialog: LayoutDialog, error: AmbiguousLayout, frame: PreviewFrame | None, index: int
    ) -> None:
        """Make the previews from one index on, one after the other."""
        if dialog is not self.dialog or index == len(error.candidates):
            return
        name = with_layout(str(error.path), error.candidates[index].layout)
        ratio = dialog.devicePixelRatioF()

        def show(outcome: Outcome[Preview]) -> None:
            if dialog is self.dialog:
                if outcome.value is not None:
                    dialog.cards[index].show_preview(outcome.value)
                else:
                    dialog.cards[index].show_problem(outcome.reason)
                self._make_preview(dialog, error, frame, index + 1)

        self._previews.submit(
            name, lambda: preview(self._load, name, frame, PREVIEW_SIZE, ratio), show
        )

    def _on_chosen(
        self, error: AmbiguousLayout, name: str, open_it: Callable[[str], None], index: int
    ) -> None:
        chosen = error.candidates[index]

        def open_again(outcome: Outcome[Path]) -> None:
            if outcome.value is not None:
                text = tr("The layout is saved in {path}.").format(path=outcome.value)
                self._panes.say(text)
                open_it(name)
            else:
                self._open_unsaved(name, chosen, open_it, outcome.reason)

        self._saving.submit(error.path.name, lambda: _save(error.path, chosen), open_again)

    def _open_unsaved(
        self, name: str, chosen: Recognised, open_it: Callable[[str], None], reason: str
    ) -> None:
        self._panes.say(reason)
        try:
            open_it(with_layout(name, chosen.layout))
        except WeightsError as error:  # the name is of two models
            self._panes.say(str(error))

    def _on_finished(self, dialog: LayoutDialog, _result: int) -> None:
        if dialog is self.dialog:
            self._previews.cancel()
            self.dialog = None


def _save(path: Path, chosen: Recognised) -> Path:
    remark = f"Written by kpviewer for {path.name}: layout {chosen.layout} ({chosen.summary})."
    return save_description(path, chosen.description, remark)
