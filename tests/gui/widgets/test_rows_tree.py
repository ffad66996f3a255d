"""A list with columns, whose heads stay readable."""

import pytest
from PyQt6.QtCore import QRect, Qt

from kpviewer.gui.widgets.rows_tree import RowsTree

ARROW_PX = 8
"""Room above the titles for the arrow."""


@pytest.mark.parametrize("column", [0, 1, 2])
def test_arrow_of_the_sorted_column_leaves_its_title_readable(qtbot, themes, column):
    tree = RowsTree("Classes", [("Class", "", 0), ("AP", "", 44), ("×", "", 28)])
    qtbot.addWidget(tree)
    tree.resize(220, 90)
    tree.show()
    header = tree.header()
    left, width = header.sectionViewportPosition(column), header.sectionSize(column)
    title = QRect(left, ARROW_PX, width, header.height() - ARROW_PX)
    plain = header.grab(title).toImage()
    whole = header.grab().toImage()
    tree.setSortingEnabled(True)
    tree.sortByColumn(column, Qt.SortOrder.AscendingOrder)
    assert header.grab().toImage() != whole
    assert header.grab(title).toImage() == plain
