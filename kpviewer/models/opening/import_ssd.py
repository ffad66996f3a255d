"""Third-party weights for SSD300: their names of each layer, and what of them fits.

Three layouts are known:

- torchvision's ``ssd300_vgg16``: ``backbone.features.N``, ``backbone.extra.*``, ``head.*``;
- ``layers.N.*`` (the convolutions, and normalisations if any, in order), ``CLS.i.*`` and
  ``OFFSET.i.*`` (heads of map i), ``norm.weight`` (of conv4_3);
- VGG16 alone, plain or with batch normalisation: ``features.N``, ``classifier.0`` and ``.3``.

Layers are found by their order and shape, as the numbers in their names count activations too.
``models.opening.state_dict`` has checked the values before.
"""

import dataclasses
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from kpviewer.errors import WeightsError
from kpviewer.models.files.paths import model_path
from kpviewer.models.files.weights_toml import count_refusal, read_weights_toml
from kpviewer.models.limits import clean_name
from kpviewer.models.networks.ssd.detector import SsdDetector
from kpviewer.models.networks.ssd.ssd300 import (
    SSD300_ARCHITECTURES,
    SSD300_SPEC,
    VOC_CLASSES,
    Ssd300Backbone,
)
from kpviewer.models.opening.downloads import torchvision_state
from kpviewer.models.opening.state_dict import read_state_dict
from kpviewer.models.spec import ModelSpec, checked

_log = logging.getLogger(__name__)

_FLAT, _TORCHVISION, _VGG = "layers.N", "torchvision's ssd300_vgg16", "torchvision's vgg16"
_BACKBONES = {
    _FLAT: ("layers.",),
    _TORCHVISION: ("backbone.features.", "backbone.extra."),
    _VGG: ("features.",),
}
"""Prefixes of the names of the backbone's layers by layout, in the order of the forward pass."""
_HEADS = {
    _FLAT: ("CLS.", "OFFSET."),
    _TORCHVISION: ("head.classification_head.module_list.", "head.regression_head.module_list."),
}
_NORMS = {_FLAT: "norm.weight", _TORCHVISION: "backbone.scale_weight"}
_MAPS = 6
_VGG16_LAYERS = 13


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Result of an import: names of the tensors that fit, and of those that don't."""

    layout: str
    filled: tuple[str, ...]
    """Tensors of the network that got values."""
    missing: tuple[str, ...]
    """Tensors of the network that keep their values."""
    unused: tuple[str, ...]
    """Tensors of the file that the network lacks."""
    misfits: tuple[str, ...]
    """Descriptions of tensors that differ in shape."""

    def __str__(self) -> str:
        """Return one line for users."""
        parts = [
            f"Read as {self.layout}: {len(self.filled)} of "
            f"{len(self.filled) + len(self.missing)} tensors filled"
        ]
        if self.missing:
            parts.append(f"{len(self.missing)} not in the file, such as {self.missing[0]}")
        if self.unused:
            parts.append(f"{len(self.unused)} of the file's unused, such as {self.unused[0]}")
        return "; ".join([*parts, *self.misfits[:3]]) + "."


def layout_of(state: Mapping[str, Tensor]) -> str | None:
    """Return the name of a state dict's layout; None if it is unknown."""
    for layout in (_FLAT, _TORCHVISION):
        heads = all(f"{head}0.weight" in state for head in _HEADS[layout])
        if heads and any(name.startswith(_BACKBONES[layout]) for name in state):
            return layout
    return _VGG if "features.0.weight" in state else None


def fill_ssd300(detector: SsdDetector, state: Mapping[str, Tensor]) -> ImportReport:
    """Copy the tensors that fit from a state dict into an SSD300; others keep their values.

    Args:
        detector: detector with an ``Ssd300Backbone``.
        state: tensors by name. For each anchor of a cell, heads hold all classes, the background
            first, or four offsets.

    Raises:
        WeightsError: if the detector isn't an SSD300, or the layout is unknown.
    """
    network = detector.network
    layout = layout_of(state)
    if not isinstance(network.backbone, Ssd300Backbone):
        raise WeightsError(
            f"Weights of VGG16 or SSD300 fit an ssd300 model, not {detector.spec.architecture}."
        )
    if layout is None:
        raise WeightsError(
            f"An SSD300 file must have tensors layers.N, CLS.i and OFFSET.i, or torchvision's "
            f"names; the first here is {next(iter(state), 'none')!r}."
        )
    own = network.state_dict()
    given, used = _renamed(network.backbone, layout, state, len(detector.spec.class_names) + 1)
    fits = {k: v.float() for k, v in given.items() if k in own and v.shape == own[k].shape}
    misfits = tuple(
        f"{name} is {tuple(value.shape)} in the file, {tuple(own[name].shape)} here"
        for name, value in given.items()
        if name in own and name not in fits
    )
    network.load_state_dict({**own, **fits})
    missing = tuple(k for k in own if k not in fits and not k.endswith("num_batches_tracked"))
    unused = tuple(sorted(set(state) - used))
    return ImportReport(layout, tuple(fits), missing, unused, misfits)


