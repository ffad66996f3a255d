"""Errors of features that need torch, which the base installation lacks.

Shipped models and models in files (ONNX, OpenVINO) run without it. This module imports nothing of
torch.
"""

import importlib.util

from kpviewer.errors import WeightsError

PACKAGES = ("torch", "torchvision")
INSTALL = 'pip install "kpviewer[torch]"'
"""Command that adds torch to an installation."""


class TorchNeededError(WeightsError):
    """Torch isn't installed, but the requested feature needs it."""


def has_torch() -> bool:
    """Return whether torch and torchvision are installed, without importing them."""
    try:
        return all(importlib.util.find_spec(name) is not None for name in PACKAGES)
    except (ImportError, ValueError):  # of an import hook; of a module that is half loaded
        return False


def torch_needed(what: str) -> TorchNeededError:
    """Return an error with the feature that needs torch and the command that installs it."""
    return TorchNeededError(f"{what} needs torch, which isn't installed: {INSTALL}")


def require_torch(what: str) -> None:
    """Raise TorchNeededError unless torch is installed.

    Args:
        what: beginning of the sentence, such as "best.pt".
    """
    if not has_torch():
        raise torch_needed(what)


def is_torch_missing(error: BaseException) -> bool:
    """Return whether an error is the failed import of torch where it isn't installed."""
    name = error.name if isinstance(error, ImportError) else None
    return name is not None and name.partition(".")[0] in PACKAGES and not has_torch()
