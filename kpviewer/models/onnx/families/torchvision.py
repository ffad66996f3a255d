"""Exports of torchvision's detectors by ``torch.onnx.export``, as its documentation shows.

They resize, normalise and suppress inside. Outputs have no batch axis: boxes (N, 4), and labels and
scores (N,), in either order. Label 0 of Faster R-CNN and SSD is the background; RetinaNet and FCOS
have none.
"""

from typing import Any

from kpviewer.models.names.coco_keypoints import NAMES, skeleton_of
from kpviewer.models.onnx.description import OutputKind
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.onnx.families.base import LEFT_OUT, Recognised, resized_inside
from kpviewer.models.onnx.families.naming import naming
from kpviewer.models.onnx.graph import Graph


def recognise(facts: FileFacts) -> list[Recognised]:
    """Return the layout of torchvision if the outputs are boxes, labels and scores."""
    shapes, elements = facts.outputs, facts.output_elements
    lists = [name for name, shape in shapes.items() if len(shape) == 1]
    labels = [name for name in lists if elements.get(name) == "int64"]
    scores = [name for name in lists if elements.get(name, "").startswith("float")]
    boxes = [name for name, shape in shapes.items() if len(shape) == 2 and shape[1] == 4]
    takes_image = [port.element.startswith("float") for port in facts.inputs] == [True]
    if len(labels) != 1 or len(scores) != 1 or not boxes or not takes_image:
        return []
    graph = Graph(facts.path)
    columns = graph.columns_of_scores(scores[0])
    first = 1 if columns is not None and columns.has_background else 0
    count = columns.width - first if columns is not None else None
    named = naming(facts, count, is_by_id=True, first=first)
    output: dict[str, Any] = {
        "kind": OutputKind.LISTS,
        "boxes": boxes[0],
        "scores": scores[0],
        "labels": labels[0],
        "first_label": first,
    }
    table = named.described(sampling="linear", nms="none", output=output)
    points = [name for name, shape in shapes.items() if len(shape) == 3]
    if points and graph.shape(points[0])[1:] == (len(NAMES), 3) and count == 1:
        output |= {
            "points": points[0],
            "scored_points": False,
        }  # of Keypoint R-CNN, whose only class is a person
        table |= {"classes": ["person"], "keypoints": NAMES, "skeleton": skeleton_of(NAMES)}
        table["notes"] = ()
    elif points:
        table["notes"] = (LEFT_OUT.format("keypoints"), *named.notes)
    if masks := [name for name, shape in shapes.items() if len(shape) == 4 and shape[1] == 1]:
        output |= {"masks": masks[0], "mask_limit": 0.5}  # as its tutorials do
    table |= resized_inside(facts)
    summary = f"torchvision, NMS inside, {named.summary}"
    # torchvision's graphs normalise first
    is_certain = graph.is_read and not graph.has_raw_convolution()
    return [Recognised.of(table, "torchvision", summary, is_certain)]
