"""JSON files that exporters write beside an ONNX file."""

import json
from pathlib import Path
from typing import Any

from kpviewer.models.onnx.facts import FileFacts

CONFIG, PROCESSOR = "config.json", "preprocessor_config.json"
"""Files of Hugging Face's transformers."""
_MAX_BYTES = 1 << 20


def json_beside(facts: FileFacts, name: str) -> dict[str, Any]:
    """Return a JSON file beside the ONNX file, or above its folder ``onnx``; {} without one."""
    folder = facts.path.parent if facts.path is not None else Path()
    folders = (folder, *((folder.parent,) if folder.name == "onnx" else ()))
    for each in folders if facts.path is not None else ():
        try:
            if not (each / name).is_file():  # a pipe would never end
                continue
            with (each / name).open("rb") as file:
                found = json.loads(file.read(_MAX_BYTES))
        except (OSError, ValueError, RecursionError):
            continue
        return found if isinstance(found, dict) else {}
    return {}
