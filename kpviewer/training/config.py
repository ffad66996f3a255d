"""One frozen description of a training run, read from a recipe and changed by ``--set k=v``."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, TypeVar, get_type_hints

import msgspec

from kpviewer.errors import DatasetError
from kpviewer.paths import named_path, shortened
from kpviewer.shipped import DEFAULT_MODEL

T = TypeVar("T")

SCHEDULES = ("cosine", "one-cycle", "multistep", "constant")
PRECISIONS = ("fp32", "bf16", "fp16")
AUTO = "auto"


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """What is trained, and how. The defaults are those of a recipe that says nothing."""

    family: str = "ssd"
    """What reads the data and knows the losses, as ``training.families`` names it."""
    model: str = DEFAULT_MODEL
    """Architecture, as ``models.weights`` knows it."""
    init: str = ""
    """Weights to start from, a shipped name or a file; none: random ones."""
    steps: int = 6000
    epochs: float = 0.0
    """Length of the run in epochs of the data (``training.epochs``) instead; 0: ``steps`` says."""
    batch: int = 32
    """Images that go through the network at once, in each process."""
    accumulate: int = 1
    """Batches whose gradients make one step: a larger batch than fits into the memory."""
    inputs: tuple[Any, ...] = (256, 320)
    """Input sizes, px, in the order of training: a side, or [height, width]. Small ones first,
    which are cheaper."""
    input_shares: tuple[float, ...] = (0.7, 0.3)
    """Share of the steps at each size."""
    learning_rate: float = 2e-3
    """The greatest of the run."""
    schedule: str = "cosine"
    """How the rate goes: "cosine", "one-cycle", "multistep" or "constant"."""
    warmup_steps: int = 300
    """Steps in which the rate rises to its peak; a one-cycle has a rise of its own."""
    milestones: tuple[float, ...] = (0.6, 0.85)
    """Where a multistep rate falls, as shares of the steps."""
    decay: float = 0.1
    """What a multistep rate is multiplied by there."""
    weight_decay: float = 0.02
    ema_decay: float = 0.998
    clip_norm: float = 10.0
    precision: str = "fp32"
    """What the network computes in: "fp32"; or "bf16" or "fp16" where torch's autocast thinks it
    safe. Weights, their average and the optimiser stay in fp32. "fp16" needs CUDA."""
    cudnn_benchmark: bool = True
    """On CUDA, let cuDNN try its algorithms for each new size: pays where sizes stay the same."""
    workers: int = 1
    """Processes that make images, for each process that trains."""
    seed: int = 0
    save_every: int = 500
    """Steps between checkpoints."""
    log_every: int = 50
    """Steps between lines of the log; the losses in it are smoothed over about 50."""
    patience: int = 0
    """Checkpoints without a better score after which the run ends; 0: it goes to the last step."""
    tensorboard: bool | str = AUTO
    """Whether to write for TensorBoard too; "auto": where the package is installed."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What the recipe says beside the above: the family's own settings."""

    def __post_init__(self) -> None:
        """Check what the loop relies on."""
        if len(self.inputs) != len(self.input_shares) or not self.inputs:
            raise DatasetError(
                f"A recipe has one of input_shares for each of inputs, got {self.inputs} and "
                f"{self.input_shares}."
            )
        _check_choice("schedule", self.schedule, SCHEDULES)
        _check_choice("precision", self.precision, PRECISIONS)
        _check_choice("tensorboard", self.tensorboard, (True, False, AUTO))
        for name in ("steps", "batch", "accumulate", "save_every", "log_every"):
            if getattr(self, name) < 1:
                raise DatasetError(f"{name} must be at least 1, got {getattr(self, name)}.")
        if self.epochs < 0:
            raise DatasetError(f"epochs must be positive, or 0 for steps, got {self.epochs}.")
        if not all(0 < share < 1 for share in self.milestones):
            raise DatasetError(f"milestones are shares between 0 and 1, got {self.milestones}.")


