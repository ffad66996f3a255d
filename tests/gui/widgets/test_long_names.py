"""Names that are longer than a line of a text that wraps."""

from PyQt6.QtWidgets import QApplication

from kpviewer.gui.views.panels.side_panel import Intent
from kpviewer.gui.widgets.fitting import beginning_that_fits, with_short_words
from kpviewer.gui.widgets.plain_text import Label

NAME = "recording_of_the_north_entrance_of_the_main_building.mp4"


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
