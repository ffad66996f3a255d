"""Weights that a backbone starts from: ImageNet's, or those of another model of kpviewer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from kpviewer.errors import WeightsError
from kpviewer.models.files import model_path
from kpviewer.models.opening.catalogue import find_weights
from kpviewer.models.opening.downloads import torchvision_state
from kpviewer.models.opening.state_dict import read_state_dict
from kpviewer.models.tables import shown
from kpviewer.models.weights import read_state

IMAGENET = "imagenet"
_PREFIX = {"resnet18": "", "mobilenet": "features.", "vgg16": "features."}
"""Prefix of a backbone's tensor names in torchvision's classifier."""


def start_backbone(backbone: nn.Module, kind: str, source: str) -> None:
    """Load the weights that ``pretrained`` of a recipe names into a backbone.

    Args:
        backbone: backbone from ``models.backbones.image``.
        kind: one of ``models.architecture_names.IMAGE_BACKBONES``.
        source: "imagenet", or a .pt or .pth file of torchvision's classifier; for a light
            backbone, the name or file of a model of kpviewer that has the same.

    Raises:
        WeightsError: if the weights aren't available, or don't fit.
    """
    if kind != "light":
        fill_backbone(backbone, kind, source)
    elif source == IMAGENET:
        raise WeightsError(
            "torchvision has no ImageNet weights for the light backbone. Set pretrained to a model "
            "of kpviewer that has it, such as face-ssd, or choose another backbone."
        )
    else:
        fill_light_backbone(backbone, source)


def fill_light_backbone(backbone: nn.Module, source: str) -> None:
    """Load the light backbone of a model of kpviewer, such as face-ssd or light-ssd.

    Raises:
        WeightsError: if the file can't be read, or its backbone is another one.
    """
    given = read_state(find_weights(source))
    own = backbone.state_dict()
    state = {name: given["backbone." + name] for name in own if "backbone." + name in given}
    odd = [name for name in own if name not in state or state[name].shape != own[name].shape]
    if odd:
        raise WeightsError(
            f"{shown(source)} has no light backbone: {len(odd)} of {len(own)} tensors are missing "
            f"or of another shape, first 'backbone.{odd[0]}'. Use a face-ssd, a light-ssd or "
            "another light model."
        )
    backbone.load_state_dict(state)


def fill_backbone(backbone: nn.Module, kind: str, source: str) -> None:
    """Load the weights of a classifier into its backbone.

    Args:
        backbone: backbone from ``models.backbones.image.build_backbone``.
        kind: "resnet18", "mobilenet" or "vgg16".
        source: "imagenet", from torchvision's cache or downloaded, or a .pt or .pth state dict of
            torchvision's classifier.

    Raises:
        WeightsError: if the weights aren't available, or don't fit.
    """
    given = _imagenet(kind) if source == IMAGENET else read_state_dict(model_path(source))
    prefix = _PREFIX[kind]
    own = backbone.state_dict()
    state = {name: given[prefix + name] for name in own if prefix + name in given}
    odd = [name for name in own if name not in state or state[name].shape != own[name].shape]
    odd = [name for name in odd if not name.endswith("num_batches_tracked")]  # old files lack it
    if odd:
        raise WeightsError(
            f"{shown(source)} doesn't fit torchvision's {kind}: {len(odd)} of {len(own)} "
            f"tensors are missing or of another shape, first {prefix + odd[0]!r}. "
            "Use the state dict of that model."
        )
    backbone.load_state_dict(own | state)


def _imagenet(kind: str) -> Mapping[str, Tensor]:
    from torchvision.models import (  # noqa: PLC0415 - takes seconds
        MobileNet_V3_Small_Weights,
        ResNet18_Weights,
        VGG16_Weights,
    )

    weights: Mapping[str, Any] = {
        "mobilenet": MobileNet_V3_Small_Weights.IMAGENET1K_V1,
        "resnet18": ResNet18_Weights.IMAGENET1K_V1,
        "vgg16": VGG16_Weights.IMAGENET1K_V1,
    }
    return torchvision_state(weights[kind], f"ImageNet's {kind}", "set pretrained to the file")
