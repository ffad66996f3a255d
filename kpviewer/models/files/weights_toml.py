"""A small TOML beside a state dict, of the same name, with what the state dict lacks."""

from dataclasses import dataclass
from pathlib import Path

from kpviewer.errors import WeightsError
from kpviewer.models.limits import ClassNames, Level, Spread
from kpviewer.models.tables import converted, read_toml


@dataclass(frozen=True, slots=True)
class WeightsToml:
    """Keys of the TOML; others are ignored."""

    classes: ClassNames | None = None
    """Names of the classes in the order of the labels, without the background."""
    mean: tuple[Level, Level, Level] | None = None
    """Mean of RGB pixels in [0, 1], like ``std``."""
    std: tuple[Spread, Spread, Spread] | None = None


def read_weights_toml(weights: Path) -> WeightsToml:
    """Read the TOML beside a weight file; without one, every key is None.

    Raises:
        WeightsError: if a value is invalid.
    """
    beside = weights.with_suffix(".toml")
    if not beside.is_file():
        return WeightsToml()
    try:
        return converted(read_toml(beside), WeightsToml)
    except ValueError as error:
        raise WeightsError(f"{beside.name} can't be used: {error}.") from error


def count_refusal(weights: Path, expected: str, got: int) -> WeightsError:
    """Return the error for a TOML with another number of classes than the weights have."""
    return WeightsError(
        f"{weights.with_suffix('.toml').name} must name the classes of {weights.name}, "
        f"classes = [...], without the background: {expected}, got {got}."
    )
