"""Exports of YOLOX (Megvii-BaseDetection/YOLOX, tools/export_onnx.py).

With and without ``--decode_in_inference`` the outputs have the same shape, and the file has no
metadata, so the user chooses. Source of the pre-processing: yolox/data/data_augment.py, preproc.
"""

from kpviewer.models.onnx.cells import rows_per_cell
from kpviewer.models.onnx.description import OutputKind
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.onnx.families.base import Recognised
from kpviewer.models.onnx.families.naming import naming
from kpviewer.models.onnx.families.ultralytics import describes_itself

_LAYOUTS = (
    ("yolox", OutputKind.YOLOX, "YOLOX, exported without --decode_in_inference"),
    ("yolox-decoded", OutputKind.YOLOV5, "YOLOX with --decode_in_inference"),
)


def recognise(facts: FileFacts) -> list[Recognised]:
    """Return both layouts of YOLOX if one row per cell has an objectness and class scores."""
    shapes = list(facts.outputs.items())
    if describes_itself(facts) or len(shapes) != 1 or len(shapes[0][1]) != 3:
        return []
    name, (_, rows, columns) = shapes[0]
    if columns is None or columns < 6 or (rows is not None and rows_per_cell(facts, rows) != 1):
        return []
    named = naming(facts, columns - 5)
    table = named.described(
        input=[640, 640],
        placement="top-left",
        sampling="linear",
        channels="bgr",
        value_range=[0, 255],
        padding=[114, 114, 114],
        score_threshold=0.25,
    )
    return [
        Recognised.of(
            table | {"output": {"kind": kind, "rows": name}},
            layout,
            f"{meaning}, {named.summary}",
            is_certain=False,
        )
        for layout, kind, meaning in _LAYOUTS
    ]
