"""Language of the window: texts are English in the code and translated when they are shown.

Every text that a user reads goes through ``tr`` when it is shown. A text in a table that is made
before the application exists is also marked by ``tr_noop`` there.
"""

import logging
from collections.abc import Iterable
from xml.etree.ElementTree import ParseError

from PyQt6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from kpviewer.gui.translations import FOLDER, codes, read_texts
from kpviewer.overlay.words import CONTEXT, tr, tr_noop

__all__ = [
    "ENGLISH",
    "Translator",
    "install_language",
    "language_for",
    "languages",
    "remove_language",
    "tr",
    "tr_noop",
]

ENGLISH = "en"

_log = logging.getLogger(__name__)


def languages() -> dict[str, str]:
    """Return the names of the available languages by code, each in its own language."""
    own = {code: QLocale(code).nativeLanguageName() for code in codes()}
    return {ENGLISH: "English", **own}


def language_for(choice: str | None, preferred: Iterable[str] | None = None) -> str:
    """Return the code of the language to show.

    Args:
        choice: a code; None, or one without a file, is the system's language.
        preferred: languages by preference ("zh-Hans-CN", "zh"); None reads the system's.
    """
    if choice in (ENGLISH, *codes()):
        return choice or ENGLISH
    seen = set()
    for tag in QLocale.system().uiLanguages() if preferred is None else preferred:
        name = tag.replace("_", "-").partition("-")[0]
        if name == ENGLISH:
            return ENGLISH
        # "zh" after "zh-Hant-TW" means the same; alone it would be the simplified script
        if name not in seen or "-" in tag:
            wanted = _script(tag)
            found = next((code for code in codes() if _script(code) == wanted), None)
            if found is not None:
                return found
        seen.add(name)
    return ENGLISH


def install_language(code: str) -> tuple[QTranslator, ...]:
    """Translate all texts that are shown from now on; English needs nothing.

    Returns:
        The translators that were installed: ours, and Qt's own if it has the language.
    """
    if code == ENGLISH:
        return ()
    try:
        ours: QTranslator = Translator(read_texts(FOLDER / f"{code}.ts"))
    except (OSError, ParseError) as error:
        _log.warning("The window stays English: %s.ts is unreadable. %s", code, error)
        return ()
    qts = QTranslator()
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    found = (qts, ours) if qts.load(f"qtbase_{code}", folder) else (ours,)
    for each in found:
        each.setParent(QCoreApplication.instance())
        QCoreApplication.installTranslator(each)
    return found


def remove_language(installed: Iterable[QTranslator]) -> None:
    """Undo ``install_language``."""
    for each in installed:
        QCoreApplication.removeTranslator(each)
        each.setParent(None)


class Translator(QTranslator):
    """Translator that looks up English texts in a table."""

    def __init__(self, texts: dict[str, str]) -> None:
        super().__init__()
        self._texts = texts

    def isEmpty(self) -> bool:
        """Return whether the table is empty."""
        return not self._texts

    def translate(  # type: ignore[override]  # None is Qt's null: Qt asks the next translator
        self,
        context: str | None,
        sourceText: str | None,
        disambiguation: str | None = None,
        n: int = -1,
    ) -> str | None:
        """Return the translation, or None if there is none."""
        return self._texts.get(sourceText or "") if context == CONTEXT else None


def _script(tag: str) -> tuple[QLocale.Language, QLocale.Script]:
    locale = QLocale(tag)
    return locale.language(), locale.script()
