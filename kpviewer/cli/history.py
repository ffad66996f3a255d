"""``kpviewer history``: trains, scores and times the systems of the history of detection."""

import shlex
import sys
from pathlib import Path

import click

from kpviewer.cli.options import device_option
from kpviewer.cli.path_types import FolderPath
from kpviewer.models.names.architectures import IMAGE_BACKBONES


@click.command()
@click.option("--data", "data_spec", required=True, metavar="SPEC",
              help="Training data, such as voc:DIR; without --val a data set with the splits train "
                   "and test.")  # fmt: skip
@click.option("--val", "val_spec", metavar="SPEC", help="Test data.")
@click.option("--out", "out_dir", required=True, type=FolderPath(),
              help="Folder for the page, and a folder for each system.")  # fmt: skip
@click.option("--families", metavar="A,B", help="Only these systems, by comma.  [default: all]")
@click.option("--images", type=click.IntRange(1, 10**9), default=16_000,
              help="Images that each system sees in training.")  # fmt: skip
@click.option("--backbone", type=click.Choice(IMAGE_BACKBONES),
              default="light", help="Backbone of every system.")  # fmt: skip
@click.option("--init", metavar="WEIGHTS",
              help="Weights that every backbone starts from, such as face-ssd.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0,
              help="Seed of weights and samples.")  # fmt: skip
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE",
              help="Change every recipe alike, such as scenes.mirror=false.")  # fmt: skip
@click.option("--timed", type=click.IntRange(1, 1000), default=12,
              help="Test images that times are measured on.")  # fmt: skip
@click.option("--skip-bad", is_flag=True,
              help="Leave out bad entries of the data (see check-data).")  # fmt: skip
@device_option
def command(
    *,
    data_spec: str,
    val_spec: str | None,
    out_dir: Path,
    families: str | None,
    images: int,
    backbone: str,
    init: str | None,
    seed: int,
    changes: tuple[str, ...],
    timed: int,
    skip_bad: bool,
    device: str,
) -> None:
    """Train every detection system alike, and compare them on one page.

    Every system gets the same backbone, number of images, augmentation, input size and seed. OUT
    gets index.html and history.json: average precision, time by stage, memory, size, and what each
    detects on the same images.

    Training and test data are checked first, as by train. The same command again continues after an
    interruption: trained systems aren't trained again, and times are measured anew. If a system
    fails, the page says why, the others go on, and the exit code is 1.
    """
    from kpviewer.cli.data_problems import checked_specs
    from kpviewer.cli.eval import read_data
    from kpviewer.history.results import Request
    from kpviewer.history.run import write_history
    from kpviewer.history.settings import Budget

    keys = _known(families)
    train_spec = data_spec if val_spec else f"{data_spec}:train"
    test_spec = val_spec or f"{data_spec}:test"
    specs, usable_test = checked_specs([train_spec], test_spec, skip_bad=skip_bad)
    request = Request(
        families=keys,
        data_specs=specs,
        test_spec=test_spec,
        test=read_data(usable_test or test_spec),
        budget=Budget(images, backbone, init or "", seed, changes),
        timed_images=timed,
        device=device,
        command=shlex.join(["kpviewer", *sys.argv[1:]]),
    )
    history = write_history(request, out_dir, lambda line: click.echo(line, err=True))
    failed = [each for each in history.families if each.failure]
    for each in failed:
        click.echo(f"{each.family.title} failed: {each.failure}", err=True)
    click.echo(f"Page written to {out_dir / 'index.html'}")
    if failed:
        raise click.exceptions.Exit(1)


def _known(families: str | None) -> tuple[str, ...]:
    """Return the keys of the families that were named, in the order of their papers.

    Raises:
        click.BadParameter: if one isn't known.
    """
    from kpviewer.history.families import FAMILIES

    if families is None:
        return tuple(FAMILIES)
    named = [each.strip() for each in families.split(",")]
    unknown = [each for each in named if each not in FAMILIES]
    if unknown:
        raise click.BadParameter(
            f"systems are {', '.join(FAMILIES)}, got {unknown[0]!r}", param_hint="--families"
        )
    return tuple(key for key in FAMILIES if key in named)
