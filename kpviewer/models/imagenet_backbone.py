"""ImageNet weights for the backbones of point networks: torchvision's own, or a file of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from kpviewer.errors import WeightsError
from kpviewer.models.downloads import torchvision_state
from kpviewer.models.files import model_path
from kpviewer.models.state_dict import read_state_dict
from kpviewer.models.tables import shown

IMAGENET = "imagenet"
_PREFIX = {"resnet18": "", "mobilenet": "features."}
"""Prefix of a backbone's tensor names in torchvision's classifier."""


def fill_backbone(backbone: nn.Module, kind: str, source: str) -> None:
    """Load the weights of a classifier into its backbone.

    Args:
        backbone: backbone from ``models.image_backbone.build_backbone``.
        kind: "resnet18" or "mobilenet".
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
    )

    weights: Any = (
        ResNet18_Weights.IMAGENET1K_V1
        if kind == "resnet18"
        else MobileNet_V3_Small_Weights.IMAGENET1K_V1
    )
    return torchvision_state(weights, f"ImageNet's {kind}", "set pretrained to the file")
