"""Output of ``--json``: to a file, or to stdout for ``-``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from kpviewer.errors import RecordingError
from kpviewer.paths import write_atomically


def print_report(text: str, values: Mapping[str, Any], json_path: str | None) -> None:
    """Print a text and the notes of ``values``, and write these as JSON.

    The text goes to stderr where the JSON goes to stdout.
    """
    for note in values.get("notes", ()):
        click.echo(f"Note: {note}", err=True)
    click.echo(text, err=json_path == "-")
    if json_path is not None:
        write_json(json_path, values)


def write_json(target: str, values: Mapping[str, Any]) -> None:
    """Write indented JSON to a file, whole or not at all, or to stdout where ``target`` is "-".

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
        else:
            write_atomically(path.resolve(), text.encode(), mode=0o666)
    except OSError as error:
        raise RecordingError(
            f"The JSON can't be written to {target}: {error.strerror}. Choose another path."
        ) from error
