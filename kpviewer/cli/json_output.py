"""Output of ``--json``: to a file, or to stdout for ``-``."""

import errno
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from kpviewer.errors import RecordingError
from kpviewer.system.paths import write_atomically

_FIXED_IN_PLACE = (errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EROFS)
"""Errors of replacing a file that can still be written: as a mount, or in a folder that can't."""


def print_report(text: str, values: Mapping[str, Any], json_path: str | None) -> None:
    """Print a text and the notes of ``values``, and write these as JSON.

    The text goes to stderr where the JSON goes to stdout. The file is written first: what prints
    may be a terminal that was closed meanwhile.
    """
    try:
        if json_path is not None:
            write_json(json_path, values)
    finally:  # a full disk must not cost the text
        for note in values.get("notes", ()):
            click.echo(f"Note: {note}", err=True)
        click.echo(text, err=json_path == "-")


def write_json(target: str, values: Mapping[str, Any]) -> None:
    """Write indented JSON to a file, or to stdout where ``target`` is "-".

    A file is written whole or not at all, unless it is one that can't be replaced, such as a mount.

    Raises:
        RecordingError: if the file can't be written.
    """
    text = json.dumps(values, indent=2) + "\n"
    path = Path(target)
    if target == "-":
        click.echo(text, nl=False)
        return
    try:
        if path.exists() and not path.is_file():  # a pipe, or a device
            path.write_text(text, encoding="utf-8")
            return
        try:
            write_atomically(path, text.encode(), mode=0o666)
        except OSError as error:
            if error.errno not in _FIXED_IN_PLACE or not path.is_file():
                raise
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RecordingError(
            f"The JSON can't be written to {target}: {error.strerror}. Choose another path."
        ) from error
