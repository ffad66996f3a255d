"""Hooks of MkDocs: navigation from docs/index.md, and pages outside docs/.

Documents link to each other with paths that work in the repository. On the site, a link out of
docs/ leads to the copy of that page.
"""

import os
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
INCLUDED = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "weights/*.md")
"""Documents outside docs/ that become pages of the site, in repository/."""
FOLDER = "repository"
FILES = ("LICENSE", "CITATION.cff", "assets/*", "kpviewer/desktop/kpviewer.svg")
NAMES = {"LICENSE": "LICENSE.txt"}
"""Names on the site of files without a suffix, which MkDocs ignores."""

Navigation = list[dict[str, str | list[dict[str, str]]]]


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Read the navigation from the headings and links of docs/index.md."""
    config.nav = [{"Home": "index.md"}, {"Find by word": "find.md"}, *_sections()]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the documents outside docs/."""
    for pattern in (*INCLUDED, *FILES):
        for path in sorted(ROOT.glob(pattern)):
            source = path.relative_to(ROOT).as_posix()
            source = NAMES.get(source, source)
            files.append(File.generated(config, f"{FOLDER}/{source}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Change links out of docs/ to the copies."""
    written = page.file.src_uri
    is_copy = written.startswith(f"{FOLDER}/")
    source = ROOT / written.removeprefix(f"{FOLDER}/") if is_copy else DOCS / written
    here = (DOCS / written).parent

    def changed(match: re.Match[str]) -> str:
        target, anchor = match[1], match[2] or ""
        if "://" in target:
            return match[0]
        return f"]({_link(source.parent / target, here)}{anchor})"

    return re.sub(r"\]\(([^)#\s]+)(#[^)\s]*)?\)", changed, markdown)


def _link(target: Path, here: Path) -> str:
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
        pages = [{text: _link(DOCS / target, DOCS)} for text, target in links]
        sections.append({heading.partition(":")[0]: pages})
    more = [{path: f"{FOLDER}/{path}"} for path in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
    sections.append({"Project": [*more, {"CHANGELOG.md": f"{FOLDER}/CHANGELOG.md"}]})
    return sections
