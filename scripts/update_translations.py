"""Update the translations to the texts in the code, or add a language.

    python scripts/update_translations.py zh_CN

New texts are added as unfinished, unused ones are removed, and the rest stays. Edit the file in Qt
Linguist or in a text editor: a text without type="unfinished" is finished.
"""

import argparse
import ast
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from kpviewer.gui.translations import FOLDER, read_texts

PARTS = (FOLDER.parent, FOLDER.parent.parent / "overlay")
"""Folders of code with texts."""
MARKS = ("tr", "tr_noop")


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield name and argument of each call of ``tr`` or ``tr_noop`` in a module."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[argument]) if name in MARKS:
                yield name, argument


def modules() -> list[Path]:
    """Return the modules that may contain texts."""
    return [path for part in PARTS for path in sorted(part.rglob("*.py"))]


def marked_texts() -> list[str]:
    """Return every text to translate once, in the order of the code."""
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
    """Return the text of a .ts file.

    Args:
        code: code of the language, as in locales.
        known: finished translations by English text.
        texts: all texts to translate.
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
    """Update one file, and print the number of missing translations."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("language", help="code as in locales: zh_CN, fr, pt_BR")
    code = parser.parse_args().language
    path, texts = FOLDER / f"{code}.ts", marked_texts()
    known = read_texts(path) if path.is_file() else {}
    path.write_text(updated(code, known, texts), "utf-8")
    missing = [text for text in texts if text not in known]
    print(f"{path}: {len(texts)} texts, {len(missing)} to translate")  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
