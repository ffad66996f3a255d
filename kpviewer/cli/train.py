"""``kpviewer train``: from annotations to a weight file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kpviewer.cli.options import NamedPath

if TYPE_CHECKING:
    from kpviewer.models.base import Detector
    from kpviewer.training.config import TrainConfig

PICTURE = "predictions.png"


@click.command()
@click.argument("recipe")
@click.option("--data", "data_specs", multiple=True, required=True, metavar="SPEC",
              help="coco:FILE[:IMAGES] or voc:DIR[:SPLIT]; give it again to add more.")  # fmt: skip
@click.option("--val", "val_spec", metavar="SPEC",
              help="Score each checkpoint on these data, and keep the best.")  # fmt: skip
@click.option("--out", "out_dir", required=True, type=NamedPath(file_okay=False),
              help="Folder for checkpoints, the log and the weights.")  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint in --out.")
@click.option("--find-lr", is_flag=True,
              help="Only try learning rates: lr_finder.png and .csv in --out.")  # fmt: skip
@click.option(
    "--skip-bad",
    is_flag=True,
    help="Leave out what is wrong in the data (see check-data) and start all the same.",
)
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change the recipe.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
def command(
    *,
    recipe: str,
    data_specs: tuple[str, ...],
    val_spec: str | None,
    out_dir: Path,
    resume: bool,
    find_lr: bool,
    skip_bad: bool,
    changes: tuple[str, ...],
    device: str,
) -> None:
    """Train a model by RECIPE (a shipped name such as face-ssd, or a TOML file).

    The data are checked first. Each checkpoint writes weights, scores (--val), progress.png, and
    predictions.png: what the model sees in a few pictures, and the truth, dashed.
    """
    from kpviewer.cli.data_problems import GENERATED, checked_specs
    from kpviewer.training.config import load_config
    from kpviewer.training.distributed import is_first_process
    from kpviewer.training.run import find_learning_rate, train

    config = load_config(recipe, list(changes))
    specs, val_spec = checked_specs(data_specs, val_spec, skip_bad=skip_bad)
    if config.patience and val_spec is None:
        raise click.UsageError("patience counts scores. Give the data to score on: --val SPEC.")
    if find_lr:
        rate = find_learning_rate(config, specs, out_dir, device=device)
        click.echo(f"Try --set learning_rate={rate:.1e}. The curve is in {out_dir}")
        return
    shown = val_spec or specs[0]
    path = train(
        config,
        specs,
        out_dir,
        resume=resume,
        device=device,
        validate=None if val_spec is None else make_scorer(val_spec, device, out_dir, config),
        show=None if shown == GENERATED else prediction_pictures(shown, out_dir, device),
    )
    if is_first_process():
        click.echo(f"Weights written to {path}")


def make_scorer(
    spec: str, device: str, out_dir: Path, config: TrainConfig
) -> Callable[[Detector], dict[str, float]]:
    """Read a data set and return a function that scores a detector on it.

    The detector gets the thresholds that are best on the data, and what belongs beside the scores
    is written to ``out_dir``.

    Raises:
        DatasetError: if the data can't be read, or the recipe's model can't be scored on them.
    """
    from kpviewer.annotations.spec import read_annotations
    from kpviewer.evaluation.evaluator import evaluate, kind_of
    from kpviewer.evaluation.kind import TRAINING

    data = read_annotations(spec)
    kind_of(config.model).usable(data)  # before the first step, not at the first checkpoint
    sweep_by = str(config.options.get("sweep", TRAINING.sweep_by))
    options = replace(TRAINING, device=device, sweep_by=sweep_by)

    def score(detector: Detector) -> dict[str, float]:
        report = evaluate(detector, data, options)
        report.tune(detector)
        for name, content in report.files().items():
            (out_dir / name).write_bytes(content)
        return report.summary()

    return score


def prediction_pictures(
    spec: str, out_dir: Path, device: str
) -> Callable[[Detector], object] | None:
    """Return a function that draws predictions on a few images into ``OUT/predictions.png``.

    None where the set has no image, or nothing can be drawn.

    Raises:
        DatasetError: if the set can't be read.
    """
    from kpviewer.annotations.spec import read_annotations
    from kpviewer.evaluation.report import missing_renderer
    from kpviewer.evaluation.tiles import chosen, prediction_tiles, save_tiles

    data = read_annotations(spec)
    if not chosen(data.images):
        return None
    if reason := missing_renderer():
        click.echo(f"Note: no {PICTURE}, as PyQt6 can't be loaded: {reason}", err=True)
        return None
    return lambda detector: save_tiles(prediction_tiles(detector, data, device), out_dir / PICTURE)
