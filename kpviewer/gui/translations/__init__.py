"""The files of translated texts, one a language, in the .ts format of Qt Linguist. No Qt.

They are read as they are: no compiled form has to be made, kept or installed.
"""

from pathlib import Path

import defusedxml.ElementTree

FOLDER = Path(__file__).parent


def codes() -> tuple[str, ...]:
    """Name the languages that there is a file of, as in locales: zh_CN."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.ts")))


def read_texts(path: Path) -> dict[str, str]:
    """Read a file's translations, by the English text; unfinished ones are left out.

    Raises:
        OSError: if it can't be read.
        xml.etree.ElementTree.ParseError: if it is no XML.
    """
    texts = {}
    for message in defusedxml.ElementTree.parse(path).iter("message"):
        translation = message.find("translation")
        if translation is not None and translation.get("type") is None and translation.text:
            texts[message.findtext("source", "")] = translation.text
    return texts
