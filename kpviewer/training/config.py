"""One frozen description of a training run, read from a recipe and changed by ``--set k=v``."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from kpviewer.errors import DatasetError
from kpviewer.shipped import DEFAULT_MODEL
from kpviewer.training.losses import SsdLossOptions
from kpviewer.training.mosaic import MosaicOptions


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """What is trained, and how. The defaults are those of a recipe that says nothing."""

    model: str = DEFAULT_MODEL
    """Architecture, as ``models.weights`` knows it."""
    init: str = ""
    """Weights to start from, a shipped name or a file; none: random ones."""
    pseudo_points: bool = True
    """Whether points that a detector placed (``pseudo`` in the data) teach where points are."""
    steps: int = 6000
    batch: int = 32
    sides: tuple[int, ...] = (256, 320)
    """Input sides, px, in the order of training: small first, which is cheaper."""
    side_shares: tuple[float, ...] = (0.7, 0.3)
    """Share of the steps at each side."""
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warmup_steps: int = 300
    ema_decay: float = 0.998
    clip_norm: float = 10.0
    workers: int = 1
    seed: int = 0
    occluded_share: float = 0.2
    save_every: int = 500
    mosaic: MosaicOptions = field(default_factory=MosaicOptions)
    loss: SsdLossOptions = field(default_factory=SsdLossOptions)


def load_config(recipe: str, changes: list[str] | None = None) -> TrainConfig:
    """Read a recipe.

    Args:
        recipe: the name of a shipped recipe, or the path of a TOML file.
        changes: "key=value" or "table.key=value" pairs that replace what the recipe says.

    Raises:
        DatasetError: if there is no such recipe, or a key or value doesn't fit.
    """
    path = Path(recipe)
    shipped = resources.files("kpviewer.training") / "recipes" / f"{recipe}.toml"
    if path.suffix == ".toml" and path.is_file():
        text = path.read_text(encoding="utf-8")
    elif shipped.is_file():
        text = shipped.read_text(encoding="utf-8")
    else:
        raise DatasetError(f"No recipe is called {recipe!r}. Give a shipped name or a .toml file.")
    try:
        raw = tomllib.loads(text)
        for change in changes or []:
            _apply(raw, change)
    except tomllib.TOMLDecodeError as error:
        raise DatasetError(f"The recipe or a --set value isn't valid TOML: {error}.") from error
    config: TrainConfig = _build(TrainConfig, raw)
    return config


def _apply(raw: dict[str, Any], change: str) -> None:
    key, found, value = change.partition("=")
    if not found:
        raise DatasetError(f"--set wants key=value, got {change!r}.")
    *tables, name = key.strip().split(".")
    for table in tables:
        raw = raw.setdefault(table, {})
    try:
        raw[name] = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        raw[name] = value


def _build(kind: type[Any], raw: dict[str, Any]) -> Any:
    """Fill a dataclass from a table, tables within it included."""
    known = {item.name: item for item in dataclasses.fields(kind)}
    unknown = sorted(set(raw) - set(known))
    if unknown:
        raise DatasetError(f"Unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}.")
    values = {}
    for name, value in raw.items():
        default = known[name].default_factory
        if isinstance(value, dict) and isinstance(default, type):
            values[name] = _build(default, value)
        else:
            values[name] = tuple(value) if isinstance(value, list) else value
    return kind(**values)
