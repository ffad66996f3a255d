"""``kpviewer train``: from annotations to a weight file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kpviewer.models.base import Detector


@click.command()
@click.argument("recipe")
@click.option("--data", "data_specs", multiple=True, required=True, metavar="SPEC",
              help="coco:FILE[:IMAGES] or voc:DIR[:SPLIT]; give it again to add more.")  # fmt: skip
@click.option("--val", "val_spec", metavar="SPEC",
              help="Score each checkpoint on these data, and keep the best.")  # fmt: skip
@click.option("--out", "out_dir", required=True, type=click.Path(path_type=Path, file_okay=False),
              help="Folder for checkpoints, the log and the weights.")  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint in --out.")
@click.option("--find-lr", is_flag=True,
              help="Only try learning rates: lr_finder.png and .csv in --out.")  # fmt: skip
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
    changes: tuple[str, ...],
    device: str,
) -> None:
    """Train a model by RECIPE (a shipped name such as face-ssd, or a TOML file)."""
    from kpviewer.training.config import load_config
    from kpviewer.training.distributed import is_first_process
    from kpviewer.training.run import find_learning_rate, train

    config = load_config(recipe, list(changes))
    if find_lr:
        rate = find_learning_rate(config, data_specs, out_dir, device=device)
        click.echo(f"Try --set learning_rate={rate:.1e}. The curve is in {out_dir}")
        return
    path = train(
        config,
        data_specs,
        out_dir,
        resume=resume,
        device=device,
        validate=None if val_spec is None else _validation(val_spec, device),
    )
    if is_first_process():
        click.echo(f"Weights written to {path}")


def _validation(spec: str, device: str) -> Callable[[Detector], dict[str, float]]:
    """Read a data set; give what scores a detector on it.

    Raises:
        DatasetError: if it can't be read.
    """
    from kpviewer.annotations.classes import align_classes, shared_classes
    from kpviewer.annotations.spec import read_annotations
    from kpviewer.runtime.evaluation import evaluate
    from kpviewer.runtime.executor import Executor
    from kpviewer.sources.images import load_picture

    annotations = read_annotations(spec)

    def validate(detector: Detector) -> dict[str, float]:
        names = detector.spec.class_names
        classes = shared_classes(annotations, names) or None
        engine = Executor(detector, device, "fp32", "torch")
        report = evaluate(
            lambda bgr: engine.infer(bgr)[0],
            align_classes(annotations, names),
            load_picture,
            thresholds=replace(detector.spec.thresholds, classes=classes),
        )
        precision, error = report.overall.precision, report.overall.keypoints.mean
        scores = {"AP@[.5:.95]": precision.ap or 0.0, "AP@0.5": precision.ap50 or 0.0}
        if annotations.keypoint_names:  # the same scores each time: nothing found is the worst
            scores["1 - NME"] = 0.0 if error is None else 1 - error
        return scores

    return validate
