"""The Docker files agree with the code: options, ports, packages and what is copied."""

import json
import re
from fnmatch import fnmatch
from pathlib import Path

import click
import pytest
import yaml

from kpviewer.cli.main import main
from kpviewer.installation.qt_libraries import ALWAYS

ROOT = Path(__file__).resolve().parents[1]
FILES = ["Dockerfile", "Dockerfile.cuda"]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8").replace("\\\n", " ")


def parsed(words: list[str]) -> click.Context:
    """Parse a command line of ``kpviewer serve`` without running it."""
    assert words[:2] == ["kpviewer", "serve"]
    command = main.get_command(click.Context(main), "serve")
    assert command is not None
    return command.make_context("serve", words[2:])


@pytest.mark.parametrize("name", FILES)
def test_the_entry_point_listens_where_the_health_check_asks(name):
    text = text_of(name)
    entry = json.loads(re.findall(r"^ENTRYPOINT (.*)$", text, re.MULTILINE)[0])
    context = parsed(entry)
    port = context.params["port"]
    assert context.params["host"] == "0.0.0.0"
    assert f"EXPOSE {port}\n" in text
    assert f"http://127.0.0.1:{port}/health" in text


@pytest.mark.parametrize("name", FILES)
def test_qt_s_libraries_are_installed_and_root_is_left(name):
    text = text_of(name)
    assert [package for package in ALWAYS.values() if package not in text.split()] == []
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["10001"]


@pytest.mark.parametrize("name", FILES)
def test_all_that_is_copied_is_in_the_context(name):
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    kept = [line[1:].rstrip("/") for line in lines if line.startswith("!")]
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", text_of(name), re.MULTILINE)
    sources = [source for line in copied for source in line.split()]
    assert sources
    assert [each for each in sources if not any(fnmatch(each, one) for one in kept)] == []
    assert [each for each in sources if not (ROOT / each).exists()] == []


@pytest.mark.parametrize("name", list(COMPOSE["services"]))
def test_services_have_options_that_exist_and_a_token(name):
    service = COMPOSE["services"][name]
    words = [word.replace("${KPVIEWER_MODEL:-face-ssd}", "face-ssd") for word in service["command"]]
    context = parsed(["kpviewer", "serve", "--host", "0.0.0.0", *words])
    inside = service["ports"][0].rpartition(":")[2]
    assert int(inside) == context.params["port"]
    assert service["ports"][0].startswith("127.0.0.1:")
    assert service["environment"]["KPVIEWER_TOKEN"].startswith("${KPVIEWER_TOKEN:?")
