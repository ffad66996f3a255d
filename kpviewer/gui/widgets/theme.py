"""Colours of the window: two neutral ramps, one accent, red and amber for recording.

The accent is for the fill of sliders and the play head alone: all else is a grey.

A theme becomes a QPalette and a small style sheet on top of Fusion. A test checks that text and
background have the contrast of WCAG 2.2 AA (4.5). This module doesn't depend on the widgets.
"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cache

from PyQt6.QtCore import QObject, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette, QPixmapCache
from PyQt6.QtWidgets import QApplication

from kpviewer.gui.widgets.chrome_style import ChromeStyle
from kpviewer.gui.widgets.style_sheet import style_sheet

BODY_PX = 13


class ThemeChoice(StrEnum):
    """Choices of the user."""

    SYSTEM = "system"
    DARK = "dark"
    LIGHT = "light"


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of one theme, as #rrggbb."""

    name: str
    base: str
    """Background of the video."""
    window: str
    """Background of bars and panels."""
    control: str
    """Background of buttons and fields."""
    hover: str
    raised: str
    """Background of what is chosen or switched on."""
    border: str
    """Hairlines that separate; no control is known by them alone."""
    outline: str
    """Edge of fields, unticked boxes and what is chosen, with the contrast of controls."""
    faint: str
    """Guides and disabled text, the only colour with less contrast."""
    secondary: str
    text: str
    accent: str
    on_accent: str
    recording: str
    on_recording: str
    paused: str
    """Background of a paused recording."""
    on_paused: str
    series: tuple[str, ...]
    """Lines of the plots in the order of their legend (adapted from Okabe and Ito)."""

    @property
    def models(self) -> tuple[str, str]:
        """Colours of a model and of a second one, which has the same hue in the image."""
        return self.series[0], self.series[3]


DARK = Theme(
    name="dark",
    base="#0f1113",
    window="#181b1f",
    control="#252a30",
    hover="#313840",
    raised="#3d454e",
    border="#2c3239",
    outline="#7a838d",
    faint="#6b747e",
    secondary="#a2abb5",
    text="#e7eaed",
    accent="#56a8f5",
    on_accent="#07131f",
    recording="#f2545b",
    on_recording="#1a0304",
    paused="#e5a50a",
    on_paused="#1c1300",
    series=("#56b4e9", "#e69f00", "#23b488", "#d98cb8", "#e8dd6a"),
)
LIGHT = Theme(
    name="light",
    base="#e9ebee",
    window="#f8f9fa",
    control="#ffffff",
    hover="#e8edf2",
    raised="#d5dbe1",
    border="#d4d9de",
    outline="#7d858e",
    faint="#929aa3",
    secondary="#545d67",
    text="#171b20",
    accent="#0a66c2",
    on_accent="#ffffff",
    recording="#cf222e",
    on_recording="#ffffff",
    paused="#8a5a00",
    on_paused="#ffffff",
    series=("#0072b2", "#c76b00", "#00805c", "#a8508a", "#8a7d00"),
)


class ThemeManager(QObject):
    """Manager that applies a theme to the application, and follows the system's if asked to."""

    changed = pyqtSignal(object)
    """Emitted with the Theme when another one is in use."""

    def __init__(self, application: QApplication, choice: ThemeChoice) -> None:
        super().__init__(application)
        self._application = application
        self.choice = choice
        """Choice of the user; ``theme`` is the resulting theme."""
        self.theme = DARK
        if not application.styleSheet():
            application.setStyle(ChromeStyle())
            application.setFont(body_font())
        hints = QGuiApplication.styleHints()
        if hints is not None:
            hints.colorSchemeChanged.connect(self._apply)
        self._apply()

    def set_choice(self, choice: ThemeChoice) -> None:
        """Apply another theme at once."""
        self.choice = choice
        self._apply()

    def _apply(self) -> None:
        self.theme = _theme_for(self.choice)
        sheet = _sheet_of(self.theme)
        if self._application.styleSheet() != sheet:  # hundreds of widgets apply it again
            self._application.setPalette(palette_of(self.theme))
            # A sheet in place of another is applied to a widget once for each widget around it.
            self._application.setStyleSheet("")
            self._application.setStyleSheet(sheet)
            QPixmapCache.clear()  # icons in the colours before would fill it, up to 10 MB
            self.changed.emit(self.theme)


@cache
def _sheet_of(theme: Theme) -> str:
    return style_sheet(asdict(theme))


def _theme_for(choice: ThemeChoice) -> Theme:
    if choice is not ThemeChoice.SYSTEM:
        return DARK if choice is ThemeChoice.DARK else LIGHT
    hints = QGuiApplication.styleHints()
    is_light = hints is not None and hints.colorScheme() is Qt.ColorScheme.Light
    return LIGHT if is_light else DARK


def body_font() -> QFont:
    """Return the system's font with tabular figures: changing numbers don't jitter."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    font.setPixelSize(BODY_PX)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def palette_of(theme: Theme) -> QPalette:
    """Return the Qt palette of a theme."""
    role = QPalette.ColorRole
    colors = {
        role.Window: theme.window,
        role.Base: theme.control,
        role.AlternateBase: theme.window,
        role.Button: theme.control,
        role.ToolTipBase: theme.control,
        role.ToolTipText: theme.text,
        role.WindowText: theme.text,
        role.Text: theme.text,
        role.ButtonText: theme.text,
        role.BrightText: theme.text,
        role.PlaceholderText: theme.secondary,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.on_accent,
        role.Link: theme.text,
        role.Accent: theme.outline,
        role.Mid: theme.border,
        role.Light: theme.hover,
        role.Dark: theme.base,  # background of the video
    }
    palette = QPalette()
    for each, color in colors.items():
        palette.setColor(each, QColor(color))
    for each in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, each, QColor(theme.faint))
    return palette
