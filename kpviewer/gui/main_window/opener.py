"""Opening of what the user chooses: sources, models, a second model, ground truth."""

from pathlib import Path

from kpviewer.annotations.beside import spec_of_file
from kpviewer.gui.controllers.opener import ModelOpener, is_model, label_file
from kpviewer.gui.language import tr
from kpviewer.gui.main_window.compare_link import CompareLink
from kpviewer.gui.opening.cameras import first_camera
from kpviewer.gui.opening.loaders import Loaders
from kpviewer.gui.session import Session
from kpviewer.gui.views.dialogs.questions import may_open
from kpviewer.gui.views.panels.side_panel import Intent
from kpviewer.gui.views.panes import Panes
from kpviewer.models.onnx.families.base import AmbiguousLayout


class Opener(ModelOpener):
    """Target of menus, dialogs, keys, drops and the clipboard; opens by name."""

    def __init__(
        self, session: Session, compare: CompareLink, panes: Panes, loaders: Loaders
    ) -> None:
        super().__init__(session.models, panes, loaders)
        self.session, self.compare = session, compare
        compare.models.layout_asked.connect(self._ask_for_second_layout)

    def choose_source(self, text: str) -> None:
        """Open another source; an empty text (a cancelled dialog) does nothing.

        The present one continues until then.
        """
        if text:
            self.cameras.drop()
            self._panes.say("")  # a former message would be taken for one of the next source
            self.session.open(text)

    def open_camera(self) -> None:
        """Open the first camera, once it is found."""
        self._panes.say(tr("Looking for cameras …"))
        self.cameras.ask(lambda found: self.choose_source(first_camera(found)))

    def compare_with(self, text: str) -> None:
        """Compare with a second model; an empty name (a cancelled dialog) does nothing."""
        if not may_open(self._panes.docks, self._permission, text):
            return
        loaded = self.models.loaded
        first = self.models.loading or (loaded.model if loaded is not None else "")
        self.compare.start(text, first)
        if text:
            self._panes.side_panel.open(Intent.SCORE)

    def can_use_ground_truth(self) -> bool:
        """Return whether the open source can have annotations; a line says if it can't."""
        is_possible = self.session.ground_truth.is_possible
        if not is_possible:
            self._panes.say(tr("Ground truth needs a file or folder source. Open one first."))
        return is_possible

    def use_ground_truth(self, spec: str) -> None:
        """Evaluate the open source, which continues to play, against the annotations of ``spec``.

        Args:
            spec: as for ``read_annotations``; empty (a cancelled dialog) does nothing.
        """
        if spec and self.can_use_ground_truth():
            self.session.ground_truth.read(self.session.source_text, spec)

    def open(self, text: str) -> None:
        """Open an address or a path: a model or annotations by their suffix, else a source."""
        if is_model(text):
            self.choose_model(text)
        elif (labels := label_file(text)) is not None:
            source = self.session.source_text
            self.use_ground_truth(spec_of_file(labels, Path(source) if source else None))
        else:
            self.choose_source(text)

    def _ask_for_second_layout(self, error: AmbiguousLayout, name: str) -> None:
        self.compare.give_up()
        self.layouts.ask(error, name, self.compare_with)
