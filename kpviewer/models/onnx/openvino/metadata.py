"""Metadata of OpenVINO's models: entries of the ``.xml``, and of ``metadata.yaml`` beside it.

Ultralytics writes ``metadata.yaml``. A conversion from ONNX keeps the entries of the ONNX file.
"""

from pathlib import Path
from typing import Any

import yaml

from kpviewer.errors import WeightsError
from kpviewer.models.tables import first_line

METADATA_FILE = "metadata.yaml"
MAX_METADATA_BYTES = 1_000_000
_SECTIONS = ("framework", "model_info")


def openvino_metadata(path: Path, model: Any) -> dict[str, str]:
    """Return the metadata of a model as texts, as an ONNX file has them.

    Raises:
        WeightsError: if ``metadata.yaml`` can't be read.
    """
    texts: dict[str, str] = {}
    entries = dict(model.get_rt_info().items())
    for section in reversed(_SECTIONS):
        values = entries.get(section)
        if isinstance(values, dict):
            texts |= {str(key): str(value.value) for key, value in values.items()}
    beside = path.parent / METADATA_FILE
    if path.suffix == ".xml" and beside.is_file():
        texts |= _read(beside)
    return texts


def _read(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_METADATA_BYTES + 1)
        if len(text) > MAX_METADATA_BYTES:
            raise ValueError("it is larger than 1 MB")
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise ValueError("it has aliases, which may stand for any amount of text")
        table = yaml.safe_load(text)
        if not isinstance(table, dict):
            raise ValueError("it must list entries by name")
        return {
            str(key): value if isinstance(value, str) else repr(value)
            for key, value in table.items()
        }
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise WeightsError(
            f"{path} can't be used: {first_line(error)}. Export the model again."
        ) from error
