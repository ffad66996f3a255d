"""Dialog for the address of a network stream; its password is hidden."""

from urllib.parse import quote

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QDialog, QFormLayout, QLineEdit, QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.opening.clipboard import LONGEST, in_clipboard
from kpviewer.gui.widgets.buttons import PushButton
from kpviewer.gui.widgets.layouts import DIALOG, FILL, column_of, row_of
from kpviewer.gui.widgets.plain_text import Label
from kpviewer.sources.network.address import SCHEMES, split_address
from kpviewer.sources.redact import is_address

_WIDTH_PX = 480


class UrlDialog(QDialog):
    """Dialog that asks for an address; Esc closes it.

    An address in the clipboard is entered at once. User and password of a pasted address go into
    their own fields, so that the password is never on the screen for long.
    """

    chosen = pyqtSignal(str)
    """Emitted with the whole address."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Open URL"))
        self.setMinimumWidth(_WIDTH_PX)
        self.address, self.user, self.password = QLineEdit(), QLineEdit(), QLineEdit()
        self.address.setMaxLength(LONGEST)
        self.address.setPlaceholderText("rtsp://192.168.1.20:554/stream1")
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        for field in (self.user, self.password):
            field.setPlaceholderText(tr("if the camera asks for it"))
        self.hint = Label(kind="secondary", wraps=True)
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        for text, field in (
            (tr("Address"), self.address),
            (tr("User"), self.user),
            (tr("Password"), self.password),
        ):
            field.setAccessibleName(text)
            form.addRow(Label(text), field)
        self.open_button = PushButton(tr("Open"), primary=True)
        self.open_button.clicked.connect(self._on_open_clicked)
        cancel = PushButton(tr("Cancel"))
        cancel.clicked.connect(self.reject)
        buttons = row_of(FILL, cancel, self.open_button)
        column_of(form, self.hint, buttons, gap=12, margins=DIALOG, into=self)
        self.open_button.setDefault(True)  # Enter in any field opens
        self._length = 0
        self.address.textChanged.connect(self._on_address_text_changed)
        self.address.editingFinished.connect(self._hide_credentials)
        self._take_clipboard()
        self._on_address_text_changed()

    def url(self) -> str:
        """Return the whole address; empty while it is not valid."""
        return with_credentials(self.address.text(), self.user.text(), self.password.text())

    def _take_clipboard(self) -> None:
        text = next(iter(in_clipboard()), "")
        if is_address(text) and split_address(text).scheme in SCHEMES:
            self.address.setText(text)

    def _on_address_text_changed(self) -> None:
        before, self._length = self._length, len(self.address.text())
        if self._length > before + 1:  # pasted; a typed @ may belong to the password
            self._hide_credentials()
        scheme = self.address.text().partition("://")[0].strip().lower()
        is_unknown = "://" in self.address.text() and scheme not in SCHEMES
        schemes = ", ".join(f"{each}://" for each in SCHEMES)
        hint = tr("A network camera or a video: {schemes} (files, HLS and MJPEG).")
        if is_unknown:
            hint = tr("An address must begin with one of {schemes}.")
        self.hint.setText(hint.format(schemes=schemes))
        self.open_button.setEnabled(bool(self.url()))

    def _hide_credentials(self) -> None:
        """Move user and password of the address into their fields, once its host has begun."""
        text = self.address.text()
        parts = split_address(text)
        if parts.credentials is None or not parts.host:
            return
        user, _, password = parts.credentials.partition(":")
        self.user.setText(user)
        self.password.setText(password)
        scheme, _, rest = text.partition("://")
        self.address.setText(f"{scheme}://{_without_credentials(rest)}")

    def _on_open_clicked(self) -> None:
        if url := self.url():
            self.accept()
            self.chosen.emit(url)


def with_credentials(address: str, user: str, password: str) -> str:
    """Return an address with a user and a password; empty if it is not valid."""
    address = address.strip()
    parts = split_address(address)
    if parts.scheme not in SCHEMES or not parts.host:
        return ""
    if not (user or password):
        return address
    rest = address.partition("://")[2]
    own = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    return f"{parts.scheme}://{own}@{rest}"


def _without_credentials(rest: str) -> str:
    """Return what follows the last @ before the path."""
    end = next((index for index, sign in enumerate(rest) if sign in "/?#"), len(rest))
    return rest[:end].rpartition("@")[2] + rest[end:]
