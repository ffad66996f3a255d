"""Documents agree with the code."""

import re
import shlex
from itertools import pairwise
from pathlib import Path

import click
import law
import pytest

import kpviewer
from kpviewer.cli.main import COMMANDS, main
from kpviewer.gui.keys import Act
from kpviewer.training.config import load_config

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
CARDS = sorted((ROOT / "weights").glob("*.md"))
README = (ROOT / "README.md").read_text("utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
KEYS = (ROOT / "docs/reference/keys.md").read_text("utf-8")
COMMAND_LINE = (ROOT / "docs/reference/command-line.md").read_text("utf-8")
INDEX = (ROOT / "docs/index.md").read_text("utf-8")
README_LINES = 120


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    targets = re.findall(r"\]\(([^)#]+)\)", document.read_text("utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_headings(document):
    links = re.findall(r"\]\(([^)#]*)#([^)]+)\)", document.read_text("utf-8"))
    places = [(document.parent / name if name else document, anchor) for name, anchor in links]
    pages = [(page, anchor) for page, anchor in places if page.suffix == ".md"]
    assert [(page.name, anchor) for page, anchor in pages if anchor not in anchors(page)] == []


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and the site make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {
        re.sub(r"[^\w\s-]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    }


def test_citation_has_the_version_of_the_package():
    assert f"\nversion: {kpviewer.__version__}\n" in (ROOT / "CITATION.cff").read_text("utf-8")


def test_changelog_says_nothing_twice():  # a merge easily brings an entry back
    entries = [line for line in CHANGELOG.splitlines() if line.startswith("- ")]
    assert [entry for entry in set(entries) if entries.count(entry) > 1] == []


def test_readme_is_short():
    assert len(README.splitlines()) <= README_LINES


def test_every_action_has_its_key_on_the_page_of_keys():
    assert [act.name for act in Act if f"`{act.value.keys[0]}`" not in KEYS] == []


def test_every_command_is_on_the_page_of_commands():
    assert [name for name in COMMANDS if name not in COMMAND_LINE] == []


@pytest.mark.parametrize("document", [*DOCUMENTS, *CARDS], ids=lambda path: path.name)
def test_commands_in_documents_have_the_options_that_they_name(document):
    commands = commands_of(document)
    assert [command for command in commands if unknown_options(command)] == []


@pytest.mark.parametrize("document", [*DOCUMENTS, *CARDS], ids=lambda path: path.name)
def test_recipes_in_documents_exist_and_have_the_settings_that_they_name(document):
    for command in commands_of(document):
        words = shlex.split(command)
        if "train" in words[1:2] and words[2].islower() and not words[2].endswith(".toml"):
            changes = [value for word, value in pairwise(words) if word == "--set"]
            load_config(words[2], changes)


def commands_of(document: Path, starts: tuple[str, ...] = ("kpviewer ",)) -> list[str]:
    """Return the lines with one of the beginnings in the code blocks of a document."""
    blocks = re.findall(r"^```\n(.*?)^```", document.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line.split("#")[0] for line in lines if line.startswith(starts)]


def unknown_options(line: str) -> set[str]:
    """Return the options of a command line that its command doesn't have."""
    words = line.split()[1:]
    name = next((word for word in words if word in COMMANDS), "view")
    command = main.get_command(click.Context(main), name)
    assert command is not None
    known = {option for param in command.params for option in param.opts} | {"--help"}
    options = {word.strip("[]").partition("=")[0] for word in words}
    return {word for word in options if word.startswith("--")} - known


def test_an_unknown_option_is_found():
    assert unknown_options("kpviewer process a.mp4 --out x --colour=red") == {"--colour"}


def test_every_page_is_in_the_index():
    folders = ("tutorials", "guide", "reference", "explanation", "adr")
    pages = [path for folder in folders for path in (ROOT / "docs" / folder).glob("*.md")]
    listed = [path.relative_to(ROOT / "docs").as_posix() for path in pages]
    assert [page for page in listed if f"]({page})" not in INDEX] == []


def test_contributing_lists_the_levels_of_the_law():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| (\d) \| (.+) \|$", text, re.MULTILINE))
    listed = {
        part: int(level) for level, row in rows.items() for part in re.findall(r"`(\w+)`", row)
    }
    assert listed == {
        part: level for part, level in law.LEVELS.items() if part and part != "__main__"
    }


def test_contributing_lists_the_levels_of_gui():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    line = re.search(r"^- Levels of `gui`, .+: (.+)\.$", text, re.MULTILINE)
    assert line is not None
    listed = {
        name: level
        for level, group in enumerate(line[1].split("; "), 1)
        for name in re.findall(r"`(\w+)`", group)
    }
    assert listed == {name: level for name, level in law.GUI_LEVELS.items() if level > 0}


def test_every_test_on_the_reliability_page_exists():
    page = (ROOT / "docs" / "reference" / "reliability.md").read_text("utf-8")
    missing, file = [], ""
    for path, name, alone in re.findall(r"`(?:…|([\w/]+)::)(test_\w+)`|`([\w/]*test_\w+)`", page):
        file = path or alone or file
        source = ROOT / "tests" / f"{file}.py"
        if not source.is_file() or not re.search(rf"^def {name}", source.read_text("utf-8"), re.M):
            missing.append(f"{file}::{name}")
    assert missing == []
