"""Bring the translations up to the texts in the code: how a language is added, and kept complete.

    python scripts/update_translations.py zh_CN

New texts come in as unfinished, those that no code has any more go, the rest stays as it is. The
file opens in Qt Linguist, or in an editor: a text is finished when type="unfinished" is gone.
"""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from kpviewer.gui.translations import FOLDER, read_texts

PARTS = (FOLDER.parent, FOLDER.parent.parent / "overlay")
"""Folders of the code with texts."""
MARKS = ("tr", "tr_noop")


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Give each call of ``tr`` or ``tr_noop`` in a module: its name and its argument."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[argument]) if name in MARKS:
                yield name, argument


def modules() -> list[Path]:
    """Give the modules that may hold texts."""
    return [path for part in PARTS for path in sorted(part.rglob("*.py"))]


def marked_texts() -> list[str]:
    """Give every text to translate, once, in the order of the code."""
    found: dict[str, None] = {}
    for path in modules():
        literals = [
            (argument.lineno, argument.col_offset, argument.value)
            for _, argument in calls(ast.parse(path.read_text("utf-8")))
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        ]
        found.update(dict.fromkeys(text for *_, text in sorted(literals)))
    return list(found)


def updated(code: str, known: dict[str, str], texts: list[str]) -> str:
    """Write a .ts file.

    Args:
        code: of the language, as in locales.
        known: the finished translations, by the English text.
        texts: all that there are to translate.
    """
    root = ElementTree.Element("TS", version="2.1", language=code, sourcelanguage="en")
    context = ElementTree.SubElement(root, "context")
    ElementTree.SubElement(context, "name").text = "kpviewer"
    for text in texts:
        message = ElementTree.SubElement(context, "message")
        ElementTree.SubElement(message, "source").text = text
        translation = ElementTree.SubElement(message, "translation")
        translation.text = known.get(text, "")
        if text not in known:
            translation.set("type", "unfinished")
    ElementTree.indent(root, "    ")
    body = ElementTree.tostring(root, encoding="unicode", short_empty_elements=False)
    return f'<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n{body}\n'


def main() -> int:
    """Update one file, and say what is left to do."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("language", help="as in locales: zh_CN, fr, pt_BR")
    code = parser.parse_args().language
    path, texts = FOLDER / f"{code}.ts", marked_texts()
    known = read_texts(path) if path.is_file() else {}
    path.write_text(updated(code, known, texts), "utf-8")
    missing = [text for text in texts if text not in known]
    print(f"{path}: {len(texts)} texts, {len(missing)} to translate")  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
