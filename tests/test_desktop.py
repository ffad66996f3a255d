"""Entry in the applications menu: its files, its command, its removal."""

import configparser
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from kpviewer import desktop
from kpviewer.cli.main import main
from kpviewer.errors import KpviewerError

ENTRY = ".local/share/applications/kpviewer.desktop"
ICON = ".local/share/icons/hicolor/scalable/apps/kpviewer.svg"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path


def run(*words: str) -> str:
    result = CliRunner().invoke(main, ["install-desktop", *words])
    assert result.exit_code == 0, result.output
    return result.output


def read_entry(path: Path) -> dict[str, str]:
    parser = configparser.RawConfigParser(delimiters="=")
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path, "utf-8")
    return dict(parser["Desktop Entry"])


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_entry_starts_a_program_that_exists_on_one_file(home):
    assert ENTRY in run()
    entry = read_entry(home / ENTRY)
    *command, file = shlex.split(entry["Exec"])
    assert file == "%f"
    assert Path(command[0]).is_absolute()
    assert Path(command[0]).exists()
    assert Path(entry["TryExec"]).exists()
    assert entry["Icon"] == Path(ICON).stem


def test_the_icon_is_svg(home):
    run()
    assert (home / ICON).read_text("utf-8").startswith("<svg")


def test_a_second_call_changes_nothing(home):
    assert run() == run()


def test_remove_deletes_the_installed_files_and_nothing_else(home):
    other = home / ENTRY.replace("kpviewer", "other")
    other.parent.mkdir(parents=True)
    other.write_text("[Desktop Entry]\n")
    run()
    run("--remove")
    assert [name for name in files_in(home) if "mimeinfo" not in name] == [
        str(other.relative_to(home))
    ]
    assert "Nothing to remove" in run("--remove")


def test_xdg_data_home_is_respected(home, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    run()
    assert (home / "data/applications/kpviewer.desktop").exists()


def test_without_a_script_python_starts_the_module(home, monkeypatch):
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(home))
    assert desktop.start_command(lambda _name: None) == [sys.executable, "-m", "kpviewer"]


@pytest.mark.parametrize("folder", ["a b", 'quo"te', "100%", "dol$lar", "back\\$lash"])
def test_unusual_folders_reach_the_program(home, monkeypatch, folder):
    program = home / folder / "kpviewer"
    program.parent.mkdir()
    program.write_text("")
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(program.parent))
    run()
    command = read_entry(home / ENTRY)["Exec"].replace("\\\\", "\\").replace("%%", "%")
    done = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {command}"], capture_output=True, check=True
    )
    assert done.stdout.decode().splitlines() == [str(program), "%f"]


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_are_refused(home, monkeypatch, platform):
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(KpviewerError, match="desktop of Linux"):
        desktop.install()
    assert files_in(home) == []


@pytest.mark.parametrize("fault", [subprocess.TimeoutExpired("tool", 10), OSError("no memory")])
def test_an_index_that_cannot_be_updated_is_no_error(home, monkeypatch, fault):
    def fail(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(desktop.shutil, "which", lambda _name: "/usr/bin/tool")
    monkeypatch.setattr(subprocess, "run", fail)
    assert ENTRY in run()
