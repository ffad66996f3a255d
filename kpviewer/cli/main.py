"""The ``kpviewer`` command: runs a subcommand, and turns errors into messages and exit codes.

A first word that isn't a subcommand is a source and goes to ``view``. Subcommands are imported when
they are called, so ``kpviewer --help`` loads neither torch nor Qt.
"""

import difflib
import importlib
import io
import logging
import os
import sys
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from kpviewer import __version__
from kpviewer.errors import TORCH_CURE, KpviewerError
from kpviewer.models.libraries.inference import block_reports
from kpviewer.models.libraries.torch_needed import TorchNeededError, is_torch_missing, torch_needed
from kpviewer.runtime.process.abandoned import end_process
from kpviewer.runtime.process.ending import code_of
from kpviewer.runtime.process.garbage import share_heaps, without_collection
from kpviewer.sources.redact import redact_text
from kpviewer.system.cpu_threads import let_threads_sleep
from kpviewer.system.interrupts import Interrupted, interrupts_raised

COMMANDS = {
    "view": "Open the viewer (default command: a source alone is enough).",
    "process": "Run a model on sources without a window; write videos and results.",
    "serve": "Answer HTTP and WebSocket requests with detections.",
    "train": "Train a model from a recipe or a configuration file.",
    "check-data": "Check annotated data sets before training.",
    "proposals": "Search a data set for region proposals before training R-CNN or Fast R-CNN.",
    "eval": "Score a model on an annotated data set.",
    "history": "Train the systems of the history of detection alike, and compare them.",
    "calibrate": "Prepare a model for 8-bit integers (int8), which CPUs compute faster.",
    "export": "Write a model as ONNX, OpenVINO, TorchScript or Darknet, for other programs.",
    "bench": "Measure the speed of the pipeline and the model.",
    "summary": "List the layers of a model.",
    "models": "List the available models.",
    "cameras": "List the cameras and screens of this machine.",
    "checks": "Check the installation and suggest fixes.",
    "install-desktop": "Add kpviewer to the applications menu (Linux).",
}
"""Help by command; each is a module here, _ for -, with a click command named ``command``."""
_RUN_BESIDE_OTHERS = {"view", "process", "serve"}
"""Commands that share the machine with other programs; training mostly has it for itself."""

OF_TORCH = ("train", "proposals", "history", "calibrate", "export", "summary")
"""Commands that do nothing without torch."""
INTERRUPTED = 130
LOG_LEVELS = ("debug", "info", "warning", "error")

_log = logging.getLogger(__name__)


class _RedactingFormatter(logging.Formatter):
    """Log formatter that hides the secrets of addresses, also in tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text."""
        return redact_text(super().format(record))


