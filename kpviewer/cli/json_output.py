"""Output of ``--json``: to a file, or to stdout for ``-``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from kpviewer.errors import RecordingError
from kpviewer.paths import write_atomically


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
