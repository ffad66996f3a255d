"""What a state dict doesn't say of itself: a small TOML beside it, of the same name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kpviewer.errors import WeightsError
from kpviewer.models.limits import ClassNames, Level, Spread
from kpviewer.models.tables import converted, read_toml


@dataclass(frozen=True, slots=True)
class WeightsToml:
    """The lines that are read; others are left alone."""

    classes: ClassNames | None = None
    """Names in the order of the labels, without the background."""
    mean: tuple[Level, Level, Level] | None = None
    """RGB, of pixels in [0, 1]."""
    std: tuple[Spread, Spread, Spread] | None = None


def read_weights_toml(weights: Path) -> WeightsToml:
    """Read the TOML beside a weight file; nothing is said where there is none.

    Raises:
        WeightsError: if a line can't be what it must be.
    """
    beside = weights.with_suffix(".toml")
    if not beside.is_file():
        return WeightsToml()
    try:
        return converted(read_toml(beside), WeightsToml)
    except ValueError as error:
        raise WeightsError(f"{beside.name} can't be used: {error}.") from error


def count_refusal(weights: Path, wanted: str, got: int) -> WeightsError:
    """Make the error of a TOML with another number of classes than the weights have."""
    return WeightsError(
        f"{weights.with_suffix('.toml').name} must name the classes of {weights.name}, "
        f"classes = [...], without the background: {wanted}, got {got}."
    )
