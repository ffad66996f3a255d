"""Weights that torchvision downloads, or has in its cache."""

import pickle
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from kpviewer.errors import WeightsError
from kpviewer.models.opening.weight_files import torch_cache


def torchvision_state(weights: Any, what: str, cure: str) -> Mapping[str, Tensor]:
    """Return a state dict from torchvision's cache, or download it with a progress bar.

    Args:
        weights: member of one of torchvision's enumerations of weights.
        what: name of the weights for users, such as "ImageNet's VGG16".
        cure: advice for a file fetched elsewhere, without a full stop.

    Raises:
        WeightsError: if there is no network, the file isn't torchvision's, or that in the cache is
            damaged.
    """
    try:
        state: Mapping[str, Tensor] = weights.get_state_dict(
            progress=True, check_hash=True, weights_only=True, map_location="cpu"
        )
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        cached = torch_cache() / weights.url.rpartition("/")[2]
        if cached.is_file():
            reason = short_reason(error) if isinstance(error, OSError) else "it is damaged"
            raise WeightsError(
                f"{what} can't be read from {cached}: {reason}. Delete the file and try again."
            ) from error
        raise WeightsError(
            f"{what} can't be downloaded: {short_reason(error)}. "
            f"Fetch {weights.url} elsewhere and {cure}."
        ) from error
    return state


def short_reason(error: Exception) -> str:
    """Return the first two lines of an error as one, at most 200 characters; its class if empty."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2])[:200] or type(error).__name__
