"""Configuration of a training run, read from a recipe and changed by ``--set key=value``."""

import dataclasses
import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Literal, TypeAlias, TypeVar, get_args, get_type_hints

from kpviewer.errors import DatasetError
from kpviewer.models.limits import MAX_SIDE_PX
from kpviewer.models.tables import converted, shown
from kpviewer.shipped import DEFAULT_MODEL
from kpviewer.system.paths import named_path, shortened
from kpviewer.training.ranges import (
    BatchSize,
    Count,
    CountOrZero,
    InnerShare,
    NotNegative,
    Positive,
    Seed,
    Share,
    ShareBelowOne,
    Workers,
)

T = TypeVar("T")

Schedule: TypeAlias = Literal["cosine", "one-cycle", "multistep", "constant"]
SCHEDULES: tuple[str, ...] = get_args(Schedule)
Precision: TypeAlias = Literal["fp32", "bf16", "fp16"]
AUTO = "auto"


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Configuration of a training run. The defaults hold where a recipe leaves a key out."""

    family: str = "ssd"
    """Name of the family of models, a key of ``training.families.registry.FAMILIES``."""
    model: str = DEFAULT_MODEL
    """Name of the architecture, as in ``models.networks.architectures``."""
    init: str = ""
    """Name or file of the weights to start from; empty: random weights."""
    steps: Count = 6000
    epochs: NotNegative = 0.0
    """Length of the run in epochs of the data (``training.schedule``); 0: ``steps`` applies."""
    batch: BatchSize = 32
    """Number of images in one forward pass, for each process."""
    accumulate: BatchSize = 1
    """Number of batches whose gradients make one step: a larger batch than fits into memory."""
    inputs: tuple[int | tuple[int, ...], ...] = (256, 320)
    """Input sizes, px, in the order of training: a side, or [height, width]. Small ones first,
    which are cheaper; ``inputs_hw`` has them all as pairs."""
    input_shares: tuple[Share, ...] = (0.7, 0.3)
    """Share of the steps at each input size."""
    learning_rate: Positive = 2e-3
    """Highest learning rate of the run."""
    schedule: Schedule = "cosine"
    """Learning-rate schedule."""
    warmup_steps: CountOrZero = 300
    """Number of steps in which the rate rises to its peak; a one-cycle has a rise of its own."""
    milestones: tuple[InnerShare, ...] = (0.6, 0.85)
    """Shares of the steps at which a multistep rate falls."""
    decay: Share = 0.1
    """Factor of a multistep rate at each milestone."""
    weight_decay: NotNegative = 0.02
    """Weight decay of AdamW."""
    ema_decay: ShareBelowOne = 0.998
    """Decay of the moving average of the weights, at each step."""
    clip_norm: Positive = 10.0
    """Largest norm of the gradients; longer ones are shortened."""
    precision: Precision = "fp32"
    """Precision of the forward pass: "bf16" and "fp16" apply where torch's autocast considers them
    safe. Weights, their average and the optimiser stay in fp32. "fp16" requires CUDA."""
    cudnn_benchmark: bool = True
    """Whether cuDNN benchmarks its algorithms for each new size, on CUDA; use it for few sizes."""
    workers: Workers = 1
    """Number of processes that load images, for each process that trains."""
    seed: Seed = 0
    """Seed of weights and samples."""
    save_every: Count = 500
    """Number of steps between checkpoints."""
    log_every: Count = 50
    """Number of steps between lines of the log; its losses are smoothed over about 50 steps."""
    patience: CountOrZero = 0
    """Number of checkpoints without a better score that end the run; 0: the last step ends it."""
    tensorboard: bool | Literal["auto"] = "auto"
    """Whether to write for TensorBoard too; "auto": if the package is installed."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """The recipe's other keys: options of the family."""

    def __post_init__(self) -> None:
        """Check what a single value's type and range can't express."""
        if len(self.inputs) != len(self.input_shares) or not sum(self.input_shares):
            raise DatasetError(
                "A recipe must have one of input_shares for each of inputs, and their sum must be "
                f"above 0, got {self.inputs} and {self.input_shares}."
            )
        for size in self.inputs:
            sides = (size,) if isinstance(size, int) else size
            if len(sides) != 2 - isinstance(size, int) or not all(
                1 <= side <= MAX_SIDE_PX for side in sides
            ):
                raise DatasetError(
                    f"inputs must be sides, or pairs [height, width], of 1 to {MAX_SIDE_PX} px, "
                    f"got {shown(size)}."
                )

    @property
    def inputs_hw(self) -> tuple[tuple[int, int], ...]:
        """Height and width of each input, px, in the order of training."""
        return tuple(
            (size, size) if isinstance(size, int) else (size[0], size[1]) for size in self.inputs
        )

    @property
    def largest_input_hw(self) -> tuple[int, int]:
        """Height and width of the largest input, px: the input of the model itself."""
        return max(self.inputs_hw)


