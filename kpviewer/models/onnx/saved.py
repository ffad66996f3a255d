"""Descriptions as files: beside an ONNX file, or in the user's settings by its content."""

import contextlib
import hashlib
from pathlib import Path

import tomli_w

from kpviewer.config import files as config_files
from kpviewer.errors import WeightsError
from kpviewer.models.onnx.description import OnnxDescription
from kpviewer.models.tables import changed_fields

_CHUNK_BYTES = 1 << 20


def saved_description(path: Path) -> Path | None:
    """Return the file that describes an ONNX file: beside it, else in the settings; else None."""
    beside = path.with_suffix(".toml")
    return beside if beside.is_file() else description_in_settings(path)


def description_in_settings(path: Path) -> Path | None:
    """Return the file in the settings that describes an ONNX file of this content, or None."""
    folder = config_files.descriptions_folder(config_files.settings_folder())
    try:
        size = path.stat().st_size
        if not any(folder.glob(f"{size}-*.toml")):  # else even large files need no hash
            return None
        kept = folder / name_in_settings(path)
        return kept if kept.is_file() else None
    except OSError:
        return None


def save_description(path: Path, description: OnnxDescription, remark: str = "") -> Path:
    """Write a description beside an ONNX file; where that fails, into the user's settings.

    Args:
        path: path of the ONNX file. A file that already lies beside it isn't replaced.
        description: meaning of its outputs.
        remark: first line of the file, a comment.

    Returns:
        The file that was written.

    Raises:
        WeightsError: if neither place can be written.
    """
    text = description_toml(description, remark)
    beside = path.with_suffix(".toml")
    try:
        _write_new(beside, text)
    except OSError:
        pass
    else:
        return beside
    folder = config_files.descriptions_folder(config_files.settings_folder())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder / name_in_settings(path)
        kept.unlink(missing_ok=True)
        _write_new(kept, text)
    except OSError as error:
        raise WeightsError(
            f"{beside.name} can be written neither beside {path.name} nor to {folder} "
            f"({error.strerror or error}). Make one of the folders writable."
        ) from error
    return kept


def description_toml(description: OnnxDescription, remark: str = "") -> str:
    """Return a description as the TOML text that ``read_description`` reads; defaults left out."""
    table = changed_fields(description)
    table["output"] = changed_fields(description.output)
    remark = " ".join(remark.split())
    return (f"# {remark}\n" if remark else "") + tomli_w.dumps(table)


def name_in_settings(path: Path) -> str:
    """Return the name of the description of a file in the settings: its size and its SHA-256."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return f"{size}-{digest.hexdigest()}.toml"


def _write_new(path: Path, text: str) -> None:
    """Write a file that doesn't exist yet, whole or not at all."""
    with path.open("x", encoding="utf-8", newline="\n") as file:
        try:
            file.write(text)
            file.flush()
        except OSError:
            with contextlib.suppress(OSError):
                path.unlink()
            raise
