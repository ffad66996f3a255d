"""Question before a model that is code runs: a Python function, or a TensorRT engine."""

from __future__ import annotations

from pathlib import PurePath

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QMessageBox, QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.opening.permission import CodePermission, file_of
from kpviewer.models.names.models import is_engine


def may_open(parent: QWidget, permission: CodePermission, name: str) -> bool:
    """Return whether a model may be opened; ask the user before it runs code for the first time.

    The question names the file. The permission lasts until the window is closed.
    """
    for code in permission.missing(name):
        if not _ask(parent, code):
            return False
    permission.allow(name)
    return True


def _ask(parent: QWidget, code: str) -> bool:
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle(tr("Run code?"))
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(question(code))
    yes = box.addButton(tr("Run it"), QMessageBox.ButtonRole.AcceptRole)
    no = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(no)
    box.exec()
    return box.clickedButton() is yes


def question(code: str) -> str:
    """Return what is asked before a function, or an engine, runs."""
    if is_engine(code):
        text = tr("Open the TensorRT engine {name}?") + "\n\n"
        text += tr("An engine holds code, which runs with your rights. Open it if you trust:")
        return f"{text.format(name=PurePath(code).name)}\n\n{code}"
    module, _, function = code.partition(":")
    text = tr("Run code of the module {module}?") + "\n\n"
    text += tr("The model is its function {function}. To open it, kpviewer runs this file:")
    file = file_of(code) or tr("(not found)")
    return f"{text.format(module=module, function=function)}\n\n{file}"
