"""The group: dispatch of the arguments, and the output of errors."""

import logging
import os
import signal
import subprocess
import sys
import types

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result

from kpviewer.cli.main import COMMANDS, main, with_default_command
from kpviewer.errors import PipelineError, SourceError, WeightsError


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch):
    """Run the group with a ``view`` that echoes its words, or raises what the test gives."""

    def run(*args: str, failure: BaseException | None = None) -> Result:
        @click.command(context_settings={"ignore_unknown_options": True})
        @click.argument("words", nargs=-1)
        def command(words: tuple[str, ...]) -> None:
            if failure is not None:
                raise failure
            click.echo(" ".join(words))

        fake = types.ModuleType("kpviewer.cli.view")
        fake.command = command  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "kpviewer.cli.view", fake)
        return CliRunner().invoke(main, list(args))

    yield run
    logging.getLogger("kpviewer").setLevel(logging.NOTSET)


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ([], ["view"]),
        (["demo"], ["view", "demo"]),
        (["0"], ["view", "0"]),
        (["clip.mp4", "--conf", ".3"], ["view", "clip.mp4", "--conf", ".3"]),
        (["--conf", ".3", "clip.mp4"], ["view", "--conf", ".3", "clip.mp4"]),
        (["--log-level", "info"], ["--log-level", "info", "view"]),
        (["--log-level=info", "demo"], ["--log-level=info", "view", "demo"]),
        (["--log-level", "info", "models"], ["--log-level", "info", "models"]),
        (["models"], ["models"]),
        (["--help"], ["--help"]),
        (["--version"], ["--version"]),
    ],
)
def test_words_that_name_no_command_go_to_view(args, expected):
    assert with_default_command(args) == expected


def test_a_source_alone_reaches_the_viewer(invoke):
    result = invoke("clip.mp4", "--conf", ".3")
    assert (result.exit_code, result.output) == (0, "clip.mp4 --conf .3\n")


@pytest.mark.parametrize("args", [["--log-level", "info", "demo"], ["demo", "--log-level", "info"]])
def test_log_level_may_stand_before_or_after_the_source(invoke, args):
    result = invoke(*args)
    assert (result.exit_code, result.output) == (0, "demo\n")
    assert logging.getLogger("kpviewer").level == logging.INFO


@pytest.mark.parametrize(("word", "command"), [("model", "models"), ("evaluate", "eval")])
def test_a_mistyped_command_is_corrected(word, command):
    result = CliRunner().invoke(main, [word, "clip.mp4"])
    assert result.exit_code == 2
    assert f"Did you mean {command!r}?" in result.output


def test_options_may_come_before_the_source_but_not_before_a_command(invoke, monkeypatch):
    result = invoke("--model", "cards-ssd", "demo")
    assert (result.exit_code, result.output) == (0, "--model cards-ssd demo\n")
    monkeypatch.undo()
    result = CliRunner().invoke(main, ["--model", "cards-ssd", "process", "demo"])
    assert result.exit_code == 2
    assert "Commands come first, before options: kpviewer process ..." in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        [""],
        ["process", "", "--out", "x"],
        ["process", "demo", "--out", "x", "--model", ""],
        ["demo", "--compare", ""],
        ["serve", ""],
        ["view", "demo", "--classes", ""],
        ["bench", "--streams", ""],
    ],
)
def test_a_variable_that_is_not_set_is_not_the_default(words):
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert "It can't be empty." in result.stderr


@pytest.mark.parametrize(
    ("words", "noted"),
    [
        ("eval --data yolo:a --data yolo:b", ["--data"]),
        ("process x --out a --conf .3 --conf=.4 --out b", ["--out", "--conf"]),
        ("train face-points --data voc:a --data voc:b --out c", []),
        ("process x --csv --csv --class-conf a=.1 --class-conf b=.2 --out a", []),
        ("view x.mp4 --record --record", ["--record"]),
    ],
)
def test_options_of_which_only_the_last_counts_are_named(monkeypatch, words, noted):
    monkeypatch.setattr(click.Command, "invoke", lambda *_: None)
    result = CliRunner().invoke(main, words.split())
    assert result.exit_code == 0
    assert {line.split()[1] for line in result.stderr.splitlines()} == set(noted)
    assert result.stderr.count("more than once; the last counts") == len(noted)


