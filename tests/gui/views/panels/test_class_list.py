"""List of classes: many of them, and names that are not of one line."""

import pytest
from PyQt6.QtWidgets import QLineEdit, QStyledItemDelegate
from pytestqt.qtbot import QtBot

from kpviewer.gui.views.panels.class_list import ClassList
from kpviewer.gui.views.panels.class_rows import ClassTree
from kpviewer.gui.views.panels.side_panel import SidePanel
from kpviewer.gui.views.panels.table_panel import TablePanel
from kpviewer.gui.views.scores.curves_panel import CurvesPanel

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


@pytest.fixture
def classes(qtbot: QtBot) -> ClassList:
    """List of 1,000 classes, with fields for their confidences."""
    classes = ClassList()
    qtbot.addWidget(classes)
    classes.set_classes(tuple(f"class {number}" for number in range(1000)), None)
    classes.own_switch.setChecked(True)
    return classes


def with_fields(classes: ClassList) -> list[int]:
    return [each for each in range(1000) if classes.own_score_box(each) is not None]


def test_a_class_with_a_blank_name_has_its_number_wherever_it_is_listed(qtbot):
    panel = SidePanel()
    qtbot.addWidget(panel)
    panel.set_class_names(("cat", "", "dog"), None)
    panel.score.set_models(("cat", "", "dog"), (), None)
    rows = [item.text(0) for item in panel.classes.findChild(ClassTree).rows()]
    assert rows == ["cat", "class 1", "dog"]
    curves = panel.score.curves.classes
    assert [curves.itemText(each) for each in range(1, curves.count())] == rows


def test_of_many_classes_only_those_in_view_have_fields(classes):
    classes.choose_own_score(500, 0.25)
    assert with_fields(classes) == [*range(9)]
    classes.show()
    classes.findChild(ClassTree).verticalScrollBar().setValue(500)
    assert {*range(500, 509)} < {*with_fields(classes)}
    assert classes.own_score_box(500).value() == 0.25
    classes.own_switch.setChecked(False)
    assert with_fields(classes) == []


def test_filter_gives_fields_to_the_classes_that_are_left(classes):
    classes.findChild(QLineEdit).setText("77")
    assert {77, 177, 277} <= {*with_fields(classes)}


def test_filter_goes_on_with_the_next_model_or_is_gone(classes):
    field, tree = classes.findChild(QLineEdit), classes.findChild(ClassTree)
    field.setText("7")
    classes.set_classes(tuple(f"class {number}" for number in range(20)), None)
    assert [row.text(0) for row in tree.rows() if not row.isHidden()] == ["class 7", "class 17"]
    classes.set_classes(("cat", "dog"), None)
    assert field.text() == "" and not any(row.isHidden() for row in tree.rows())


def test_names_with_line_breaks_stay_on_one_line(qtbot):
    curves, table = CurvesPanel(), TablePanel()
    for widget in (curves, table):
        qtbot.addWidget(widget)
    curves.set_class_names(("two\nlines\t", "other"))
    assert curves.classes.itemText(1) == "two lines"
    delegate = table.table.itemDelegateForColumn(1)
    assert isinstance(delegate, QStyledItemDelegate)
    assert delegate.displayText("two\r\nlines", delegate.parent().locale()) == "two lines"


def test_tooltip_has_the_whole_of_a_long_name(classes):
    classes.set_classes(("cat", "fire extinguisher"), None)
    tips = [row.toolTip(0).partition("\n")[0] for row in classes.findChild(ClassTree).rows()]
    assert tips == ["", "fire extinguisher"]
