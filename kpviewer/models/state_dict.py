"""Reading ``.pt`` and ``.pth`` files: tensors by name and nothing else.

A pickle can run any code when it is opened. ``torch.load(weights_only=True)`` opens none but plain
tensors; what it gives is checked again here, as a file of a few kB can claim tensors of many GB.
"""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from kpviewer.errors import WeightsError
from kpviewer.models.base import Detector
from kpviewer.models.spec import ModelSpec

MAX_FILE_BYTES = 2 * 1024**3
MAX_UNPACKED_RATIO = 20
"""Of a zip archive: weights hardly shrink, so what does is no weight file."""
WRAPPERS = ("state_dict", "model_state_dict", "model", "net")
"""Keys under which training programs store the state dict beside other things."""
PREFIXES = ("module.", "_orig_mod.")
"""What DataParallel and torch.compile put before each name."""
TORCHVISION_KEYS = ("backbone.", "head.", "roi_heads.", "rpn.")
_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.int64)


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a ``.pt`` or ``.pth`` file.

    Returns:
        Contiguous CPU tensors by name, finite, without the prefixes of wrappers.

    Raises:
        WeightsError: if the file is missing, damaged, holds anything but tensors, or holds
            tensors that no weight file has.
    """
    _check_container(path)
    raw = _loaded(path)
    for key in WRAPPERS:
        if isinstance(raw, Mapping) and isinstance(raw.get(key), Mapping):
            raw = raw[key]
            break
    if not isinstance(raw, Mapping) or not raw:
        raise WeightsError(
            f"{path.name} must hold a state dict (tensors by name), got a {type(raw).__name__}. "
            "Save model.state_dict() with torch.save."
        )
    state: dict[str, Tensor] = {}
    for key, value in raw.items():
        state[_plain_name(str(key))] = _checked(path.name, str(key), value)
    return state


def open_state_dict(
    path: Path,
    specs: Iterable[ModelSpec],
    architectures: Mapping[str, Callable[[ModelSpec], Detector]],
    importers: Iterable[Callable[[Path, Mapping[str, Tensor]], Detector | None]] = (),
) -> Detector:
    """Find the architecture that a state dict fits, exactly, and fill it.

    Args:
        path: a ``.pt`` or ``.pth`` file.
        specs: descriptions to try; a state dict says nothing of itself.
        architectures: builders of untrained detectors by architecture.
        importers: readers of other people's layouts, for what fits none of these; each gives None
            for a layout that it doesn't know.

    Returns:
        The detector, its network in evaluation mode.

    Raises:
        WeightsError: if the file is refused or fits none, telling how far the nearest one fits.
    """
    state = read_state_dict(path)
    nearest, most = "none", 0
    for spec in specs:
        if spec.architecture not in architectures:
            continue
        detector = architectures[spec.architecture](spec)
        expected = detector.network.state_dict()
        fitting = sum(
            name in expected and expected[name].shape == value.shape
            for name, value in state.items()
        )
        if fitting == len(state) == len(expected):
            detector.network.load_state_dict(state)
            detector.network.eval()
            return detector
        if fitting > most:
            most = fitting
            nearest = f"{spec.name}, {fitting} of whose {len(expected)} tensors are in the file"
    for importer in importers:
        if (imported := importer(path, state)) is not None:
            return imported
    raise WeightsError(
        f"{path.name} ({len(state)} tensors, the first {next(iter(state))!r}) fits no model that "
        f"kpviewer builds; the nearest is {nearest}. {_advice(path.name, state)}"
    )


def _advice(name: str, state: Mapping[str, Tensor]) -> str:
    if all(key.startswith(TORCHVISION_KEYS) for key in state):
        return f"Its names are torchvision's: try --model torchvision:NAME@{name}."
    return "Export the model to ONNX, or name a function that builds it: --model module:function."


def _check_container(path: Path) -> None:
    """Refuse what is too large, before and after unpacking."""
    if not path.is_file():
        raise WeightsError(f"A weight file must exist, got {path}. Check the path.")
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise WeightsError(f"{path.name} is larger than 2 GiB: not a model that kpviewer runs.")
    if zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                unpacked = sum(item.file_size for item in archive.infolist())
        except (zipfile.BadZipFile, OSError) as error:
            raise WeightsError(f"{path.name} is damaged: {error}. Fetch it again.") from error
        if unpacked > min(MAX_FILE_BYTES, MAX_UNPACKED_RATIO * size):
            raise WeightsError(
                f"{path.name} unpacks from {size} to {unpacked} bytes: no weight file shrinks so "
                "well. Fetch it from its author."
            )


def _loaded(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of old formats; the outcome is checked
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path.name} holds more than tensors (or is damaged): opening such a pickle could run "
            "any code, so it is refused. In the program that wrote it, save the tensors alone: "
            "torch.save(model.state_dict(), FILE)."
        ) from error
    except Exception as error:  # torch raises what its parsers stumble over: any class
        raise WeightsError(
            f"{path.name} can't be read as a PyTorch file: {_first_line(error)}. "
            "Is the file complete?"
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _plain_name(name: str) -> str:
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _checked(file_name: str, key: str, value: object) -> Tensor:
    """Refuse a value that isn't a plain, finite tensor."""
    if type(value) not in (Tensor, torch.nn.Parameter):
        raise WeightsError(
            f"{file_name}: {key!r} must be a tensor, got a {type(value).__name__}. "
            "Save model.state_dict() alone."
        )
    assert isinstance(value, Tensor)
    tensor = value.detach()
    is_plain = tensor.layout is torch.strided and tensor.dtype in _DTYPES
    if not is_plain or tensor.untyped_storage().nbytes() < tensor.numel() * tensor.element_size():
        raise WeightsError(
            f"{file_name}: tensor {key!r} must be a plain one of float16, bfloat16, float32 or "
            f"int64, got {tuple(tensor.shape)} {tensor.dtype}. Save it again, contiguous."
        )
    if not torch.isfinite(tensor).all():
        raise WeightsError(f"{file_name}: tensor {key!r} has values that aren't numbers.")
    return tensor.contiguous()
