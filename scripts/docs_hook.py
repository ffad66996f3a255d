"""Hooks of MkDocs: the navigation is read from docs/index.md, pages outside docs/ are taken in.

Links between documents are those of the repository, so that they work there, too. For the site a
link that leads out of docs/ goes to the copy of that page.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
TAKEN_IN = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "weights/*.md")
"""Documents outside docs/ that are pages of the site, in repository/."""
FOLDER = "repository"
FILES = ("LICENSE", "CITATION.cff", "assets/*")
NAMES = {"LICENSE": "LICENSE.txt"}
"""What MkDocs takes for no file, as its name has no ending."""

Navigation = list[dict[str, str | list[dict[str, str]]]]


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Read the navigation from the headings and links of docs/index.md."""
    config.nav = [{"Home": "index.md"}, {"Find by word": "find.md"}, *_sections()]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the documents outside docs/."""
    for pattern in (*TAKEN_IN, *FILES):
        for path in sorted(ROOT.glob(pattern)):
            source = path.relative_to(ROOT).as_posix()
            source = NAMES.get(source, source)
            files.append(File.generated(config, f"{FOLDER}/{source}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Turn links that lead out of docs/ to the copies."""
    written = page.file.src_uri
    is_copy = written.startswith(f"{FOLDER}/")
    source = ROOT / written.removeprefix(f"{FOLDER}/") if is_copy else DOCS / written
    here = (DOCS / written).parent

    def turned(match: re.Match[str]) -> str:
        target, anchor = match[1], match[2] or ""
        if "://" in target:
            return match[0]
        return f"]({_place(source.parent / target, here)}{anchor})"

    return re.sub(r"\]\(([^)#\s]+)(#[^)\s]*)?\)", turned, markdown)


def _place(target: Path, here: Path) -> str:
    """Return the link from a page of the site to a file of the repository."""
    path = Path(os.path.normpath(target))
    if path.is_dir():
        path = path / "README.md" if (path / "README.md").exists() else DOCS / "index.md"
    outside = path.relative_to(ROOT).as_posix()
    copy = DOCS / FOLDER / NAMES.get(outside, outside)
    inside = path if path.is_relative_to(DOCS) else copy
    return Path(os.path.relpath(inside, here)).as_posix()


def _sections() -> Navigation:
    sections: Navigation = []
    for part in (DOCS / "index.md").read_text("utf-8").split("\n## ")[1:]:
        heading, _, body = part.partition("\n")
        links = re.findall(r"\[([^\]]+)\]\(([^)#]+)\)", body)
        pages = [{text: _place(DOCS / target, DOCS)} for text, target in links]
        sections.append({heading.partition(":")[0]: pages})
    more = [{path: f"{FOLDER}/{path}"} for path in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
    sections.append({"Project": [*more, {"CHANGELOG.md": f"{FOLDER}/CHANGELOG.md"}]})
    return sections
