"""Actions on the image: its menu, its size, and a copy for the clipboard."""

from collections.abc import Callable, Mapping
from functools import partial

from PyQt6.QtCore import QObject, QPoint
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QMenu

from kpviewer.gui.background.loader import BackgroundLoader
from kpviewer.gui.controllers.view_state import open_text
from kpviewer.gui.keys import Act, with_key
from kpviewer.gui.language import tr
from kpviewer.gui.main_window.opener import Opener
from kpviewer.gui.main_window.turning import Turning
from kpviewer.gui.views.panes import Panes
from kpviewer.gui.widgets.menu_entries import add_entry
from kpviewer.overlay import qimage_of, render
from kpviewer.runtime.process.loading import Outcome
from kpviewer.structures import ImageArray

_ENTRIES: tuple[tuple[Act, ...], ...] = (
    (Act.PLAY, Act.STEP_BACK, Act.STEP_FORWARD, Act.MARK),
    (Act.FIT, Act.ACTUAL_SIZE),
    (Act.COPY_IMAGE, Act.SNAPSHOT, Act.RECORD),
    (Act.FULLSCREEN,),
)
"""Groups of actions that the menu has everywhere."""


class ImageActions(QObject):
    """Connects the view with the actions on its image.

    Args:
        panes: widgets of the window.
        opener: opens what the buttons of the card ask for.
        turning: rotates and mirrors the source.
        run: runs the acts of menu, card and gestures.
        open_all: opens several sources, side by side.
    """

    def __init__(
        self,
        panes: Panes,
        opener: Opener,
        turning: Turning,
        run: Callable[[Act], None],
        open_all: Callable[[list[str]], None],
    ) -> None:
        super().__init__(panes.view)
        self._panes, self._opener, self._turning, self._run = panes, opener, turning, run
        self._open_all = open_all
        self._copying = BackgroundLoader()
        view = panes.view
        view.asked.connect(run)
        view.card.pressed.connect(self._on_card_pressed)
        opener.session.refused.connect(self._on_source_refused)
        view.menu_asked.connect(lambda at, index: self.menu(index).popup(at or QPoint()))

    @property
    def acts(self) -> Mapping[Act, Callable[[], object]]:
        """Functions of the acts on the image."""
        return {
            Act.ACTUAL_SIZE: self._panes.view.show_actual_size,
            Act.ZOOM_OBJECT: self._panes.view.zoom_to_object,
            Act.COPY_IMAGE: self.copy_image,
        }

    def copy_image(self) -> None:
        """Copy the annotated image at the source's resolution to the clipboard."""
        result = self._panes.view.result()
        if result is None:
            return
        own = result.with_own_image()
        style = self._opener.compare.style_of(self._panes.view.overlay_style)
        self._copying.submit("image", lambda: render(own, style), self._on_rendered)

    def menu(self, index: int | None) -> QMenu:
        """Return the menu of a detection, or of a place without one (None)."""
        menu = QMenu(self._panes.view)
        menu.aboutToHide.connect(menu.deleteLater)
        if index is not None:
            self._add_object(menu, index)
            menu.addSeparator()
        for group in _ENTRIES:
            for act in group:
                add_entry(menu, with_key(act), partial(self._run, act))
            if Act.ACTUAL_SIZE in group:
                self._turning.add_to(menu)
            menu.addSeparator()
        return menu

    def close(self) -> None:
        """Let go of an image that is being copied."""
        self._copying.close()

    def _add_object(self, menu: QMenu, index: int) -> None:
        """Add what can be done with a detection of the frame on the screen."""
        view, classes = self._panes.view, self._panes.side_panel.classes
        result = view.result()
        if result is None or index >= len(result.detections):
            return
        xyxy = result.detections.xyxy[index].copy()
        class_id = int(result.detections.class_ids[index])
        name = view.overlay_style.class_name(class_id)
        add_entry(menu, with_key(Act.ZOOM_OBJECT), lambda: view.zoom_to(xyxy))
        if classes.shown() == frozenset((class_id,)) != classes.lasting():
            add_entry(menu, tr("All classes again"), lambda: classes.toggle_solo(class_id))
        elif len(view.overlay_style.class_names) > 1:
            text = tr("Only this class: {name}").format(name=name)
            add_entry(menu, text, lambda: classes.toggle_solo(class_id))

    def _on_card_pressed(self, key: str) -> None:
        opener = self._opener
        presses: dict[str, Callable[[], object]] = {
            "camera": opener.open_camera,
            "file": partial(self._run, Act.OPEN_FILE),
            "demo": partial(opener.choose_source, "demo"),
            "model": partial(self._run, Act.OPEN_MODEL),
            "retry": opener.session.reopen,
            "below": lambda: self._open_all(list(opener.session.below)),
            "cancel": opener.session.close_source,
        }
        presses[key]()

    def _on_source_refused(self, reason: str, below: tuple[str, ...]) -> None:
        offer = open_text(below), partial(self._open_all, list(below))
        self._panes.status_bar.show_message(reason, offer)

    def _on_rendered(self, outcome: Outcome[ImageArray]) -> None:
        clipboard = QGuiApplication.clipboard()
        if outcome.value is None or clipboard is None:
            reason = outcome.reason if outcome.value is None else tr("there is no clipboard")
            self._panes.say(tr("Not copied: {reason}").format(reason=reason))
            return
        clipboard.setImage(qimage_of(outcome.value).copy())
        self._panes.say(tr("Image copied."))
