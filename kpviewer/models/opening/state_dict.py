"""State dicts from ``.pt`` and ``.pth`` files: tensors by name and nothing else.

A pickle can run any code when it is opened; ``models.opening.checkpoint`` opens it without. The
tensors are checked here, as a file of a few kB can claim tensors of many GB.
"""

import logging
import shlex
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from kpviewer.errors import WeightsError
from kpviewer.models.base import Detector
from kpviewer.models.limits import MAX_TENSORS
from kpviewer.models.names.tensors import with_current_names
from kpviewer.models.networks.dry_run import planned
from kpviewer.models.networks.unfilled import unfilled
from kpviewer.models.opening.checkpoint import load_checkpoint
from kpviewer.models.opening.whole_models import maker_refusal
from kpviewer.models.spec import ModelSpec
from kpviewer.models.tables import shown

_log = logging.getLogger(__name__)

WRAPPERS = (
    "state_dict", "model_state_dict", "model_state", "model", "module", "net", "network", "weights",
    "params", "model_ema", "ema_model", "ema", "ema_state_dict", "state_dict_ema", "params_ema",
)  # fmt: skip
"""Keys under which training programs store the state dict beside other things, the averaged
weights last."""
_MAX_WRAPPERS = 3
PREFIXES = ("module.", "model.", "net.", "network.", "detector.", "ema_model.", "averaged_model.")
"""Prefixes that all names of a state dict share: those of DataParallel, of a Lightning module's
attribute that holds the network, and of averaged weights."""
INSERTED = ("_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.")
"""Parts that torch.compile and others insert anywhere in names."""
COUNTERS = ("n_averaged",)
"""Tensors of AveragedModel that aren't weights."""
TORCHVISION_KEYS = ("backbone.", "head.", "roi_heads.", "rpn.")
_MAKERS = {
    "bbox_head.": ("MMDetection", "export it by MMDeploy with the backend onnxruntime."),
    "refpoint_embed.": (
        "RF-DETR",
        "RFDETRBase(pretrain_weights=FILE).export() makes an ONNX file.",
    ),
    "backbone.backbone.stem.": (
        "YOLOX",
        "python tools/export_onnx.py -c {} --decode_in_inference makes an ONNX file.",
    ),
    "model.0.conv.": ("Ultralytics", "yolo export model=ORIGINAL.pt format=onnx"),
    "0.conv.": ("Ultralytics", "yolo export model=ORIGINAL.pt format=onnx"),
}
"""Beginnings of names in state dicts, who makes such, and the export that opens."""
_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.int64)
_SHARING = 4
"""Most times that tensors may share the bytes of a file: tied weights are stored once."""


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a ``.pt`` or ``.pth`` file.

    Returns:
        Finite, contiguous CPU tensors by name, without the prefixes of wrappers.

    Raises:
        WeightsError: if the file is missing, damaged, holds no state dict, or holds tensors of a
            kind that no weight file has.
    """
    checkpoint = load_checkpoint(path)
    raw = _unwrapped(checkpoint.content)
    if not isinstance(raw, Mapping) or not any(isinstance(each, Tensor) for each in raw.values()):
        if checkpoint.foreign:
            raise WeightsError(checkpoint.refusal())
        if isinstance(raw, Mapping) and raw:
            name, value = next(iter(raw.items()))
            _checked(path.name, str(name), value)
        raise WeightsError(
            f"{path.name} must hold a state dict (tensors by name), got a {type(raw).__name__}. "
            "Save model.state_dict() with torch.save."
        )
    if not all(isinstance(each, Tensor) for each in raw.values()) and (
        refusal := maker_refusal(path, checkpoint.foreign)
    ):
        raise WeightsError(refusal)
    named = _plain_names(path.name, raw)
    if len(named) > MAX_TENSORS:
        raise WeightsError(
            f"{path.name} holds {len(named):,} tensors, at most {MAX_TENSORS:,}: no model that "
            "kpviewer builds."
        )
    state = {name: _checked(path.name, name, value) for name, value in named.items()}
    claimed = sum(value.numel() * value.element_size() for value in state.values())
    if claimed > _SHARING * checkpoint.size_bytes:
        raise WeightsError(
            f"{path.name} has {checkpoint.size_bytes:,} bytes and claims tensors of {claimed:,}. "
            "Save model.state_dict() alone."
        )
    for name, value in state.items():
        if not torch.isfinite(value).all():
            raise WeightsError(f"{path.name}: tensor {shown(name)} has values that aren't numbers.")
    return {name: value.contiguous() for name, value in state.items()}


def open_state_dict(
    path: Path,
    specs: Iterable[ModelSpec],
    architectures: Mapping[str, Callable[[ModelSpec], Detector]],
    importers: Iterable[Callable[[Path, Mapping[str, Tensor]], Detector | None]] = (),
) -> Detector:
    """Find the architecture that a state dict fits exactly, and load it.

    Args:
        path: path of a ``.pt`` or ``.pth`` file.
        specs: descriptions to try, as a state dict has none.
        architectures: builders of untrained detectors by architecture.
        importers: readers of third-party layouts, tried if no description fits; each returns None
            for an unknown layout.

    Returns:
        The detector, its network in evaluation mode.

    Raises:
        WeightsError: if the file is refused or fits none; the message names the nearest one.
    """
    state = read_state_dict(path)
    nearest, most = "", 0
    for spec in specs:
        if spec.architecture not in architectures:
            continue
        expected = planned(architectures[spec.architecture], spec).network.state_dict()
        renamed = with_current_names(state)
        fitting = sum(
            name in expected and expected[name].shape == value.shape
            for name, value in renamed.items()
        )
        if fitting == len(renamed) == len(expected):
            detector = unfilled(architectures[spec.architecture], spec)
            detector.network.load_state_dict(renamed)
            detector.network.eval()
            return detector
        if fitting > most:
            most = fitting
            own = f"{fitting} of whose {len(expected)} tensors are in the file"
            nearest = f"; the nearest is {spec.name}, {own}"
    for importer in importers:
        if (imported := importer(path, state)) is not None:
            return imported
    raise WeightsError(
        f"{path.name} ({len(state)} tensors, the first {shown(next(iter(state)))}) fits no model "
        f"that kpviewer builds{nearest}. {_advice(path, state)}"
    )


def _advice(path: Path, state: Mapping[str, Tensor]) -> str:
    """Return a sentence on other ways to open the file."""
    name, content = path.name, load_checkpoint(path).content
    if isinstance(content, Mapping) and {"network", "average", "step"} <= content.keys():
        return "It is what 'train --resume' continues from: open the .safetensors file beside it."
    if all(key.startswith(TORCHVISION_KEYS) for key in state):
        return f"Its names are torchvision's: try --model torchvision:NAME@{name}."
    for key, (maker, command) in _MAKERS.items():
        if any(each.startswith(key) for each in state):
            return f"Its names are those of {maker}: {command.format(shlex.quote(name))}"
    return "Export the model to ONNX, or name a function that builds it: --model module:function."


def _unwrapped(raw: object) -> object:
    """Return the state dict inside what a training program saved."""
    for _ in range(_MAX_WRAPPERS):
        inner = [raw.get(key) for key in WRAPPERS] if isinstance(raw, Mapping) else []
        found = [each for each in inner if isinstance(each, Mapping) and each]
        if not found:
            break
        raw = found[0]
    return raw


def _plain_names(file_name: str, raw: Mapping[object, object]) -> dict[str, object]:
    """Remove the prefixes of wrappers from the names, and drop what isn't part of the network."""
    named: dict[str, object] = {}
    for key, value in raw.items():
        name = str(key)
        for inserted in INSERTED:
            name = name.replace(inserted, "")
        if name in named:
            raise WeightsError(f"{file_name} has two tensors called {shown(name)}.")
        named[name] = value
    while len(named) > 1:
        counters = [name for name in COUNTERS if name in named]
        names = [name for name in named if name not in counters]
        prefix = next((each for each in PREFIXES if names[0].startswith(each)), None)
        inside = [name for name in names if prefix and name.startswith(prefix)]
        others = len(names) - len(inside)
        if not prefix or others > len(inside):
            return {name: named[name] for name in names}
        if others:  # a Lightning module also holds its loss and metrics
            _log.info("%s: %d tensors outside %s are left out", file_name, others, prefix)
        named = {name.removeprefix(prefix): named[name] for name in inside}
    return named


def _checked(file_name: str, key: str, value: object) -> Tensor:
    """Return a value as a tensor; refuse anything but a plain one."""
    if type(value) not in (Tensor, torch.nn.Parameter):
        raise WeightsError(
            f"{file_name}: {shown(key)} must be a tensor, got a {type(value).__name__}. "
            "Save model.state_dict() alone."
        )
    assert isinstance(value, Tensor)
    tensor = value.detach()
    is_plain = (
        tensor.layout is torch.strided
        and tensor.dtype in _DTYPES
        and tensor.device.type == "cpu"  # tensors on "meta" have no values
    )
    if not is_plain or tensor.untyped_storage().nbytes() < tensor.numel() * tensor.element_size():
        raise WeightsError(
            f"{file_name}: tensor {shown(key)} must be a plain one of float16, bfloat16, float32 "
            f"or int64, got {tuple(tensor.shape)} {tensor.dtype}. Save it again, contiguous."
        )
    return tensor
