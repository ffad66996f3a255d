"""Colours: all text has enough contrast."""

import pytest
from PyQt6.QtGui import QColor, QPalette

from kpviewer.gui.widgets.theme import DARK, LIGHT, Theme, ThemeChoice, ThemeManager
from kpviewer.overlay.palette import contrast_ratio


def ratio(first: str, second: str) -> float:
    one, other = QColor(first), QColor(second)
    return contrast_ratio(
        (one.red(), one.green(), one.blue()), (other.red(), other.green(), other.blue())
    )


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_text_has_the_contrast_of_wcag_aa(theme: Theme):
    for ground in (theme.base, theme.window, theme.control, theme.hover):
        assert ratio(theme.text, ground) >= 4.5
    for ground in (theme.window, theme.control):
        assert ratio(theme.secondary, ground) >= 4.5
    assert ratio(theme.on_accent, theme.accent) >= 4.5
    assert ratio(theme.on_recording, theme.recording) >= 4.5
    assert ratio(theme.on_paused, theme.paused) >= 4.5


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_lines_of_plots_have_the_contrast_of_graphics(theme: Theme):
    for color in theme.series:
        assert ratio(color, theme.window) >= 3.0
    assert ratio(theme.accent, theme.window) >= 3.0


def test_choice_changes_the_palette_at_once(qtbot, qapp):
    themes = ThemeManager(qapp, ThemeChoice.DARK)
    assert themes.theme is DARK
    with qtbot.waitSignal(themes.changed):
        themes.set_choice(ThemeChoice.LIGHT)
    assert qapp.palette().color(QPalette.ColorRole.Window).name() == LIGHT.window
