"""The dialog for the address of a network stream."""

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QLineEdit, QWidget

from kpviewer.gui.keys import Act
from kpviewer.gui.views.dialogs.url_dialog import UrlDialog, with_credentials

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")  # said of dialogs without a screen


@pytest.fixture
def parent(qtbot, themes) -> QWidget:
    QGuiApplication.clipboard().clear()
    parent = QWidget()
    qtbot.addWidget(parent)
    return parent


def test_a_typed_address_opens_with_its_own_user_and_password(qtbot, parent):
    dialog = UrlDialog(parent)
    assert not dialog.open_button.isEnabled()
    qtbot.keyClicks(dialog.address, "rtsp://10.0.0.7:554/live")
    qtbot.keyClicks(dialog.user, "admin")
    qtbot.keyClicks(dialog.password, "p@ss/w:rd")
    assert dialog.password.echoMode() is QLineEdit.EchoMode.Password
    with qtbot.waitSignal(dialog.chosen) as chosen:
        qtbot.mouseClick(dialog.open_button, Qt.MouseButton.LeftButton)
    assert chosen.args == ["rtsp://admin:p%40ss%2Fw%3Ard@10.0.0.7:554/live"]


@pytest.mark.parametrize(
    ("address", "shown", "user", "password"),
    [
        ("rtsp://me:geheim@cam/live?x=1", "rtsp://cam/live?x=1", "me", "geheim"),
        ("http://me:a@b@cam:80", "http://cam:80", "me", "a@b"),
        ("https://me@host/a@b.mp4", "https://host/a@b.mp4", "me", ""),
        ("rtsp://:geheim@cam/live", "rtsp://cam/live", "", "geheim"),
        ("https://host/a@b.mp4", "https://host/a@b.mp4", "", ""),
    ],
)
def test_the_password_of_an_address_in_the_clipboard_is_hidden(
    parent, address, shown, user, password
):
    QGuiApplication.clipboard().setText(address)
    dialog = UrlDialog(parent)
    fields = (dialog.address, dialog.user, dialog.password)
    assert tuple(field.text() for field in fields) == (shown, user, password)
    assert dialog.open_button.isEnabled()
    assert dialog.url() == address.replace("a@b@", "a%40b@"), "nothing is lost"


def test_other_text_in_the_clipboard_is_no_address(parent):
    for text in ("hello", "/home/me/clip.mp4", "ftp://host/clip.mp4"):
        QGuiApplication.clipboard().setText(text)
        assert UrlDialog(parent).address.text() == ""


def test_a_typed_password_with_an_at_sign_is_not_split_while_it_is_typed(qtbot, parent):
    dialog = UrlDialog(parent)
    qtbot.keyClicks(dialog.address, "rtsp://me:a@b@cam")
    assert dialog.user.text() == ""
    dialog.address.editingFinished.emit()
    assert (dialog.user.text(), dialog.password.text()) == ("me", "a@b")
    assert dialog.address.text() == "rtsp://cam"


def test_the_hint_lists_what_can_be_opened(qtbot, parent):
    dialog = UrlDialog(parent)
    assert "rtsp://, rtsps://, http://, https://" in dialog.hint.text()
    qtbot.keyClicks(dialog.address, "udp://cam")
    assert dialog.hint.text().startswith("An address must begin with one of rtsp://")
    assert not dialog.open_button.isEnabled()


@pytest.mark.parametrize("address", ["", "cam/live", "rtsp://", "rtsp:///live", "udp://cam"])
def test_what_is_no_address_stays_closed(address):
    assert with_credentials(address, "", "") == ""


@pytest.mark.parametrize("field", ["address", "user", "password"])
def test_enter_opens_what_is_complete_and_cancels_nothing_else(qtbot, parent, field):
    dialog = UrlDialog(parent)
    opened: list[str] = []
    dialog.chosen.connect(opened.append)
    with qtbot.waitExposed(dialog):
        dialog.show()
    qtbot.keyClicks(dialog.address, "rtsp://")
    qtbot.keyClick(getattr(dialog, field), Qt.Key.Key_Return)
    assert dialog.isVisible()
    qtbot.keyClicks(dialog.address, "cam/live")
    qtbot.keyClick(getattr(dialog, field), Qt.Key.Key_Return)
    assert not dialog.isVisible()
    assert opened == ["rtsp://cam/live"]


def test_the_key_opens_the_dialog_and_the_dialog_the_source(qtbot, open_window):
    window = open_window()
    window.actions_of_keys.run(Act.OPEN_URL)
    (dialog,) = window.findChildren(UrlDialog)
    dialog.address.setText("rtsp://me:geheim@camera/live")
    qtbot.keyClick(dialog.address, Qt.Key.Key_Return)
    assert window.session.source_text == "rtsp://me:geheim@camera/live"
    assert "geheim" not in window.top_bar.source.text()
