"""Catalogue of the shipped models, from file headers and MANIFEST.toml; it needs no torch.

Each table of the manifest is named like its weight file::

    [face-ssd]
    sha256 = "..."
    command = "kpviewer train ..."
    scores = { "AP@0.5" = 0.5 }
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from kpviewer.errors import WeightsError
from kpviewer.models.files.foreign import hugging_face_refusal
from kpviewer.models.files.paths import MAX_FILE_BYTES, is_regular, model_path, unread
from kpviewer.models.limits import clean_name
from kpviewer.models.names.models import DARKNET_SUFFIXES, FILE_SUFFIXES, STATE_DICT_SUFFIXES
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.models.tables import UNREADABLE, first_line, shown
from kpviewer.plug_ins import MODELS, plug_ins
from kpviewer.shipped import DEFAULT_MODEL, shipped_weights_dir

SPEC_KEY = "kpviewer"
"""Key of the header entry that holds the ModelSpec."""

MANIFEST = "MANIFEST.toml"


@dataclass(frozen=True, slots=True)
class ShippedModel:
    """A weight file with its description and manifest entry."""

    path: Path
    spec: ModelSpec
    size_bytes: int
    sha256: str | None = None
    """SHA-256 of the file by the manifest; None if it has none."""
    scores: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the model for ``--model``."""
        return self.path.stem

    @property
    def runnable_name(self) -> str:
        """Name for ``--model`` that runs on whole frames: point models run behind a detector."""
        is_second = self.spec.task is Task.KEYPOINTS
        return f"two-stage:{DEFAULT_MODEL}+{self.name}" if is_second else self.name

    def is_intact(self) -> bool:
        """Return whether the file has the manifest's SHA-256."""
        if self.sha256 is None:
            return True
        return hashlib.sha256(self.path.read_bytes()).hexdigest() == self.sha256


def check_file(path: Path) -> None:
    """Refuse a file that can't be a weight file, before anything is read.

    Raises:
        WeightsError: if it isn't named .safetensors, or is larger than 2 GiB.
    """
    if path.suffix != ".safetensors":
        if path.suffix.lower() in (*FILE_SUFFIXES, *STATE_DICT_SUFFIXES, *DARKNET_SUFFIXES):
            raise WeightsError(f"{path.name} runs as it is; this needs a .safetensors file.")
        raise WeightsError(
            f"{path.name} isn't a model file: kpviewer opens .onnx, .safetensors, .pt, .pth and "
            ".ckpt, OpenVINO's .xml, and Darknet's .cfg and .weights."
        )
    if path.stat().st_size > MAX_FILE_BYTES:
        raise WeightsError(f"{path.name} is larger than 2 GiB: not a model that kpviewer builds.")


def read_header(path: Path) -> ModelSpec:
    """Read the description in a safetensors file, without its tensors.

    Raises:
        WeightsError: if the file can't be read or is damaged, or kpviewer didn't write it.
    """
    try:
        path.open("rb").close()  # safetensors reports a missing file, whatever the reason
        with safe_open(str(path), framework="np") as file:
            metadata = file.metadata() or {}
    except OSError as error:
        raise unread(path, error) from error
    except (SafetensorError, *UNREADABLE) as error:
        raise WeightsError(
            f"{path.name} is damaged or no safetensors file: {first_line(error)}. Fetch or train "
            "it again."
        ) from error
    if SPEC_KEY not in metadata:
        raise WeightsError(
            hugging_face_refusal(path)
            or f"{path.name} doesn't say what model it holds (no {SPEC_KEY!r} entry in its "
            "header). Was it saved by another program? Export the model to ONNX there."
        )
    try:
        return ModelSpec.from_json(metadata[SPEC_KEY])
    except WeightsError as error:
        raise WeightsError(f"{path.name}: {error}") from error


def read_manifest(folder: Path) -> dict[str, dict[str, Any]]:
    """Read MANIFEST.toml of a folder of weights; return {} if there is none.

    Raises:
        WeightsError: if it isn't TOML.
    """
    try:
        tables = tomllib.loads((folder / MANIFEST).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WeightsError(f"{folder / MANIFEST} must be TOML: {error}. Fetch it again.") from error
    return {name: table for name, table in tables.items() if isinstance(table, dict)}


def available_models(folder: Path | None = None) -> list[ShippedModel]:
    """Return the models of ``folder``, by default the shipped ones, sorted by name.

    Raises:
        WeightsError: if a file or the manifest can't be read.
    """
    folder = shipped_weights_dir() if folder is None else folder
    manifest = read_manifest(folder)
    models = []
    for path in sorted(folder.glob("*.safetensors")):
        entry = manifest.get(path.stem, {})
        models.append(
            ShippedModel(
                path=path,
                spec=read_header(path),
                size_bytes=path.stat().st_size,
                sha256=entry.get("sha256"),
                scores=entry.get("scores", {}),
            )
        )
    return models


def find_weights(name_or_path: str | Path) -> Path:
    """Return the path of a shipped model by name, or of a file.

    Raises:
        WeightsError: if there is neither.
    """
    path = model_path(name_or_path)
    if is_regular(path):
        return path
    shipped = shipped_weights_dir() / f"{name_or_path}.safetensors"
    if is_regular(shipped):
        return shipped
    shipped_names = {file.stem for file in shipped_weights_dir().glob("*.safetensors")}
    names = ", ".join(sorted(shipped_names | set(plug_ins(MODELS))))
    if path.is_dir():
        raise WeightsError(
            f"{clean_name(path.name or str(path))} is a folder without a model that kpviewer "
            "opens: one .onnx, or OpenVINO's .xml and .bin."
        )
    raise WeightsError(
        f"No model is called {shown(str(name_or_path))} and no such file exists. "
        f"Models by name: {names or 'none'}; or a path, such as model.onnx."
    )
