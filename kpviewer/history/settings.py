"""Settings of a history, and the configuration of each family that follows from them."""

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.history.families import Family
from kpviewer.models.files.catalogue import find_weights
from kpviewer.system.paths import file_digest
from kpviewer.training.config import TrainConfig, load_config

COMMON = ("batch=8", "accumulate=1", "inputs=[320]", "input_shares=[1.0]", "scenes={}")
"""Changes to every recipe: one batch, one input, and one augmentation, the default of scenes."""
WARM_UP_SHARE = 0.1
"""Largest share of the steps in which the learning rate rises: recipes are made for longer runs."""
_OWN = ("steps", "epochs", "seed", "family", "model", "name", "init", "pretrained", "patience")
"""Keys of recipes that a history sets itself."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What is the same for every family."""

    images: int = 16_000
    """Number of images seen in training, repetitions included."""
    backbone: str = "light"
    """Backbone, one of ``models.names.architectures.IMAGE_BACKBONES``."""
    init: str = ""
    """Weights that the backbone starts from; empty: random weights."""
    seed: int = 0
    """Seed of weights and samples."""
    changes: tuple[str, ...] = ()
    """``key=value`` changes to every recipe, after ``COMMON``."""


def config_of(family: Family, budget: Budget) -> TrainConfig:
    """Return the configuration of a family's training run.

    Raises:
        DatasetError: if the family has no such backbone, or a change can't be made.
    """
    if budget.backbone not in family.architectures:
        raise DatasetError(
            f"{family.title} has no backbone {budget.backbone!r}, only "
            f"{', '.join(sorted(family.architectures))}. Leave it out with --families."
        )
    _check_changes(budget.changes)
    config = load_config(family.recipe, [*COMMON, *family.changes, *budget.changes])
    steps = math.ceil(budget.images / (config.batch * config.accumulate))
    options = {key: value for key, value in config.options.items() if key != "name"}
    if family.start_key == "pretrained":
        options["pretrained"] = budget.init
    return replace(
        config,
        model=family.architectures[budget.backbone],
        init=budget.init if family.start_key == "init" else "",
        steps=steps,
        epochs=0.0,
        warmup_steps=min(config.warmup_steps, round(steps * WARM_UP_SHARE)),
        patience=0,
        seed=budget.seed,
        options=options,
    )


def _check_changes(changes: Iterable[str]) -> None:
    for change in changes:
        key = change.partition("=")[0].strip()
        if key in _OWN:
            raise DatasetError(
                f"--set {key}: a history sets {key} itself, alike for every family. "
                "Use --images, --seed, --backbone or --init."
            )


def fingerprint(config: TrainConfig, data: Iterable[AnnotationSet]) -> str:
    """Return a hash of all that a training run depends on, except the pixels and the code."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(json.dumps(asdict(config), sort_keys=True).encode())
    for each in data:
        digest.update(digest_of(each).encode())
    start = config.init or str(config.options.get("pretrained", ""))
    if start and start != "imagenet":
        digest.update(file_digest(find_weights(start)))
    return digest.hexdigest()


def digest_of(data: AnnotationSet) -> str:
    """Return a hash of the names, file names and boxes of a set, and of which are difficult."""
    digest = hashlib.blake2b(repr(data.class_names).encode("utf-8", "replace"), digest_size=16)
    for image in data.images:
        digest.update(image.path.name.encode("utf-8", "replace"))
        digest.update(image.targets.xyxy.tobytes() + image.targets.class_ids.tobytes())
        if image.targets.difficult.any():
            digest.update(image.targets.difficult.tobytes())
    return digest.hexdigest()
