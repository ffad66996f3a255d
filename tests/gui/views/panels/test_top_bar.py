"""Buttons of source, model and recording in the bar at the top."""

from PyQt6.QtGui import QFont, QFontMetrics

from kpviewer.gui.views.video.signs import RecordingState


def test_a_name_leaves_no_room_beside_it(open_window):
    picker = open_window().top_bar.model
    picker.set_choice("a name")
    text = picker.fontMetrics().horizontalAdvance(" a name  ▾")
    assert picker.sizeHint().width() - text <= picker.iconSize().width() + 2 * 9 + 20


def test_state_of_a_recording_is_shown_whole_beside_long_names(open_window):
    window = open_window()
    window.resize(1024, 700)
    bar, button = window.top_bar, window.top_bar.record
    beside = button.sizeHint().width() - button.fontMetrics().horizontalAdvance(button.text())
    for picker in (bar.source, bar.model):
        picker.set_choice("a long name of a source or a model " * 2)
    bar.show_recording(RecordingState(48, is_waiting=True, lost=12))
    bold = QFont(button.font())
    bold.setWeight(QFont.Weight.DemiBold)  # as the style sheet draws it
    bar.layout().activate()
    assert button.width() >= beside + QFontMetrics(bold).horizontalAdvance(button.text())
