"""Tile of a grid: the view of one stream below its heading."""

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.grid.texts import line_of, state_text, tile_state, tip
from kpviewer.gui.grid.tile_header import Heading, TileHeader
from kpviewer.gui.grid.tile_view import TileView
from kpviewer.gui.opening.model_request import LoadedModel
from kpviewer.gui.opening.source_opening import name_of
from kpviewer.gui.session import Session
from kpviewer.gui.session.base import SessionStatus
from kpviewer.gui.views.panels.message_line import MESSAGE_S
from kpviewer.gui.views.video.signs import RecordingState
from kpviewer.gui.widgets.layouts import column_of
from kpviewer.gui.widgets.plain_text import plain_tip
from kpviewer.pipeline.results.reselecting import of_models, reselected
from kpviewer.structures import FrameResult, Thresholds

_RING_PX = 2


class Tile(QWidget):
    """Shows one stream of a grid."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.name = self.own_name
        """Name of the stream for people, which no other tile has."""
        self.header, self.view = TileHeader(), TileView()
        self._is_current = False
        self.has_image = False
        """Whether an image of the stream is shown."""
        self._note, self._note_ends_s = "", 0.0
        column_of(self.header, self.view, gap=0, margins=_RING_PX, grows=self.view, into=self)
        self.view.painted.connect(self._on_painted)
        session.source_changed.connect(self._on_source_changed)

    @property
    def own_name(self) -> str:
        """Name of the stream; other streams may have the same."""
        return self.session.source_name or name_of(self.session.source_text)

    def take_result(self, model: LoadedModel | None) -> None:
        """Show the newest result, if there is a new one, without what a former model found."""
        result = self.session.take_result()
        if result is not None:
            self.has_image = True
            self.view.show_result(_of_present(result, model))

    def forget_former(self, model: LoadedModel | None) -> None:
        """Show nothing that another model than the present one found."""
        result = self.view.result()
        if result is not None and (present := _of_present(result, model)) is not result:
            self.view.show_again(present)

    def show_status(
        self,
        status: SessionStatus,
        recording: RecordingState | None,
        now_s: float,
        *,
        can_play: bool = True,
    ) -> None:
        """Show state and figures; ``can_play`` as for ``line_of``."""
        state = tile_state(status, has_image=self.has_image)
        view, pipeline = self.view, status.pipeline
        view.card.set_card(state.card)
        note = self._note if now_s < self._note_ends_s else ""
        view.chip.show_line(state.chip or note)
        view.setToolTip(plain_tip(view.chip.text()))  # a small chip shows only its beginning
        view.set_dimmed(state.is_dimmed)
        if state.hides_image and view.result() is not None:
            view.clear()
        word = state_text(status)
        has_image = self.has_image and not state.hides_image
        line = line_of(status, has_image=has_image, can_play=can_play)
        self.header.show_heading(Heading(self.name, line, recording))
        has_model = self.session.engine is not None
        self.header.setToolTip(plain_tip(tip(self.name, pipeline, has_model=has_model)))
        self.setAccessibleName(f"{self.name}, {word}" if word else self.name)

    def show_note(self, text: str, now_s: float) -> None:
        """Show a message about the stream for a while, unless its state takes the place."""
        self._note, self._note_ends_s = text, now_s + MESSAGE_S

    def select_again(self, thresholds: Thresholds) -> None:
        """Select detections again from the candidates on the screen."""
        result, engine = self.view.result(), self.session.engine
        if result is not None and result.has_model and engine is not None:
            known = self.view.known
            self.view.show_again(reselected(result, thresholds, engine.spec, None, known))

    def set_current(self, *, is_current: bool) -> None:
        """Set whether keys act on this tile: it then has a ring."""
        if is_current != self._is_current:
            self._is_current = is_current
            self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the ground, and the ring."""
        painter = QPainter(self)
        palette = self.palette()
        painter.fillRect(self.rect(), palette.color(QPalette.ColorRole.Window))
        if self._is_current:
            half = _RING_PX / 2
            painter.setPen(QPen(QColor(palette.color(QPalette.ColorRole.WindowText)), _RING_PX))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().toRectF().adjusted(half, half, -half, -half))

    def _on_painted(self) -> None:
        pipeline, result = self.session.pipeline, self.view.result()
        if pipeline is not None and result is not None:
            pipeline.note_displayed(result)

    def _on_source_changed(self) -> None:
        self.has_image = False
        self.view.clear()


def _of_present(result: FrameResult, model: LoadedModel | None) -> FrameResult:
    return result if model is None else of_models(result, model.found, None)