def load_config(recipe: str, changes: list[str] | None = None) -> TrainConfig:
    """Read a recipe.

    Args:
        recipe: the name of a shipped recipe, or the path of a TOML file.
        changes: "key=value" or "table.key=value" pairs that replace what the recipe says.

    Raises:
        DatasetError: if there is no such recipe, or a key or value doesn't fit.
    """
    try:
        raw = tomllib.loads(_text_of(recipe))
        for change in changes or []:
            _apply(raw, change)
    except (ValueError, RecursionError) as error:  # what TOML, UTF-8 and Python's numbers refuse
        raise DatasetError(f"The recipe or a --set value isn't valid TOML: {error}.") from error
    general = {item.name for item in dataclasses.fields(TrainConfig)} - {"options"}
    config: TrainConfig = _build(TrainConfig, {k: v for k, v in raw.items() if k in general})
    own = {key: value for key, value in raw.items() if key not in general}
    return dataclasses.replace(config, options=own)


def _text_of(recipe: str) -> str:
    path = named_path(recipe, DatasetError)
    if path.suffix == ".toml" and path.is_file():
        return path.read_text(encoding="utf-8")
    shipped = resources.files("kpviewer.training") / "recipes"
    names = {each.name.removesuffix(".toml"): each for each in shipped.iterdir()}
    if recipe not in names:
        raise DatasetError(
            f"No recipe is called {shortened(recipe)!r}. Give a shipped name or a .toml file."
        )
    return names[recipe].read_text(encoding="utf-8")


_RENAMED_VALUES = {("order", "trunk-first"): "backbone-first", ("crop", "picture"): "image"}
"""Keys and values of version 0.1's recipes, and what the values are called now."""
_RENAMED_KEYS = {"looks": "tta_runs"}
"""Keys of version 0.1's recipes, and what they are called now."""


def _current(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a family's part of a recipe by the current names of its keys and values."""
    values = {key: now for (key, old), now in _RENAMED_VALUES.items() if options.get(key) == old}
    return {_RENAMED_KEYS.get(key, key): value for key, value in {**options, **values}.items()}


def family_options(kind: type[T], config: TrainConfig) -> T:
    """Fill a family's options from what its recipe says.

    Raises:
        DatasetError: if a key isn't known.
    """
    options: T = _build(kind, _current(config.options))
    return options


def _check_choice(name: str, value: object, choices: tuple[object, ...]) -> None:
    if value not in choices:
        listed = ", ".join(str(choice).lower() for choice in choices)
        raise DatasetError(f"{name} must be one of {listed}, got {value!r}.")


def _apply(raw: dict[str, Any], change: str) -> None:
    key, found, value = change.partition("=")
    if not found:
        raise DatasetError(f"--set wants key=value, got {change!r}.")
    *tables, name = key.strip().split(".")
    for table in tables:
        raw = raw.setdefault(table, {})
        if not isinstance(raw, dict):
            raise DatasetError(f"--set {key.strip()}: {table} holds no further keys.")
    try:
        raw[name] = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        raw[name] = value  # a text needs no quotes


def _build(kind: type[Any], raw: dict[str, Any]) -> Any:
    """Fill a dataclass from a table, tables within it included."""
    known = {item.name: item for item in dataclasses.fields(kind)}
    unknown = sorted(set(raw) - set(known))
    if unknown:
        raise DatasetError(
            f"Unknown key {unknown[0]!r} in the recipe; known are {', '.join(sorted(known))}."
        )
    types = get_type_hints(kind)
    values = {}
    for name, value in raw.items():
        default = known[name].default_factory
        if isinstance(value, dict) and dataclasses.is_dataclass(default):
            values[name] = _build(default, value)
        else:
            values[name] = _typed(name, value, types[name])
    return kind(**values)


def _typed(name: str, value: Any, kind: Any) -> Any:
    """Return a value of a recipe as the type that its field has; lists as tuples."""
    if isinstance(value, float) and not math.isfinite(value):
        raise DatasetError(f"{name} in the recipe must be a finite number, got {value}.")
    try:
        converted = msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise DatasetError(f"{name} in the recipe, {value!r}, is wrong: {error}.") from None
    return tuple(converted) if isinstance(converted, list) else converted
