"""``kpviewer train``: from annotations to a weight file."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("recipe")
@click.option("--data", "data_specs", multiple=True, required=True, metavar="SPEC",
              help="coco:FILE[:IMAGES] or voc:DIR[:SPLIT]; give it again to add more.")  # fmt: skip
@click.option("--out", "out_dir", required=True, type=click.Path(path_type=Path, file_okay=False),
              help="Folder for checkpoints, the log and the weights.")  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint in --out.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change the recipe.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
def command(
    recipe: str,
    data_specs: tuple[str, ...],
    out_dir: Path,
    resume: bool,
    changes: tuple[str, ...],
    device: str,
) -> None:
    """Train a model by RECIPE (a shipped name such as face-ssd, or a TOML file)."""
    from kpviewer.training.run import train_recipe

    path = train_recipe(
        recipe, data_specs, out_dir, resume=resume, changes=list(changes), device=device
    )
    click.echo(f"Weights written to {path}")
