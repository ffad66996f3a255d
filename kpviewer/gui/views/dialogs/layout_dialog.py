"""Dialog that shows a model's outputs in each layout that fits; one click takes one."""

from collections.abc import Sequence
from functools import partial

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QMouseEvent, QPixmap
from PyQt6.QtWidgets import QDialog, QFrame, QScrollArea, QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.opening.layout_previews import Preview
from kpviewer.gui.widgets.buttons import PushButton
from kpviewer.gui.widgets.fitting import room_on_screen, scrolling
from kpviewer.gui.widgets.layouts import DIALOG, FILL, column_of, grid_of, row_of
from kpviewer.gui.widgets.plain_text import Label
from kpviewer.models.onnx.families.base import Recognised

PREVIEW_SIZE = QSize(340, 255)
"""Size that each image is fitted into, px."""
COLUMNS, ROWS = 3, 2
"""Most cards that are shown without scrolling."""
_GAP, _EDGE = 12, 1


class LayoutCard(QFrame):
    """A layout: its image, its summary, the number of detections, and a button that takes it."""

    chosen = pyqtSignal()

    def __init__(self, candidate: Recognised) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setFixedWidth(PREVIEW_SIZE.width() + 2 * (_GAP + _EDGE))
        self._image = Label(tr("Running the model …"), "secondary", wraps=True)
        self._image.setFixedSize(PREVIEW_SIZE)
        self._image.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._summary = Label(candidate.summary, wraps=True)
        self.count = Label(" ", "secondary")
        self.button = PushButton(tr("Use this"))
        self.button.setAccessibleName(f"{tr('Use this')}: {candidate.summary}")
        self.button.setToolTip(f"--layout {candidate.layout}")
        self.button.clicked.connect(self.chosen)
        row = row_of(self.count, self.button, grows=self.count)
        column_of(self._image, self._summary, FILL, row, gap=8, margins=_GAP, into=self)

    def show_preview(self, preview: Preview) -> None:
        """Show the image."""
        self._image.setPixmap(QPixmap.fromImage(preview.image))
        one, many = tr("1 detection"), tr("{count} detections")
        text = one if preview.detections == 1 else many.format(count=preview.detections)
        if preview.is_doubtful:
            text = tr("{detections}, which can't be right").format(detections=text)
        self.count.setText(text)

    def show_problem(self, reason: str) -> None:
        """Show why the file can't be read in this layout, which then can't be taken."""
        self._image.setText(reason)
        self.button.setEnabled(False)

    def has_image(self) -> bool:
        """Return whether the preview is shown."""
        return not self._image.pixmap().isNull()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Take the layout by a click anywhere on its card."""
        is_left = event is not None and event.button() == Qt.MouseButton.LeftButton
        if is_left and self.button.isEnabled():
            self.chosen.emit()


class LayoutDialog(QDialog):
    """Dialog with a card for each layout; Esc cancels."""

    chosen = pyqtSignal(int)
    """Emitted with the index of the layout that the user takes."""

    def __init__(
        self, file_name: str, candidates: Sequence[Recognised], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Choose the layout"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.cards = [LayoutCard(each) for each in candidates]
        for index, card in enumerate(self.cards):
            card.chosen.connect(partial(self._on_card_chosen, index))
        asked = tr(
            "{name} doesn't say what its outputs mean. Click the image with the right boxes."
        )
        question = Label(asked.format(name=file_name), wraps=True)
        saved = tr("The choice is saved, so that the file opens without a question.")
        note = Label(saved, "secondary", wraps=True)
        cancel = PushButton(tr("Cancel"))
        cancel.clicked.connect(self.reject)
        row = row_of(note, cancel, grows=note)
        area = self._area()
        column = column_of(question, area, row, gap=16, margins=DIALOG, grows=area, into=self)
        # Qt gives each text one line, and on a small screen no more.
        self.setMinimumHeight(column.totalHeightForWidth(column.totalMinimumSize().width()))

    def _area(self) -> QScrollArea:
        """Return the cards, as many side by side as the screen has room for."""
        room = room_on_screen(self)
        across = self.cards[0].sizeHint().width() + _GAP
        columns = max(min(room.width() // across, COLUMNS, len(self.cards)), 1)
        inside = QWidget()
        grid = grid_of(_GAP, _GAP, into=inside)
        for index, card in enumerate(self.cards):
            grid.addWidget(card, index // columns, index % columns)
        height, rows = inside.sizeHint().height(), -(-len(self.cards) // columns)
        return scrolling(inside, room, height if rows <= ROWS else height * ROWS // rows)

    def _on_card_chosen(self, index: int) -> None:
        self.chosen.emit(index)
        self.accept()
