"""Compare kpviewer with the makers of models: the same ONNX file and image through both.

The makers' packages need an environment of their own, kpviewer included:

    python3.11 -m venv build/layouts
    build/layouts/bin/pip install -e . -r benchmarks/layouts-requirements.txt
    build/layouts/bin/python -m benchmarks.layouts --folder build/layouts-files

Weights are random, of fixed seeds, with class scores spread from 0 to 0.92, so nothing is
downloaded. Steps: ``export`` writes the files, ``expect`` runs their makers' code on five images,
``compare`` runs kpviewer and prints the table. What is there already is kept, so that ``compare``
alone needs no maker's package: any environment with kpviewer will do.

Where a package can't be had, a tiny network has the layout that its source describes, and its
pre- and post-processing is written down here again, with the source in the docstring.
"""

import importlib
import traceback
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import click

import kpviewer
from benchmarks.layouts.common import Network, make_images, read_results, write_results
from benchmarks.layouts.compare import Row, compare, table

ZOOS = (
    "ultralytics_zoo",
    "yolo_layouts",
    "rfdetr_zoo",
    "torchvision_zoo",
    "face_pose_layouts",
)
STEPS = ("export", "expect", "compare")
PHOTOGRAPH = Path(kpviewer.__file__).parent / "assets" / "eileen_collins.webp"


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), required=True, help="For all files.")
@click.option("--step", "steps", type=click.Choice(STEPS), multiple=True, help="Only these.")
@click.option("--only", default="*", help="Pattern of names, such as 'ultralytics-26n*'.")
@click.option("--photograph", type=click.Path(path_type=Path), default=PHOTOGRAPH)
@click.option("--again", is_flag=True, help="Replace files that are there.")
def main(folder: Path, steps: tuple[str, ...], only: str, photograph: Path, again: bool) -> None:
    """Export networks, run their makers' code and kpviewer, and print the differences."""
    steps = steps or STEPS
    images = make_images(photograph, folder / "images")
    if "export" in steps or "expect" in steps:
        _prepare(folder, steps, only, images, again)
    if "compare" in steps:
        files = sorted((folder / "expected").glob("*.json"))
        print(table([_row(folder, each, images) for each in files if fnmatch(each.stem, only)]))


def _row(folder: Path, expected: Path, images: dict) -> Row:
    opens, results = read_results(expected)
    path = folder / "models" / f"{expected.stem}.onnx"
    spec = opens.replace("FOLDER", str(path.parent)) if opens else str(path)
    return compare(expected.stem, spec, images, results)


def _prepare(folder: Path, steps: tuple[str, ...], only: str, images: dict, again: bool) -> None:
    """Export networks, and write what their makers' code gives."""
    (folder / "models").mkdir(exist_ok=True)
    for network in _networks(images):
        if not fnmatch(network.name, only):
            continue
        path = folder / "models" / f"{network.name}.onnx"
        expected = folder / "expected" / f"{network.name}.json"
        try:
            if "export" in steps and (again or not path.exists()):
                network.write(path)
            if "expect" in steps and (again or not expected.exists()):
                results = {key: network.predict(path, image) for key, image in images.items()}
                write_results(expected, network.opens, results)
        except Exception:
            print(f"{network.name} failed:")
            traceback.print_exc()


def _networks(images: dict) -> Iterator[Network]:
    for name in ZOOS:
        yield from importlib.import_module(f"benchmarks.layouts.{name}").networks(images)


if __name__ == "__main__":
    main()