def import_ssd300(path: Path, state: Mapping[str, Tensor]) -> SsdDetector | None:
    """Build the SSD300 of a third-party file.

    A TOML beside the file may hold what a state dict lacks: ``classes = [...]`` (without the
    background), and the ``mean`` and ``std`` of its images (RGB in [0, 1]).

    Returns:
        The detector in evaluation mode, or None if the layout isn't one of SSD300's.

    Raises:
        WeightsError: if a layer is missing or doesn't fit; the message reports what fits.
    """
    layout = layout_of(state)
    if layout not in _HEADS:
        return None
    offsets, classes = (state.get(f"{head}0.bias") for head in reversed(_HEADS[layout]))
    rows = state[f"{_HEADS[layout][0]}0.weight"].shape[:1]
    # fewer weights would ask for a larger network than is in the file
    is_whole = classes is not None and classes.shape == rows and not classes.numel() % 4
    if offsets is None or classes is None or offsets.numel() != 16 or not is_whole:
        raise WeightsError(
            f"{path.name}: SSD300 has four anchors per cell of its first map, so the biases of "
            f"{_HEADS[layout][0]}0 and {_HEADS[layout][1]}0 must be of 4 * (1 + classes) and 16 "
            "values."
        )
    has_norm = any(name.startswith("layers.") and "running_mean" in name for name in state)
    architecture = "ssd300-vgg16-bn" if has_norm else "ssd300-vgg16"
    if layout == _TORCHVISION:
        architecture = "ssd300-torchvision"
    spec = _spec(path, architecture, max(1, classes.numel() // 4 - 1))
    detector = SSD300_ARCHITECTURES[architecture](spec)
    report = fill_ssd300(detector, state)
    odd = any(name.startswith(_BACKBONES[layout]) for name in report.unused)
    if report.missing or report.misfits or odd:
        raise WeightsError(f"{path.name} isn't quite an SSD300. {report}")
    _log.info("%s: %s", path.name, report)
    detector.network.eval()
    return detector


def start_from_file(detector: SsdDetector, name: str) -> ImportReport:
    """Load a .pt or .pth file of a known layout into a detector, as the start of training.

    Raises:
        WeightsError: if the file is refused, or not even the convolutions of VGG16 fit.
    """
    path = model_path(name)
    return _started(path.name, detector, read_state_dict(path))


def start_from_imagenet(detector: SsdDetector) -> ImportReport:
    """Load torchvision's VGG16 of ImageNet, from its cache or downloaded, into a detector.

    Raises:
        WeightsError: if the weights aren't available.
    """
    from torchvision.models import VGG16_BN_Weights, VGG16_Weights  # noqa: PLC0415 - seconds

    has_norm = any("running_mean" in name for name in detector.network.state_dict())
    weights: Any = (VGG16_BN_Weights if has_norm else VGG16_Weights).IMAGENET1K_V1
    cure = (
        "set pretrained to the file, or train from scratch with "
        'model = "ssd300-vgg16-bn" and pretrained = ""'
    )
    state = torchvision_state(weights, "ImageNet's VGG16", cure)
    return _started("vgg16", detector, state)


def _started(name: str, detector: SsdDetector, state: Mapping[str, Tensor]) -> ImportReport:
    """Load a state dict as the start of training; log the report."""
    report = fill_ssd300(detector, state)
    backbone = sum(key.startswith("backbone.backbone.") for key in report.filled)
    if backbone < 2 * _VGG16_LAYERS:
        raise WeightsError(f"{name} doesn't hold the convolutions of this VGG16. {report}")
    # a warning, which logging shows by default, if parts start at random
    _log.log(logging.WARNING if report.missing else logging.INFO, "%s: %s", name, report)
    return report


def _renamed(
    backbone: Ssd300Backbone, layout: str, state: Mapping[str, Tensor], labels: int
) -> tuple[dict[str, Tensor], set[str]]:
    """Return the file's tensors by the network's names, and their names in the file."""
    given: dict[str, Tensor] = {}
    used: set[str] = set()
    own_layers = [name for name, _ in backbone.layers()]
    for own, layer in zip(own_layers, _layers(state, _BACKBONES[layout]), strict=False):
        for part in ("weight", "bias", "running_mean", "running_var"):
            if f"{layer}.{part}" in state:
                given[f"backbone.{own}.{part}"] = state[f"{layer}.{part}"]
        used |= {name for name in state if name.rpartition(".")[0] == layer}
    if layout == _VGG:
        _linear_as_convolutions(state, given, used)
    if layout in _NORMS and _NORMS[layout] in state:
        given["backbone.norm.weight"] = state[_NORMS[layout]].flatten()
        used.add(_NORMS[layout])
    for index in range(_MAPS if layout in _HEADS else 0):
        for part in ("weight", "bias"):
            names = [f"{head}{index}.{part}" for head in _HEADS[layout]]
            if all(name in state for name in names):
                classes, offsets = (state[name] for name in names)
                interleaved = _interleaved(classes, offsets, labels)
                if interleaved is not None:
                    given[f"heads.{index}.{part}"] = interleaved
                    used |= set(names)
    return given, used


def _layers(state: Mapping[str, Tensor], prefixes: Sequence[str]) -> list[str]:
    """Return the names of the modules with one of the prefixes, sorted by their numbers."""

    def order(name: str) -> list[int]:
        return [int(number) for number in re.findall(r"\d{1,18}", name)]

    found: list[str] = []
    for prefix in prefixes:
        modules = {k.rpartition(".")[0] for k in state if k.startswith(prefix)}
        found += sorted(modules, key=order)
    return found


def _interleaved(classes: Tensor, offsets: Tensor, labels: int) -> Tensor | None:
    """Interleave two heads by anchor, as in SsdNetwork; return None if they don't fit together.

    Args:
        classes: (A * labels, ...) class head.
        offsets: (A * 4, ...) box head.
        labels: number of classes, with the background.
    """
    if not classes.ndim or not offsets.ndim:
        return None
    boxes = len(offsets) // 4
    if len(offsets) % 4 or len(classes) != boxes * labels or classes.shape[1:] != offsets.shape[1:]:
        return None
    rest = classes.shape[1:]
    rows = [classes.reshape(boxes, labels, *rest), offsets.reshape(boxes, 4, *rest)]
    return torch.cat(rows, 1).reshape(-1, *rest)


def _linear_as_convolutions(
    state: Mapping[str, Tensor], given: dict[str, Tensor], used: set[str]
) -> None:
    """Make conv6 and conv7 of VGG16's linear layers, from every third pixel and fourth channel.

    Source: Liu et al. 2016, SSD, section 3, "Base network" (arXiv:1512.02325).
    """
    names = [f"classifier.{layer}.{part}" for layer in (0, 3) for part in ("weight", "bias")]
    shapes = [(4096, 512 * 49), (4096,), (4096, 4096), (4096,)]
    tensors = [state[name] for name in names if name in state]
    if [each.shape for each in tensors] != shapes:
        return
    first, first_bias, second, second_bias = tensors
    given["backbone.conv6.0.weight"] = first.reshape(4096, 512, 7, 7)[::4, :, ::3, ::3]
    given["backbone.conv6.0.bias"] = first_bias[::4]
    given["backbone.conv7.0.weight"] = second[::4, ::4, None, None]
    given["backbone.conv7.0.bias"] = second_bias[::4]
    used |= set(names)


def _spec(path: Path, architecture: str, count: int) -> ModelSpec:
    """Return a file's description; without a TOML, its classes are VOC's if 20, else numbered."""
    beside = read_weights_toml(path)
    names = beside.classes
    if names is None:
        is_voc = count == len(VOC_CLASSES)
        names = VOC_CLASSES if is_voc else tuple(f"class {index + 1}" for index in range(count))
    if len(names) != count:
        raise count_refusal(path, f"{count} of them", len(names))
    # torchvision's: the authors' mean, of pixels in [0, 255]
    mean, std = SSD300_SPEC.mean, SSD300_SPEC.std
    if architecture == "ssd300-torchvision":
        mean, std = (0.48235, 0.45882, 0.40784), (1 / 255, 1 / 255, 1 / 255)
    spec = dataclasses.replace(
        SSD300_SPEC,
        name=clean_name(path.stem),
        architecture=architecture,
        class_names=names,
        mean=beside.mean or mean,
        std=beside.std or std,
    )
    return checked(spec, path.name, f"Correct {path.with_suffix('.toml').name}.")