def _set_log_level(_ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value is not None:
        handler = logging.StreamHandler()
        handler.setFormatter(_RedactingFormatter("%(levelname)s %(name)s: %(message)s"))
        logging.basicConfig(handlers=[handler])
        logging.getLogger("kpviewer").setLevel(value.upper())


def _log_level_option() -> click.Option:
    return click.Option(
        ["--log-level"],
        type=click.Choice(LOG_LEVELS),
        expose_value=False,
        is_eager=True,
        callback=_set_log_level,
        help="Log level on stderr; debug adds tracebacks.  [default: warning]",
    )


class _TextOrPath(click.types.StringParamType):
    """Text that shells complete as a path, as most models, sources and data are; never empty."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the text; an empty one is a variable that isn't set, not the default."""
        if value == "":
            self.fail("It can't be empty.", param, ctx)
        return super().convert(value, param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the item that makes the shell complete files."""
        return [CompletionItem(incomplete, type="file")]


class LazyGroup(click.Group):
    """Group whose commands are modules, imported on demand."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run as the program; an abandoned thread that hangs doesn't keep the process alive."""
        _open_closed_streams()
        try:
            return self.main(*args, **kwargs)
        except SystemExit as ended:
            end_process(code_of(ended))
            raise

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the help text."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command and add ``--log-level``, which users write before or after it."""
        if cmd_name not in COMMANDS:
            return None
        with without_collection():
            module = importlib.import_module(f"kpviewer.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        command.name = cmd_name  # that of the function is the same in every module
        for param in command.params:
            if param.type is click.STRING:
                param.type = _TextOrPath()
        if not any("--log-level" in param.opts for param in command.params):
            command.params.append(_log_level_option())
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Insert ``view`` before a source without a command."""
        is_completing_first_word = ctx.resilient_parsing and not args
        words = args if is_completing_first_word else with_default_command(args)
        try:
            return super().parse_args(ctx, words)
        except BrokenPipeError:
            raise
        except OSError as error:  # the help can't be written
            raise click.ClickException(_unexpected(error)) from error

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of the arguments; say of which options only the last counts."""
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None and not ctx.resilient_parsing:
            for option in _repeated(command, click.Context(command, ctx, name), rest):
                click.echo(f"Note: {option} is given more than once; the last counts.", err=True)
        return name, command, rest

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete commands, or files if no command begins with the word."""
        found = super().shell_complete(ctx, incomplete)
        return found or [CompletionItem(incomplete, type="file")]

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an expected error becomes its message and its exit code."""
        try:
            with interrupts_raised():
                return super().invoke(ctx)
        except KpviewerError as error:
            message, exit_code = str(error), error.exit_code
            _log.debug("The error came from here:", exc_info=True)
        except KeyboardInterrupt as interrupt:
            ctx.exit(interrupt.exit_code if isinstance(interrupt, Interrupted) else INTERRUPTED)
        except click.ClickException as error:  # it may repeat a word of the command line
            vars(error)["message"] = redact_text(error.message)
            raise
        except (click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            message, exit_code = _unexpected(error), KpviewerError.exit_code
            if is_torch_missing(error):
                exit_code = TorchNeededError.exit_code
            _log.debug("The error came from here:", exc_info=True)
        click.echo(f"Error: {redact_text(message)}", err=True)
        ctx.exit(exit_code)


def _repeated(command: click.Command, context: click.Context, args: list[str]) -> list[str]:
    """Return the options that arguments give several times, and that have one value."""
    try:
        given = command.make_parser(context).parse_args(list(args))[2]
    except click.UsageError:
        return []  # reported when the command is run
    return [
        param.opts[0]
        for param in command.params
        if isinstance(param, click.Option)
        and not (param.is_flag or param.multiple)
        and given.count(param) > 1
    ]


def _open_closed_streams() -> None:
    """Connect the standard streams that are closed, as by a daemon, to the null device.

    Otherwise the next file that is opened takes the number of such a stream, and what a library in
    C prints is written into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # gets the lowest free number
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            stream = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - to the end
            setattr(sys, name, stream)


def _unexpected(error: Exception) -> str:
    """Return the message of an unexpected error, two lines."""
    if is_torch_missing(error):
        command = click.get_current_context().invoked_subcommand
        return str(torch_needed(f"kpviewer {command}" if command in OF_TORCH else "This"))
    if "torchvision::" in str(error):
        return f"{error}. {TORCH_CURE}"
    if isinstance(error, OSError) and error.strerror:
        where = error.filename or "A file or the output"
        return f"{where}: {error.strerror}. Check the name, rights and space."
    lines = str(error).splitlines() or [""]
    return (
        f"{type(error).__name__}: {lines[0][:200]}\nThis is a fault of kpviewer: please report it, "
        "with its output at --log-level debug."
    )


def with_default_command(args: list[str]) -> list[str]:
    """Insert ``view`` unless the arguments name a command or ask for the group's own help.

    Raises:
        click.UsageError: if the first word isn't a file, and is a misspelt command.
    """
    start = 0
    while start < len(args) and args[start].startswith("--log-level"):
        start += 1 if "=" in args[start] else 2
    if start > len(args):
        return args  # the level is missing
    word = args[start] if start < len(args) else ""
    if word in COMMANDS or word in {"-h", "--help", "--version"}:
        return args
    near = difflib.get_close_matches(word, COMMANDS, n=1, cutoff=0.75)
    near += [each for each in COMMANDS if word.isalpha() and word.startswith(each)]  # evaluate
    if near and not word.startswith("-") and not Path(word).exists():
        raise click.UsageError(f"No command or file is named {word!r}. Did you mean {near[0]!r}?")
    return [*args[:start], "view", *args[start:]]


@click.group(
    cls=LazyGroup,
    params=[_log_level_option()],
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
    epilog="'kpviewer COMMAND --help' lists the options of a command.",
)
@click.version_option(__version__, prog_name="kpviewer")
def main() -> None:
    """See live what your detection model sees.

    \b
    kpviewer                 the first camera, or the demo if there is none
    kpviewer demo            the built-in demo
    kpviewer clip.mp4        a video, a folder or glob of images, an rtsp:// or http:// stream
    """  # noqa: D301
    block_reports()  # before a command imports a library that reports usage
    if click.get_current_context().invoked_subcommand in _RUN_BESIDE_OTHERS:
        let_threads_sleep()
        share_heaps()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # file names needn't be text
            stream.reconfigure(errors="backslashreplace")
