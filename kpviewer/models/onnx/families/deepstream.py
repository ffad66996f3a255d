"""Exports for NVIDIA's DeepStream (utils/export_*.py of marcoslucianops/DeepStream-Yolo).

Each prediction of a YOLO is a row of corners, score and class, without NMS. Such rows have as many
columns as a YOLOv5 of one class; the graph tells them apart, as it chooses the best class itself.
Source of the pre-processing: config_infer_primary*.txt of the same repository.
"""

from kpviewer.models.onnx.cells import rows_per_cell
from kpviewer.models.onnx.description import OutputKind
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.onnx.families.base import Recognised
from kpviewer.models.onnx.families.naming import naming
from kpviewer.models.onnx.families.ultralytics import ROW_COLUMNS, describes_itself
from kpviewer.models.onnx.graph import Graph

_ASSUMED = (
    "The file doesn't say how images are prepared: RGB from 0 to 1, as for YOLOv5 to v12, is "
    "assumed. value_range in a TOML beside it changes that, [0, 255] for YOLOX."
)


def recognise(facts: FileFacts) -> list[Recognised]:
    """Return the layout of a row per prediction, of which the graph chose the best class.

    It isn't certain where the graph can't be read.
    """
    shapes = list(facts.outputs.items())
    if describes_itself(facts) or len(shapes) != 1 or len(shapes[0][1]) != 3:
        return []
    name, (_, rows, columns) = shapes[0]
    each = rows_per_cell(facts, rows)
    if columns != ROW_COLUMNS or each is None:
        return []
    graph = Graph(facts.path)
    classes = graph.columns_of_maximum(name)
    if classes is None and graph.is_read:
        return []
    named = naming(facts, classes)
    table = named.described(
        sampling="linear",
        padding=[0, 0, 0],
        score_threshold=0.25,
        iou_threshold=0.45,
        output={"kind": OutputKind.BOXES, "rows": name, "transposed": False},
    )
    if each == 1:
        table["notes"] = (_ASSUMED, *named.notes)
    summary = f"DeepStream-Yolo, no NMS inside, {named.summary}"
    return [Recognised.of(table, "deepstream", summary, classes is not None)]