def test_a_missing_log_level_is_named():
    result = CliRunner().invoke(main, ["--log-level"])
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (
        2, "Error: Option '--log-level' requires an argument.",
    )  # fmt: skip


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["models", "--help"]])
def test_help_that_cannot_be_written_is_one_message(words, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    for module in ("click.decorators", "click.core"):
        monkeypatch.setattr(f"{module}.echo", fail)
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 1
    assert not isinstance(result.exception, OSError)


def test_a_file_named_nearly_like_a_command_is_a_source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trains").mkdir()
    assert with_default_command(["trains"]) == ["view", "trains"]


@pytest.mark.parametrize(
    ("failure", "exit_code"),
    [(SourceError("no camera"), 3), (WeightsError("no model"), 4), (PipelineError("odd"), 1)],
)
def test_an_expected_error_is_one_message_and_its_exit_code(invoke, failure, exit_code):
    result = invoke("demo", failure=failure)
    assert result.exit_code == exit_code
    assert result.stderr == f"Error: {failure}\n"


def test_log_level_debug_shows_the_traceback_of_an_error(invoke, caplog):
    invoke("--log-level", "debug", "demo", failure=SourceError("no camera"))
    assert "Traceback" in caplog.text


def test_torch_and_torchvision_of_two_kinds_are_named_with_the_cure(invoke):
    result = invoke("demo", failure=RuntimeError("operator torchvision::nms does not exist"))
    assert result.exit_code == 1
    assert "pip install --force-reinstall torch torchvision" in result.stderr


def test_an_unexpected_error_is_two_lines_with_how_to_report_it(invoke):
    result = invoke("demo", failure=RuntimeError("a bug\nof many lines"))
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == "Error: RuntimeError: a bug"
    assert "report it, with its output at --log-level debug" in result.stderr


def test_an_unexpected_error_of_the_system_names_the_file(invoke):
    result = invoke("demo", failure=OSError(28, "No space left on device", "out/x.csv"))
    assert "Error: out/x.csv: No space left on device." in result.stderr


def test_the_whole_error_is_in_the_log_for_those_who_report_it(invoke, caplog):
    invoke("--log-level", "debug", "demo", failure=RuntimeError("a bug"))
    assert "RuntimeError: a bug" in caplog.text


@pytest.mark.parametrize(
    "failure",
    [
        click.UsageError("Got unexpected extra argument (rtsp://a:geheim@cam/1)"),
        RuntimeError("Invalid IPv6 URL rtsp://a:geheim@[cam/1"),
    ],
)
def test_no_message_repeats_the_secret_of_an_address(invoke, failure):
    result = invoke("demo", failure=failure)
    assert "geheim" not in result.output
    assert "rtsp://***" in result.output


def test_ctrl_c_exits_with_130(invoke):
    assert invoke("demo", failure=KeyboardInterrupt()).exit_code == 130


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_every_command_ends_in_order_when_it_is_asked_to(monkeypatch, name, code):
    ended = []

    @click.command()
    def command() -> None:
        try:
            signal.raise_signal(getattr(signal, name))
        finally:
            ended.append(name)

    fake = types.SimpleNamespace(command=command)
    monkeypatch.setitem(sys.modules, "kpviewer.cli.bench", fake)
    assert CliRunner().invoke(main, ["bench"]).exit_code == code
    assert ended == [name]


def test_ctrl_c_while_the_program_is_imported_leaves_no_traceback():
    lines = (
        "import builtins, sys, kpviewer.__main__ as entry",
        "real = builtins.__import__",
        "def stopped(name, *rest):",
        "    if name.startswith('kpviewer.cli'): raise KeyboardInterrupt",
        "    return real(name, *rest)",
        "builtins.__import__ = stopped",
        "entry.main()",
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="shells of POSIX")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_closed_output_is_no_error_and_no_file_takes_its_number(closed, tmp_path):
    code = (
        "import os, sys; from kpviewer.cli.main import LazyGroup\n"
        "class Group(LazyGroup):\n"
        "    def main(self):\n"
        "        from tqdm import tqdm\n"
        "        with open(sys.argv[1], 'wb') as file:\n"
        "            assert file.fileno() > 2\n"
        "        list(tqdm([1], disable=None))\n"
        "        print('', file=sys.stderr); print('', flush=True)\n"
        "Group('kpviewer')()\n"
    )
    words = ["sh", "-c", f'"$0" -c "$1" "$2" {closed}', sys.executable, code]
    assert (
        subprocess.run([*words, str(tmp_path / "file")], timeout=100, check=False).returncode == 0
    )


def test_help_lists_every_command_with_a_line():
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert [name for name in COMMANDS if f"\n  {name} " not in result.output] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name):
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert "--log-level" in result.output
    command = main.get_command(click.Context(main), name)
    assert command is not None and command.name == name  # its heading in the documentation


@pytest.mark.parametrize(
    ("command", "before", "expected"),
    [
        ("view", None, "passive"),
        ("process", None, "passive"),
        ("serve", "active", "active"),
        ("train", None, None),
        ("bench", None, None),
    ],
)
def test_threads_sleep_where_other_programs_need_the_cores(monkeypatch, command, before, expected):
    monkeypatch.setenv("OMP_WAIT_POLICY", "restored after the test")
    if before is None:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    else:
        monkeypatch.setenv("OMP_WAIT_POLICY", before)
    CliRunner().invoke(main, [command, "--help"])
    assert os.environ.get("OMP_WAIT_POLICY") == expected


@pytest.mark.parametrize(("code", "expected"), [(7, 7), (None, 0), ("why", 1)])
def test_the_program_ends_despite_hanging_threads(monkeypatch, code, expected):
    ended: list[int] = []

    def leave(*_args: object, **_kwargs: object) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(main, "main", leave)
    monkeypatch.setattr("kpviewer.cli.main.end_process", ended.append)
    with pytest.raises(SystemExit):
        main()
    assert ended == [expected]


@pytest.mark.parametrize(
    ("words", "incomplete", "expected"),
    [
        ([], "ev", [("plain", "eval")]),
        ([], "cl", [("file", "cl")]),
        (["clip.mp4"], "--nm", [("plain", "--nms")]),
        (["process"], "cl", [("file", "cl")]),
        (["eval", "--model"], "face", [("file", "face")]),
    ],
)
def test_shells_complete_commands_options_and_files(words, incomplete, expected):
    shell = ShellComplete(main, {}, "kpviewer", "_KPVIEWER_COMPLETE")
    found = shell.get_completions(words, incomplete)
    assert [(item.type, item.value) for item in found] == expected
