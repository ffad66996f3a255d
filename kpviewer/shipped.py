"""What comes with kpviewer besides code: the model weights, where they are and which is first."""

from pathlib import Path

from kpviewer.errors import WeightsError

DEFAULT_MODEL = "face-ssd"
"""The shipped model that is used where none is named."""


def shipped_weights_dir() -> Path:
    """Give the folder of the shipped models.

    A wheel carries it inside the package; a checkout has it beside the package.

    Raises:
        WeightsError: if neither is there.
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
    """Whether a model of this name comes with kpviewer."""
    return (shipped_weights_dir() / f"{name}.safetensors").is_file()
