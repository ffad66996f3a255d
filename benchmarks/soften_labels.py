"""Moves labelled points part of the way to where trained networks see them.

    python benchmarks/soften_labels.py first.safetensors second.safetensors \
        --data faces/train/annotations.json --share 0.5 --out soft.json

The networks have seen thousands of labels, so what one person's hand added to one of them is mostly
not in their mean. A network that learns from such labels has less of that to learn by heart; on the
faces that face-points was trained on it was no better for it (its card).
Source: Bagherinezhad et al. 2018, Label Refinery (arXiv:1805.02641), section 3.

What it writes is read as coco:soft.json:faces/train/images.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from kpviewer.annotations.coco import read_coco
from kpviewer.evaluation.point_reading import read_points
from kpviewer.models.points import POINT_ARCHITECTURES, PointDetector
from kpviewer.models.spec import MAX_TTA_RUNS
from kpviewer.models.weights import load_model
from kpviewer.sources.images import load_image

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command
@click.argument("teachers", type=FILE, nargs=-1, required=True)
@click.option("--data", type=FILE, required=True, help="COCO keypoints.")
@click.option("--share", type=click.FloatRange(0, 1), required=True, help="1: the networks' alone.")
@click.option("--looks", "runs", type=click.IntRange(1, MAX_TTA_RUNS), default=2, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(teachers: tuple[Path, ...], data: Path, share: float, runs: int, out: Path) -> None:
    """Write the labels of people anew; those of detectors stay."""
    readers = [_with_tta(path, runs) for path in teachers]
    document = json.loads(data.read_text(encoding="utf-8"))
    records: dict[Any, list[dict[str, Any]]] = {}
    for record in document["annotations"]:
        records.setdefault(record["image_id"], []).append(record)
    moves = []
    for image in read_coco(data).images:
        own = records.get(image.image_id, [])
        if len(own) != len(image.targets):
            raise click.ClickException(f"{image.path} has boxes without area. Remove them first.")
        rows = np.flatnonzero(image.keypoints_labelled.any(1) & ~image.pseudo)
        bgr = load_image(image.path) if len(rows) else None
        if bgr is None:
            continue
        boxes = image.targets.xyxy[rows]
        seen = np.mean([read_points(reader, bgr, boxes) for reader in readers], 0)  # (N, K, 2)
        for row, points in zip(rows, seen, strict=True):
            moves.append(_move(own[row], points, share))
    out.write_text(json.dumps(document), encoding="utf-8")
    print(f"{len(moves)} objects, moved by {np.mean(moves):.2f} px on average")


def _with_tta(path: Path, runs: int) -> PointDetector:
    """Open a point model with a number of test-time augmentation runs."""
    trained = load_model(path)
    if not isinstance(trained, PointDetector):
        raise click.ClickException(f"{path} places no points in boxes.")
    spec = dataclasses.replace(trained.spec, tta_runs=runs)
    reader = POINT_ARCHITECTURES[spec.architecture](spec)
    reader.network.load_state_dict(trained.network.state_dict())
    reader.network.eval()
    return reader


def _move(record: dict[str, Any], points: npt.NDArray[Any], share: float) -> float:
    """Move the labelled points of an annotation; the mean distance, px."""
    labels = np.array(record["keypoints"], np.float64).reshape(-1, 3)
    known = labels[:, 2] > 0
    shift = share * (points - labels[:, :2])[known]
    labels[known, :2] += shift
    record["keypoints"] = [
        value for x, y, flag in labels for value in (round(x, 2), round(y, 2), int(flag))
    ]
    return float(np.linalg.norm(shift, axis=-1).mean())


if __name__ == "__main__":
    main()
