"""Style sheet, for what a palette lacks: 4 px grid, controls 28 px high, hairline borders."""

from collections.abc import Mapping
from pathlib import Path
from string import Template

_IMAGES = Path(__file__).parent / "images"
_SHEET = Template("""
QMainWindow, #videoArea { background: $base; }
#topBar, #statusBar, #transport, #sidePanel, #sidePanel QWidget#sections { background: $window; }
#topBar { border-bottom: 1px solid $border; }
#statusBar { border-top: 1px solid $border; }
#transport { border-top: 1px solid $border; }
QMainWindow::separator { background: $border; width: 1px; height: 1px; }
QMainWindow::separator:hover { background: $outline; }
QDockWidget, #plots { background: $window; border: none; }
#sidePanel { border: none; }
#tablePanel { background: $window; border: none; }
QTableView { background: $window; border: none; outline: none; color: $text;
  selection-background-color: $hover; selection-color: $text; }
QHeaderView { background: $window; }
QHeaderView::up-arrow, QHeaderView::down-arrow { width: 8px; height: 8px;
  subcontrol-origin: padding; subcontrol-position: top center; top: -2px; }
QScrollBar:horizontal { height: 8px; background: transparent; margin: 0; }
QScrollBar::handle:horizontal { background: $hover; border-radius: 4px; min-width: 24px; }
QLabel#caption { background: $window; min-height: 24px; }
#dockBar { background: $control; border: none; border-bottom: 1px solid $border; }
QTabBar { background: $window; }
QTabBar::tab { color: $secondary; background: $window; border: none; padding: 4px 12px;
  min-height: 20px; }
QTabBar::tab:selected { color: $text; border-bottom: 2px solid $text; }
QTabBar::tab:hover { background: $hover; }
#tileHeader { background: transparent; }
QLabel#recordSign { color: $recording; font-weight: 600; }
QLabel#recordSign[recording="still"] { color: $paused; }
#rule { background: $border; border: none; max-height: 1px; min-height: 1px; }

QToolTip { color: $text; background: $control; border: 1px solid $outline; padding: 2px 4px; }
QLabel[kind="secondary"] { color: $secondary; }
QLabel[kind="small"] { color: $secondary; font-size: 11px; }
QLabel[kind="heading"] { color: $secondary; font-size: 11px; }
QLabel[kind="title"] { font-size: 18px; }
QLabel[kind="number"] { font-size: 18px; font-weight: 600; }

QPushButton, QToolButton {
  color: $text; background: $control; border: 1px solid $border; border-radius: 6px;
  min-height: 26px; max-height: 26px; padding: 0 8px;
}
QToolButton { padding: 0 6px; }
QPushButton:hover, QToolButton:hover { background: $hover; }
QPushButton:pressed, QToolButton:pressed { background: $border; }
QPushButton, QToolButton, QCheckBox { outline: none; } /* Fusion's mark beside that of the border */
QPushButton:focus, QToolButton:focus, QDoubleSpinBox:focus, QSpinBox:focus, QLineEdit:focus {
  border: 1px solid $text; }
QPushButton:disabled, QToolButton:disabled { color: $faint; }
QPushButton:checked { background: $raised; border-color: $outline; }
QPushButton[kind="primary"] { background: $text; color: $window; border-color: $text; }
QPushButton[kind="primary"]:hover { background: $secondary; border-color: $secondary; }
QPushButton[kind="primary"]:focus { border: 2px solid $outline; padding: 0 7px;
  min-height: 24px; max-height: 24px; }
QPushButton[kind="section"] { background: transparent; border: 1px solid transparent;
  border-radius: 0; text-align: left; font-weight: 600; min-height: 30px; max-height: 30px;
  padding: 0 12px 0 6px; }
QPushButton[kind="section"]:checked { background: transparent; border-color: transparent; }
QPushButton[kind="section"]:hover { background: $hover; }
QPushButton[kind="section"]:focus { border-color: $text; }
QPushButton[kind="link"] { background: transparent; border: 1px solid transparent; color: $text;
    padding: 0 3px; min-height: 16px; text-decoration: underline; }
QPushButton[kind="link"]:hover { background: $hover; }
QPushButton[kind="link"]:focus { border-color: $text; }
QPushButton[kind="key"] { background: transparent; border-color: transparent; color: $secondary;
    padding: 0 6px; text-align: left; min-height: 20px; max-height: 20px; }
QPushButton[kind="key"]:hover { background: $hover; }
QPushButton[kind="key"]:focus { border-color: $text; color: $text; }
QToolButton[kind="quiet"] { background: transparent; border-color: transparent; }
QToolButton[kind="quiet"]:hover { background: $hover; }
QToolButton[kind="quiet"]:checked { background: $raised; border-color: $outline; }
QToolButton[kind="quiet"]:focus { border-color: $text; }
QToolButton[extent="small"] { min-height: 18px; max-height: 18px; padding: 0 1px; }
QToolButton[extent="narrow"] { padding: 0; }
#files { background: transparent; border: none; outline: none; color: $text; }
#files::item:hover { background: $hover; }
#files::item:selected { background: $raised; color: $text; }
#position { background: transparent; border-color: transparent; padding: 0 3px;
  text-align: left; }
#position:hover { background: $hover; }
#position:focus { border-color: $text; }
QToolButton[kind="picker"] { padding: 0 8px; text-align: left; }
QToolButton::menu-indicator { image: none; width: 0; }
QToolButton#record:checked {
  background: $recording; color: $on_recording; border-color: $recording; }
QToolButton#record[recording="still"]:checked {
  background: $paused; color: $on_paused; border-color: $paused; }
QToolButton#record:checked:focus { border-color: $text; }
QToolButton#record[recording="growing"], QToolButton#record[recording="still"] {
  font-weight: 600; } /* of the widget: with :checked alone, its hint is that of another font */
#recordingSign { background: $recording; color: $on_recording; border-radius: 12px;
  padding: 4px 10px; font-weight: 600; }
#recordingSign[recording="still"] { background: $paused; color: $on_paused; }
QLabel#chip { padding: 4px 10px; border-radius: 12px; }

QPushButton[segment="true"] { border-radius: 0; padding: 0 4px; border-right-width: 0;
  color: $secondary; }
QPushButton[segment="true"]:checked { background: $raised; color: $text;
  border: 1px solid $outline; }
QPushButton[segment="true"]:focus { border: 1px solid $text; }
QPushButton[place="first"], QPushButton[place="only"] {
  border-top-left-radius: 6px; border-bottom-left-radius: 6px; }
QPushButton[place="last"], QPushButton[place="only"] { border-top-right-radius: 6px;
  border-bottom-right-radius: 6px; border-right-width: 1px; }

QDoubleSpinBox, QLineEdit, QSpinBox { color: $text; background: $control; border-radius: 6px;
  border: 1px solid $outline; min-height: 26px; max-height: 26px; padding: 0 6px;
  selection-background-color: $raised; selection-color: $text; }

QDoubleSpinBox#ownScore { margin: 2px 0; padding: 0 4px 0 2px; min-height: 22px; max-height: 22px; }

QComboBox { color: $text; background: $control; border-radius: 6px; border: 1px solid $outline;
  min-height: 26px; max-height: 26px; padding: 0 0 0 8px; }
QComboBox:focus { border: 1px solid $text; }
QComboBox:disabled { color: $faint; }
QComboBox::drop-down { border: none; width: 24px; }
QComboBox::down-arrow { width: 0; height: 0; margin-right: 8px; border-top: 5px solid $secondary;
  border-left: 4px solid $control; border-right: 4px solid $control; }
QComboBox QAbstractItemView { color: $text; background: $control; border: 1px solid $border;
  selection-background-color: $hover; selection-color: $text; outline: none; }

QSlider { min-height: 28px; max-height: 28px; }
QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: $hover; }
QSlider::sub-page:horizontal { height: 4px; border-radius: 2px; background: $accent; }
QSlider::handle:horizontal { width: 14px; height: 14px; margin: -5px 0; border-radius: 7px;
  background: $text; border: none; }
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus { background: $accent; }
QSlider::sub-page:horizontal:disabled { background: $hover; }
QSlider::handle:horizontal:disabled { background: $border; }

QCheckBox { spacing: 8px; min-height: 28px; border: 1px solid transparent; border-radius: 4px; }
QCheckBox:focus { border-color: $text; }
QCheckBox::indicator, QTreeView::indicator { width: 14px; height: 14px; border-radius: 3px;
  border: 1px solid $outline; background: $window; }
QCheckBox::indicator:checked, QTreeView::indicator:checked { background: $text;
  border-color: $text; image: url("$tick"); }
QCheckBox::indicator:disabled { border-color: $border; }
QTreeWidget { background: $window; border: none; outline: none; }
QTreeWidget::item { min-height: 26px; border: 1px solid transparent; border-radius: 4px;
  color: $text; }
QHeaderView::section { color: $secondary; background: $window; border: none;
  border-bottom: 1px solid $border; padding: 4px; font-size: 11px; }
QTreeWidget::item:hover { background: $hover; }
QTreeWidget::item:selected { background: $hover; color: $text; }
QTreeWidget::item:focus { border-color: $text; }

QMenu { background: $control; border: 1px solid $border; padding: 4px; }
QMenu::item { min-height: 28px; padding: 0 24px 0 8px; border-radius: 4px; }
QMenu::item:selected { background: $hover; color: $text; }
QMenu::item:disabled { color: $faint; }
QMenu::separator { height: 1px; background: $border; margin: 4px 8px; }
QMenu::icon { padding-left: 8px; }

QScrollArea { border: none; background: $window; }
QScrollBar:vertical { width: 8px; background: transparent; margin: 0; }
QScrollBar::handle:vertical { background: $hover; border-radius: 4px; min-height: 24px; }
QScrollBar::add-line, QScrollBar::sub-line { height: 0; width: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

#popup { background: $window; border: 1px solid $border; }
#card { background: $window; border: 1px solid $border; border-radius: 12px; }
#notice { background: $control; border: none; border-bottom: 1px solid $border; }
#chip { background: $window; border: 1px solid $border; border-radius: 14px; }
#chip[extent="small"] { border-radius: 8px; }
QProgressBar { background: $border; border: none; border-radius: 1px; max-height: 3px; }
QProgressBar::chunk { background: $accent; border-radius: 1px; }
""")


def style_sheet(colors: Mapping[str, object]) -> str:
    """Fill the sheet with the colours of a theme, by the names of its fields."""
    tick = _IMAGES / f"tick-{colors['name']}.svg"
    return _SHEET.substitute(colors, tick=tick.as_posix())
