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
    from kpviewer.cli.prediction_pictures import prediction_pictures
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
        validate=None if val_spec is None else _validation(val_spec, device, out_dir, config),
        show=None if shown == GENERATED else prediction_pictures(shown, out_dir, device),
    )
    if is_first_process():
        click.echo(f"Weights written to {path}")


def _validation(
    spec: str, device: str, out_dir: Path, config: TrainConfig
) -> Callable[[Detector], dict[str, float]]:
    """Read a data set; give what scores a detector on it.

    Raises:
        DatasetError: if it can't be read.
    """
    from kpviewer.annotations.classes import align_classes, shared_classes
    from kpviewer.annotations.spec import read_annotations
    from kpviewer.cli.eval_points import validate_points
    from kpviewer.cli.label_scores import validate_labels
    from kpviewer.cli.single_scores import scored_singles, single_scores, validation_scores
    from kpviewer.metrics.multilabel import SWEPT
    from kpviewer.models.multilabel import MultilabelDetector
    from kpviewer.models.points import PointDetector
    from kpviewer.models.single_object import SINGLE_OBJECT_ARCHITECTURES
    from kpviewer.runtime.evaluation import evaluate
    from kpviewer.runtime.executor import Executor
    from kpviewer.sources.images import load_picture

    annotations = read_annotations(spec)
    if config.family == "single":
        scored_singles(annotations)  # before the first step, not at the first checkpoint

    def validate(detector: Detector) -> dict[str, float]:
        if isinstance(detector, PointDetector):
            return validate_points(detector, annotations, device)
        names = detector.spec.class_names
        classes = shared_classes(annotations, names) or None
        engine = Executor(detector, device, "fp32", "torch")
        aligned = align_classes(annotations, names)
        if isinstance(detector, MultilabelDetector):
            by = str(config.options.get("sweep", SWEPT[0]))
            return validate_labels(detector, engine, aligned, classes, out_dir, by)
        if detector.spec.architecture in SINGLE_OBJECT_ARCHITECTURES:
            aligned = scored_singles(aligned)
        report = evaluate(
            lambda bgr: engine.infer(bgr)[0],
            aligned,
            load_picture,
            thresholds=replace(detector.spec.thresholds, classes=classes),
        )
        precision, error = report.overall.precision, report.overall.keypoints.mean
        scores = {"AP@[.5:.95]": precision.ap or 0.0, "AP@0.5": precision.ap50 or 0.0}
        scores |= validation_scores(single_scores(report.seen, aligned, detector.spec))
        if annotations.keypoint_names:  # the same scores each time: nothing found is the worst
            scores["1 - NME"] = 0.0 if error is None else 1 - error
        return scores

    return validate
