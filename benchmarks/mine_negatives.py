"""Cut out what a model takes for a face and a teacher doesn't, as images without a face.

    python benchmarks/mine_negatives.py --data coco:FILE[:IMAGES] --yunet yunet.onnx --out DIR

A false face has a score of at least 0.3, overlaps no annotation (ignore regions included), and
YuNet sees no face at 0.3 in its surroundings, at twice the size and in four orientations. A mosaic
uses the images as backgrounds, and shows them as they are. Look at them: turned faces that YuNet
misses are among them, and ``--without`` leaves out what people recognise as a face.
"""

import json
from pathlib import Path

import click
import numpy as np
from label_faces import detect

from kpviewer.annotations.derived.classes import align_classes
from kpviewer.annotations.spec import read_annotations
from kpviewer.geometry import intersection, iou_matrix
from kpviewer.models.weights import load_model
from kpviewer.runtime.executor import Executor
from kpviewer.sources.images.source import load_image
from kpviewer.sources.opencv import cv2

SCORE, SAME_IOU = 0.3, 0.3
SURROUNDINGS, LEAST_PX = 4.0, 96.0
"""Side of the image that is cut out: in sizes of the box, and at least so many px."""


def window(box: np.ndarray, faces: np.ndarray, hw: tuple[int, int]) -> np.ndarray:
    """Return an xyxy window around a box that shows none of (N, 4) faces; they don't touch it."""
    side = max(SURROUNDINGS * float((box[2:] - box[:2]).max()), LEAST_PX)
    centre = (box[:2] + box[2:]) / 2
    found = np.concatenate([centre - side / 2, centre + side / 2])
    found = np.clip(found, 0, [hw[1], hw[0], hw[1], hw[0]])
    for face in faces:
        if (np.minimum(found[2:], face[2:]) <= np.maximum(found[:2], face[:2])).any():
            continue
        # the widest strip between a side of the face and the box, which stays inside
        room = np.concatenate([face[:2] - box[2:], box[:2] - face[2:]])
        edge = int(room.argmax())
        if edge < 2:
            found[2 + edge] = face[edge]
        else:
            found[edge - 2] = face[edge]
    return np.concatenate([np.ceil(found[:2]), np.floor(found[2:])]).astype(int)


def is_face(bgr: np.ndarray, yunet: str) -> bool:
    """Return whether YuNet sees a face, at twice the size, in one of four orientations."""
    return any(
        len(detect(np.ascontiguousarray(np.rot90(bgr, turn)), yunet, 2.0)) for turn in range(4)
    )


@click.command()
@click.option("--data", "specs", multiple=True, required=True, metavar="SPEC")
@click.option("--model", default="face-ssd", show_default=True)
@click.option("--yunet", required=True, type=click.Path(exists=True))
@click.option("--source", default="mined", show_default=True, help="Source of the images.")
@click.option("--without", multiple=True, type=int, help="Number of an image to leave out.")
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(
    specs: tuple[str, ...],
    model: str,
    yunet: str,
    source: str,
    without: tuple[int, ...],
    out: Path,
) -> None:
    """Write OUT/images and OUT/annotations.json."""
    executor = Executor(load_model(model), "cpu")
    (out / "images").mkdir(parents=True, exist_ok=True)
    images = []
    for item in (
        item for spec in specs for item in align_classes(read_annotations(spec), ("face",)).images
    ):
        bgr = load_image(item.path)
        if bgr is None:
            continue
        found = executor.infer(bgr)[0]
        cuts: list[np.ndarray] = []
        for box in found.xyxy[found.scores[:, 0] >= SCORE]:
            if intersection(box[None], item.targets.xyxy).any():
                continue
            cut = window(box, item.targets.xyxy, bgr.shape[:2])
            others = np.array([cut, *cuts], np.float32)
            if (iou_matrix(others[:1], others[1:]) > SAME_IOU).any():
                continue
            part = bgr[cut[1] : cut[3], cut[0] : cut[2]]
            if part.size and not is_face(part, yunet):
                cuts.append(cut)
                name = f"{len(images):05d}.png"
                if len(images) not in without:
                    cv2.imwrite(str(out / "images" / name), part)
                size = {"width": part.shape[1], "height": part.shape[0]}
                images.append({"id": len(images) + 1, "file_name": name, "source": source, **size})
    names = ["left_eye", "right_eye", "nose", "left_mouth", "right_mouth"]
    category = {"id": 1, "name": "face", "keypoints": names, "skeleton": []}
    kept = [image for image in images if image["id"] - 1 not in without]
    document = {"images": kept, "annotations": [], "categories": [category]}
    (out / "annotations.json").write_text(json.dumps(document), encoding="utf-8")
    click.echo(f"{len(kept)} images without a face")


if __name__ == "__main__":
    main()
