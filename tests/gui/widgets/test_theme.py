"""Colours: all text has enough contrast."""

import re
from dataclasses import asdict

import pytest
from PyQt6.QtCore import QEvent, QObject
from PyQt6.QtGui import QColor, QPalette, QPixmap, QPixmapCache
from PyQt6.QtWidgets import QCheckBox, QWidget

from kpviewer.gui.widgets.buttons import PushButton
from kpviewer.gui.widgets.style_sheet import style_sheet
from kpviewer.gui.widgets.theme import DARK, LIGHT, Theme, ThemeChoice, ThemeManager
from kpviewer.overlay.palette import contrast_ratio
from kpviewer.overlay.second import COLOR


def ratio(first: str, second: str) -> float:
    one, other = QColor(first), QColor(second)
    return contrast_ratio(
        (one.red(), one.green(), one.blue()), (other.red(), other.green(), other.blue())
    )


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_text_has_the_contrast_of_wcag_aa(theme):
    for ground in (theme.base, theme.window, theme.control, theme.hover):
        assert ratio(theme.text, ground) >= 4.5
    assert ratio(theme.text, theme.raised) >= 4.5
    for ground in (theme.window, theme.control):
        assert ratio(theme.secondary, ground) >= 4.5
    assert ratio(theme.on_accent, theme.accent) >= 4.5
    assert ratio(theme.on_recording, theme.recording) >= 4.5
    assert ratio(theme.on_paused, theme.paused) >= 4.5


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_lines_of_plots_have_the_contrast_of_graphics(theme):
    for color in theme.series:
        assert ratio(color, theme.window) >= 3.0
    assert ratio(theme.accent, theme.window) >= 3.0


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_a_second_model_has_one_hue_in_the_image_and_beside_it(theme):
    hues = [QColor(*COLOR).hue(), QColor(theme.models[1]).hue()]
    assert abs(hues[0] - hues[1]) <= 20
    for color in theme.models:
        assert ratio(color, theme.window) >= 4.5


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_edges_of_controls_have_the_contrast_of_controls(theme):
    for ground in (theme.base, theme.window, theme.control, theme.hover):
        assert ratio(theme.outline, ground) >= 3.0


def rules(theme: Theme) -> list[tuple[str, str]]:
    """Return the rules of the sheet as pairs of selectors and declarations."""
    sheet = style_sheet(asdict(theme))
    return [(each, text) for each, text in re.findall(r"([^{}]+){([^}]*)}", sheet)]


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_accent_is_for_sliders_and_progress_alone(theme):
    accented = {each.strip() for each, text in rules(theme) if theme.accent in text}
    assert accented
    assert all("QSlider" in each or "QProgressBar" in each for each in accented)
    red = {each.strip() for each, text in rules(theme) if theme.recording in text}
    assert red
    assert all("record" in each for each in red)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_unticked_box_is_seen_and_a_tick_stands_out(qtbot, qapp, theme):
    ThemeManager(qapp, ThemeChoice(theme.name))
    box = QCheckBox("x")
    qtbot.addWidget(box)
    box.setStyleSheet(f"QCheckBox {{ background: {theme.window}; }}")

    def contrasts() -> list[float]:
        image = box.grab().toImage()
        row = image.height() // 2
        return [ratio(image.pixelColor(x, row).name(), theme.window) for x in range(18)]

    assert max(contrasts()) >= 2.9  # the edge, blended with its ground at most a little
    box.setChecked(True)
    seen = contrasts()
    assert max(seen) >= 4.5
    assert sum(each >= 4.5 for each in seen) < 16  # the tick is a gap in the fill


@pytest.mark.qt_log_ignore("propagateSizeHints")  # said of windows without a screen
@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_only_the_edge_shows_the_focus(qtbot, qapp, theme):
    ThemeManager(qapp, ThemeChoice(theme.name))
    for widget in (QCheckBox("x"), PushButton("Stop"), PushButton("Go", primary=True)):
        qtbot.addWidget(widget)
        widget.setAutoFillBackground(True)
        with qtbot.waitActive(widget):
            widget.show()
        inside = widget.rect().adjusted(6, 6, -6, -6)
        looks = []
        for has_focus in (False, True):
            widget.setFocus() if has_focus else widget.clearFocus()
            looks.append((widget.grab(inside).toImage(), widget.grab().toImage()))
        assert looks[0][0] == looks[1][0]
        assert looks[0][1] != looks[1][1]


def test_choice_changes_the_palette_at_once(qtbot, qapp):
    themes = ThemeManager(qapp, ThemeChoice.DARK)
    assert themes.theme is DARK
    with qtbot.waitSignal(themes.changed):
        themes.set_choice(ThemeChoice.LIGHT)
    assert qapp.palette().color(QPalette.ColorRole.Window).name() == LIGHT.window


def test_choice_drops_what_qt_kept_in_the_colours_before(qtbot, qapp):
    themes = ThemeManager(qapp, ThemeChoice.DARK)
    QPixmapCache.insert("icon", QPixmap(8, 8))
    themes.set_choice(ThemeChoice.LIGHT)
    assert QPixmapCache.find("icon") is None


def test_choice_styles_a_widget_twice_however_deep_it_is(qtbot, qapp):
    themes = ThemeManager(qapp, ThemeChoice.DARK)
    window = deepest = QWidget()
    qtbot.addWidget(window)
    for _ in range(10):
        deepest = QWidget(deepest)
    window.show()
    changes: list[QEvent.Type] = []

    class Ear(QObject):
        def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
            changes.append(event.type())
            return False

    ear = Ear()
    deepest.installEventFilter(ear)
    themes.set_choice(ThemeChoice.LIGHT)
    assert 1 <= changes.count(QEvent.Type.StyleChange) <= 2
