"""Output of ``--json``: to a file, or to stdout for ``-``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from kpviewer.errors import RecordingError


def write_json(target: str, values: Mapping[str, Any]) -> None:
    """Write indented JSON to a file, or to stdout where ``target`` is "-".

    Raises:
        RecordingError: if the file can't be written.
    """
    text = json.dumps(values, indent=2)
    if target == "-":
        click.echo(text)
        return
    try:
        Path(target).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise RecordingError(
            f"The JSON can't be written to {target}: {error.strerror}. Choose another path."
        ) from error
