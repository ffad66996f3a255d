"""The words of the window: written in English in the code, shown in the user's language.

Every text that a user reads goes through ``tr`` where it is shown. A text in a table that is made
before the application exists is marked by ``tr_noop`` there, and goes through ``tr`` when shown.
"""

from __future__ import annotations

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
    """Name the languages that the window can have, by code, each in itself."""
    own = {code: QLocale(code).nativeLanguageName() for code in codes()}
    return {ENGLISH: "English", **own}


def language_for(choice: str | None, preferred: Iterable[str] | None = None) -> str:
    """Give the code of the language to show.

    Args:
        choice: a code; None, or one that there is no file of, is the system's language.
        preferred: the system's languages, the best first ("zh-Hans-CN", "zh"); None asks it.
    """
    if choice in (ENGLISH, *codes()):
        return choice or ENGLISH
    seen = set()
    for tag in QLocale.system().uiLanguages() if preferred is None else preferred:
        name = tag.replace("_", "-").partition("-")[0]
        if name == ENGLISH:
            return ENGLISH
        # "zh" that follows "zh-Hant-TW" stands for it; alone it would be the simplified script
        if name not in seen or "-" in tag:
            wanted = _script(tag)
            found = next((code for code in codes() if _script(code) == wanted), None)
            if found is not None:
                return found
        seen.add(name)
    return ENGLISH


def install_language(code: str) -> tuple[QTranslator, ...]:
    """Translate what is shown from now on; English needs nothing.

    Returns:
        What was installed in the application: of our texts, and of Qt's own where it has them.
    """
    if code == ENGLISH:
        return ()
    try:
        ours: QTranslator = Translator(read_texts(FOLDER / f"{code}.ts"))
    except (OSError, ParseError) as error:
        _log.warning("The window stays English: %s.ts can't be read. %s", code, error)
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
    """Translates by a table of English texts."""

    def __init__(self, texts: dict[str, str]) -> None:
        super().__init__()
        self._texts = texts

    def isEmpty(self) -> bool:
        """Tell whether it knows nothing."""
        return not self._texts

    def translate(  # type: ignore[override]  # None is Qt's null: the next one is asked, "" isn't
        self,
        context: str | None,
        sourceText: str | None,
        disambiguation: str | None = None,
        n: int = -1,
    ) -> str | None:
        """Give the translation; None where there is none."""
        return self._texts.get(sourceText or "") if context == CONTEXT else None


def _script(tag: str) -> tuple[QLocale.Language, QLocale.Script]:
    locale = QLocale(tag)
    return locale.language(), locale.script()
