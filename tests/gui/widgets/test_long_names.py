"""Names that are longer than a line of a text that wraps."""

import pytest
from PyQt6.QtWidgets import QApplication, QWidget

from kpviewer.gui.views.panels.side_panel import Intent
from kpviewer.gui.widgets.fitting import beginning_that_fits, with_short_words
from kpviewer.gui.widgets.layouts import boxed, column_of
from kpviewer.gui.widgets.notice_line import Notice, NoticeColumn
from kpviewer.gui.widgets.plain_text import Label

NAME = "recording_of_the_north_entrance_of_the_main_building_2026-11-30_12-00-00.mp4"


def test_a_label_that_wraps_shows_both_ends_of_a_long_name(qtbot, themes):
    images = []
    for is_short in (False, True):
        label = Label(f"{NAME} is empty.", wraps=True)
        qtbot.addWidget(label)
        label.resize(200, 60)
        label.ensurePolished()
        if is_short:
            label.setText(with_short_words(label.text(), label.fontMetrics(), 200))
            assert label.text().startswith("recording_")
            assert label.text().endswith(".mp4 is empty.")
        images.append(label.grab().toImage())
    assert images[0] == images[1]


def test_a_text_without_spaces_keeps_its_lines(qapp):
    text, metrics = "此来源没有标注没有可比较的内容" * 5, Label().fontMetrics()
    assert with_short_words(text, metrics, 200) == text
    assert beginning_that_fits(text, metrics, 200, 400) == text


def test_a_long_name_makes_no_panel_wider_than_its_edge(qtbot, open_window):
    panel = open_window().side_panel
    panel.open(Intent.SCORE)
    panel.score.summary.show_reason(f"{NAME} has no labels.")
    panel.compare.show_note(f"{NAME} can't be loaded.")
    panel.compare.parentWidget().show()
    QApplication.processEvents()
    assert panel.page.widget().minimumSizeHint().width() <= panel.minimumWidth()


@pytest.mark.qt_log_ignore("propagateSizeHints")  # said of plain widgets alone
@pytest.mark.parametrize("width", [1000, 400])
def test_a_notice_shows_its_whole_text_and_its_links(qtbot, themes, width):
    view = QWidget()
    view.setMinimumHeight(200)
    column = NoticeColumn()
    window = boxed(column_of(column, view, gap=0, grows=view))
    qtbot.addWidget(window)
    window.resize(width, 400)
    with qtbot.waitExposed(window):
        window.show()
    line = column.add()
    for text in ("Saved clip.mp4", f"Saved {NAME}, {NAME}, {NAME}"):
        line.show_notice(Notice(text, (("show", "Show"),)))
        label, (link,) = line.findChild(Label), line.links()
        wanted = label.fontMetrics().horizontalAdvance(text)

        def is_whole(label=label, wanted=wanted) -> bool:
            return label.width() >= wanted or label.height() >= label.heightForWidth(label.width())

        qtbot.waitUntil(is_whole, timeout=3000)
        assert line.width() == width
        assert line.rect().contains(link.mapTo(line, link.rect().bottomRight()))
