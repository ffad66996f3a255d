"""Detectors of PaddleDetection, converted by paddle2onnx: class, score and corners in each row.

Whether their images are normalised by mean and standard deviation is in ``infer_cfg.yml`` beside
the original, not in the ONNX file, so the user chooses. Source: deploy/python/preprocess.py, and
configs/ppyoloe/_base_/ppyoloe_plus_reader.yml of PaddlePaddle/PaddleDetection.
"""

from typing import Any

from kpviewer.models.onnx.description import OutputKind
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.onnx.families.base import IMAGENET, Recognised
from kpviewer.models.onnx.families.naming import naming
from kpviewer.models.onnx.inputs import SCALE

_COLOURS: dict[str, tuple[str, dict[str, Any]]] = {
    "paddle": ("colours from 0 to 1", {}),
    "paddle-normalised": ("normalised colours", IMAGENET),
}


def recognise(facts: FileFacts) -> list[Recognised]:
    """Return both layouts of PaddleDetection if a file asks for the scale and outputs its rows."""
    rows = [name for name, shape in facts.outputs.items() if len(shape) == 2 and shape[1] == 6]
    if len(rows) != 1 or all(port.name != SCALE for port in facts.inputs):
        return []
    named = naming(facts, None)
    output = {"kind": OutputKind.FLAT, "rows": rows[0], "class_first": True, "box_last": True}
    table = named.described(
        output=output, input=[640, 640], resize="stretch", sampling="linear", nms="none"
    )
    return [
        Recognised.of(table | colours, layout, f"PaddleDetection, {what}, {named.summary}", False)
        for layout, (what, colours) in _COLOURS.items()
    ]