def load_config(recipe: str, changes: list[str] | None = None) -> TrainConfig:
    """Read a recipe.

    Args:
        recipe: the name of a shipped recipe, or the path of a TOML file.
        changes: "key=value" or "table.key=value" pairs that replace values of the recipe.

    Raises:
        DatasetError: if there is no such recipe, or a key or value is wrong.
    """
    try:
        raw = tomllib.loads(_text_of(recipe))
        for change in changes or []:
            _apply(raw, change)
    except (ValueError, RecursionError) as error:  # refused by TOML, UTF-8 or Python's numbers
        raise DatasetError(f"The recipe or a --set value isn't valid TOML: {error}.") from error
    own = {key: value for key, value in raw.items() if key not in _general_keys()}
    general = {key: value for key, value in raw.items() if key not in own}
    return dataclasses.replace(_checked(general, TrainConfig), options=own)


def _general_keys() -> list[str]:
    return [item.name for item in dataclasses.fields(TrainConfig) if item.name != "options"]


def _text_of(recipe: str) -> str:
    path = named_path(recipe, DatasetError)
    if path.suffix == ".toml" and path.is_file():
        return path.read_text(encoding="utf-8")
    shipped = resources.files("kpviewer.training") / "recipes"
    names = {each.name.removesuffix(".toml"): each for each in shipped.iterdir()}
    if recipe not in names:
        raise DatasetError(
            f"No recipe is called {shortened(recipe)!r}. Give a .toml file, or one of "
            f"{', '.join(sorted(names))}."
        )
    return names[recipe].read_text(encoding="utf-8")


_RENAMED_VALUES = {("order", "trunk-first"): "backbone-first", ("crop", "picture"): "image"}
"""Present names of values in recipes of version 0.1, by key and old value."""
_RENAMED_KEYS = {"looks": "tta_runs"}
"""Present names of keys in recipes of version 0.1, by old name."""


def _current(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a family's part of a recipe by the current names of its keys and values."""
    values = {key: now for (key, old), now in _RENAMED_VALUES.items() if options.get(key) == old}
    return {_RENAMED_KEYS.get(key, key): value for key, value in {**options, **values}.items()}


def family_options(kind: type[T], config: TrainConfig) -> T:
    """Return the options of a family, read from the recipe.

    Raises:
        DatasetError: if a key is unknown, or a value is of a wrong type or out of its range.
    """
    return _checked(_current(config.options), kind)


def _apply(raw: dict[str, Any], change: str) -> None:
    key, found, value = change.partition("=")
    if not found:
        raise DatasetError(f"--set requires key=value, got {change!r}.")
    *tables, name = key.strip().split(".")
    for table in tables:
        raw = raw.setdefault(table, {})
        if not isinstance(raw, dict):
            raise DatasetError(f"--set {key.strip()}: {table} holds no further keys.")
    try:
        raw[name] = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        raw[name] = value  # a text needs no quotes


def _checked(table: Mapping[str, Any], kind: type[T]) -> T:
    """Make a dataclass of a table, tables within it included."""
    _check_keys(table, kind)
    for key, value in _numbers(table):
        if not math.isfinite(value):
            raise DatasetError(
                f"The recipe can't be used: {key} must be a finite number, got {value}."
            )
    try:
        return converted(table, kind)
    except ValueError as error:
        raise DatasetError(f"The recipe can't be used: {error}.") from error


def _check_keys(table: Mapping[str, Any], kind: type[Any], place: str = "") -> None:
    """Check that a dataclass has every key of a table, and of the tables within it."""
    types = get_type_hints(kind)
    for key, value in table.items():
        if key not in types:
            known = sorted([*types, *([] if place else _general_keys())])
            raise DatasetError(
                f"The recipe can't be used: {place and place + '.'}{key} is unknown. Known keys "
                f"{f'of [{place}] ' if place else ''}are {', '.join(known)}."
            )
        if dataclasses.is_dataclass(types[key]) and isinstance(value, Mapping):
            _check_keys(value, types[key], f"{place and place + '.'}{key}")


def _numbers(value: object, place: str = "") -> Iterator[tuple[str, float]]:
    """Yield the floating-point numbers in a table, each with its key."""
    if isinstance(value, float):
        yield place, value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _numbers(each, f"{place and place + '.'}{key}")
    elif isinstance(value, list | tuple):
        for index, each in enumerate(value):
            yield from _numbers(each, f"{place}[{index}]")
