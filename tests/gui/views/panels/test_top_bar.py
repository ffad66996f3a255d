"""Buttons of source and model in the bar at the top."""


def test_a_name_leaves_no_room_beside_it(open_window):
    picker = open_window().top_bar.model
    picker.set_choice("a name")
    text = picker.fontMetrics().horizontalAdvance(" a name  ▾")
    assert picker.sizeHint().width() - text <= picker.iconSize().width() + 2 * 9 + 20
