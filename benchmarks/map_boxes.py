"""Convert boxes that people drew to the convention of a teacher's boxes, as COCO keypoints.

    python benchmarks/label_faces.py IMAGES --yunet yunet.onnx --source NAME --out TEACHER
    python benchmarks/map_boxes.py PEOPLE --teacher TEACHER --out FILE

Two conventions differ by a scale and a shift, in shares of a box's sides. They are the medians over
the faces that both have found. These faces have the teacher's boxes, whose sides differ less from
face to face; the others have people's, mapped. The teacher's other detections, strong or weak,
become ignore regions: people leave distant faces out. The faces have no points.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kpviewer.geometry import iou_matrix, xywh_to_xyxy

SAME_FACE_IOU, OTHER_FACE_IOU = 0.5, 0.3


class BoxMap(NamedTuple):
    """Affine map of boxes: shift of the centre and factor of the sides, in shares of the sides."""

    shift: np.ndarray
    """(2,) x, y."""
    factor: np.ndarray
    """(2,) width, height."""
    pairs: int
    """Number of pairs that it was fitted to."""

    @classmethod
    def fit(cls, before: np.ndarray, after: np.ndarray) -> BoxMap:
        """Return the map from (N, 4) boxes to (N, 4) others, xyxy, by medians."""
        sides = before[:, 2:] - before[:, :2]
        shift = (after.reshape(-1, 2, 2).mean(1) - before.reshape(-1, 2, 2).mean(1)) / sides
        factor = (after[:, 2:] - after[:, :2]) / sides
        return cls(np.median(shift, 0), np.median(factor, 0), len(before))

    def apply(self, xyxy: np.ndarray) -> np.ndarray:
        """Map (N, 4) boxes."""
        sides = xyxy[:, 2:] - xyxy[:, :2]
        centre = xyxy.reshape(-1, 2, 2).mean(1) + self.shift * sides
        return np.concatenate(
            [centre - self.factor * sides / 2, centre + self.factor * sides / 2], 1
        )

    def __str__(self) -> str:
        """Return the figures, for the log."""
        x, y, width, height = (round(float(value), 3) for value in (*self.shift, *self.factor))
        return f"{self.pairs} pairs: centre + ({x}, {y}), width x {width}, height x {height}"


def boxes_by_image(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the annotations of each image of a COCO file, by its name."""
    names = {image["id"]: image["file_name"] for image in document["images"]}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names.values()}
    for annotation in document["annotations"]:
        found[names[annotation["image_id"]]].append(annotation)
    return found


def xyxy_of(annotations: Iterable[dict[str, Any]]) -> np.ndarray:
    """Return (N, 4) float32 boxes of COCO annotations."""
    boxes = [annotation["bbox"] for annotation in annotations]
    return xywh_to_xyxy(np.array(boxes, np.float32).reshape(-1, 4))


def pairs(people: np.ndarray, teacher: np.ndarray) -> Iterable[tuple[int, int]]:
    """Yield the pairs of one face, by indices: each box is the other's best."""
    if not len(people) or not len(teacher):
        return
    overlap = iou_matrix(people, teacher)
    for row, column in enumerate(overlap.argmax(1)):
        if overlap[row, column] >= SAME_FACE_IOU and overlap[:, column].argmax() == row:
            yield row, int(column)


def main() -> None:
    """Read the arguments, fit the map and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("people", type=Path)
    parser.add_argument("--teacher", type=Path, required=True, help="File of label_faces.py.")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    people, teacher = (
        json.loads(path.read_text(encoding="utf-8")) for path in (options.people, options.teacher)
    )
    taught = boxes_by_image(teacher)
    drawn = boxes_by_image(people)
    before, after = [], []
    for name, faces in drawn.items():
        strong = [each for each in taught[name] if not each["iscrowd"]]
        own, other = xyxy_of(faces), xyxy_of(strong)
        for row, column in pairs(own, other):
            before.append(own[row])
            after.append(other[column])
    box_map = BoxMap.fit(np.array(before), np.array(after))
    error = np.abs(box_map.apply(np.array(before)) - np.array(after)).mean()
    unmapped = np.abs(np.array(before) - np.array(after)).mean()
    print(f"{box_map}; mean error of an edge {unmapped:.2f} px before, {error:.2f} px after")
    document = converted(people, taught, box_map, teacher["categories"])
    options.out.write_text(json.dumps(document), encoding="utf-8")
    ignored = sum(annotation["iscrowd"] for annotation in document["annotations"])
    faces = len(document["annotations"]) - ignored
    print(f"{len(document['images'])} images, {faces} faces, {ignored} ignore regions")


def converted(
    people: dict[str, Any],
    taught: dict[str, list[dict[str, Any]]],
    box_map: BoxMap,
    categories: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return a COCO file of people's faces, mapped, and of ignore regions by the teacher."""
    annotations: list[dict[str, Any]] = []
    drawn = boxes_by_image(people)
    for image in people["images"]:
        limit = np.array([image["width"], image["height"]] * 2)
        found = taught[image["file_name"]]
        own, others = xyxy_of(drawn[image["file_name"]]), xyxy_of(found)
        mapped = np.clip(box_map.apply(own), 0, limit)
        for row, column in pairs(own, others):
            if not found[column]["iscrowd"]:
                mapped[row] = others[column]
        if len(mapped) and len(others):
            overlap = iou_matrix(mapped.astype(np.float32), others).max(0)
            others = others[overlap < OTHER_FACE_IOU]
        for box, iscrowd in [*((box, 0) for box in mapped), *((box, 1) for box in others)]:
            sides = box[2:] - box[:2]
            if (sides < 1).any():
                continue
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image["id"],
                    "category_id": categories[0]["id"],
                    "bbox": [round(float(value), 1) for value in (*box[:2], *sides)],
                    "area": round(float(sides.prod()), 1),
                    "iscrowd": iscrowd,
                    "keypoints": [0] * 3 * len(categories[0]["keypoints"]),
                    "num_keypoints": 0,
                }
            )
    return {"images": people["images"], "annotations": annotations, "categories": categories}


if __name__ == "__main__":
    main()
