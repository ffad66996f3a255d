"""``kpviewer train``: trains a model from annotations."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kpviewer.annotations.spec import FORMS
from kpviewer.cli.path_types import FolderPath

if TYPE_CHECKING:
    from kpviewer.models.base import Detector

IMAGE = "predictions.png"


@click.command()
@click.argument("recipe")
@click.option("--data", "data_specs", multiple=True, required=True, metavar="SPEC",
              help=f"Training data; repeat to add more. {FORMS}, or a path alone.")  # fmt: skip
@click.option("--val", "val_spec", metavar="SPEC",
              help="Score each checkpoint on these data and keep the best.")  # fmt: skip
@click.option("--out", "out_dir", required=True, type=FolderPath(),
              help="Folder for checkpoints, the log and the weights.")  # fmt: skip
@click.option("--resume", is_flag=True, help="Continue from the last checkpoint in --out.")
@click.option("--find-lr", is_flag=True,
              help="Only find a learning rate: lr_finder.png and .csv in --out.")  # fmt: skip
@click.option(
    "--skip-bad",
    is_flag=True,
    help="Leave out bad entries of the data (see check-data) and start anyway.",
)
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE",
              help="Change the recipe, such as steps=2000; repeat to change more.")  # fmt: skip
@click.option("--device", default="auto", help="auto, cpu, cuda or cuda:N.")
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
    """Train a model with RECIPE, the name of a shipped one or a TOML file.

    For boxes of any classes: light-ssd, yolov3 or faster-rcnn. For keypoints: face-points in boxes,
    head-centre in whole images. For classes of whole images: multilabel. An unknown name lists all.

    The data are checked first. Each checkpoint writes weights, scores (--val), progress.png, and
    predictions.png: predictions on a few images, with the ground truth as dashed lines.
    """
    if "TORCHELASTIC_RUN_ID" in os.environ:  # several processes, started by torchrun
        # Else torch warns in each that all parameters were used, though later batches may not.
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    from kpviewer.cli.data_problems import GENERATED, checked_specs, is_first_process
    from kpviewer.evaluation.checkpoints import Scorer
    from kpviewer.training.config import load_config
    from kpviewer.training.resuming import check_folder
    from kpviewer.training.run import find_learning_rate, train

    config = load_config(recipe, list(changes))
    if find_lr and resume:
        raise click.UsageError("--find-lr begins with the weights of the recipe, without --resume.")
    if not find_lr:
        check_folder(out_dir, resume=resume)  # before the data are read
    specs, val_spec = checked_specs(data_specs, val_spec, skip_bad=skip_bad)
    if config.patience and val_spec is None:
        raise click.UsageError("patience needs scores. Name the data to score on: --val SPEC.")
    scorer = None if val_spec is None else Scorer(val_spec, config, out_dir, device)
    check = None if scorer is None else scorer.check
    if find_lr:
        rate = find_learning_rate(config, specs, out_dir, device=device, check=check)
        click.echo(f"Try --set learning_rate={rate:.1e}. The curve is in {out_dir}")
        return
    shown = val_spec or specs[0]
    path = train(
        config,
        specs,
        out_dir,
        resume=resume,
        device=device,
        validate=scorer,
        check=check,
        val_spec=val_spec,
        show=None if shown == GENERATED else prediction_images(shown, out_dir, device),
    )
    if is_first_process():
        click.echo(f"Weights written to {path}")


def prediction_images(spec: str, out_dir: Path, device: str) -> Callable[[Detector], object] | None:
    """Return a function that draws predictions on a few images into ``OUT/predictions.png``.

    None if the set has no image, or Qt can't be loaded.

    Raises:
        DatasetError: if the set can't be read.
    """
    from kpviewer.annotations.spec import read_annotations
    from kpviewer.evaluation.checkpoints import chosen, prediction_tiles, save_tiles
    from kpviewer.evaluation.report import missing_renderer

    data = read_annotations(spec)
    if not chosen(data.images):
        return None
    if reason := missing_renderer():
        click.echo(f"Note: no {IMAGE}, as PyQt6 can't be loaded: {reason}", err=True)
        return None
    return lambda detector: save_tiles(prediction_tiles(detector, data, device), out_dir / IMAGE)
