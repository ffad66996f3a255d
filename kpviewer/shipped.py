"""Model weights that come with kpviewer: their folder and the default model."""

from pathlib import Path

from kpviewer.errors import WeightsError

DEFAULT_MODEL = "face-ssd"
"""Name of the shipped model that is used by default."""


def shipped_weights_dir() -> Path:
    """Return the folder of the shipped models.

    It is inside the package in a wheel, and beside the package in a checkout.

    Raises:
        WeightsError: if neither folder exists.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "weights", package.parent / "weights"):
        if folder.is_dir():
            return folder
    raise WeightsError(
        f"The folder of shipped models must be in or beside {package}, got none. "
        "Reinstall kpviewer."
    )


def is_shipped(name: str) -> bool:
    """Return whether a model of this name comes with kpviewer."""
    return (shipped_weights_dir() / f"{name}.safetensors").is_file()
