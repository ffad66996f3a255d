"""Weights that a backbone starts from: ImageNet's, or those of another model of kpviewer."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from kpviewer.errors import WeightsError
from kpviewer.models.files.catalogue import find_weights
from kpviewer.models.files.paths import model_path
from kpviewer.models.opening.downloads import torchvision_state
from kpviewer.models.opening.state_dict import read_state_dict
from kpviewer.models.tables import shown
from kpviewer.models.weights import read_state

IMAGENET = "imagenet"
_PREFIX = {"light": "backbone.", "resnet18": "", "mobilenet": "features.", "vgg16": "features."}
"""Prefix of a backbone's tensor names: in models of kpviewer, or torchvision's classifiers."""


def start_backbone(backbone: nn.Module, kind: str, source: str) -> None:
    """Load the weights that ``pretrained`` of a recipe names into a backbone.

    Args:
        backbone: backbone from ``models.networks.backbones.image``.
        kind: one of ``models.names.architectures.IMAGE_BACKBONES``.
        source: "imagenet", from torchvision's cache or downloaded, or a .pt or .pth file of
            torchvision's classifier; for a light backbone, the name or file of a model of kpviewer
            that has the same.

    Raises:
        WeightsError: if the weights aren't available, or don't fit.
    """
    prefix = _PREFIX[kind]
    what, cure = f"doesn't fit torchvision's {kind}", "Use the state dict of that model."
    if kind == "light":
        what = "has no light backbone"
        cure = "Use a face-ssd, a light-ssd or another light model."
        given = _of_kpviewer(source)
    else:
        given = _imagenet(kind) if source == IMAGENET else read_state_dict(model_path(source))
    own = backbone.state_dict()
    state = {name: given[prefix + name] for name in own if prefix + name in given}
    odd = [name for name in own if name not in state or state[name].shape != own[name].shape]
    odd = [name for name in odd if not name.endswith("num_batches_tracked")]  # old files lack it
    if odd:
        raise WeightsError(
            f"{shown(source)} {what}: {len(odd)} of {len(own)} tensors are missing or of another "
            f"shape, first {prefix + odd[0]!r}. {cure}"
        )
    backbone.load_state_dict(own | state)


def _of_kpviewer(source: str) -> Mapping[str, Tensor]:
    if source == IMAGENET:
        raise WeightsError(
            "torchvision has no ImageNet weights for the light backbone. Set pretrained to a model "
            "of kpviewer that has it, such as face-ssd, or choose another backbone."
        )
    return read_state(find_weights(source))


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
