"""Detectors of TensorFlow's Object Detection API, as tf2onnx converts them.

Source: exporter_lib_v2.py of tensorflow/models, research/object_detection.
"""

from kpviewer.models.onnx.description import OutputKind
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.onnx.families.base import Recognised, resized_inside
from kpviewer.models.onnx.families.naming import naming

_OUTPUTS = ("boxes", "scores", "classes")


def recognise(facts: FileFacts) -> list[Recognised]:
    """Return the layout of the API, by the names of its outputs.

    Boxes are top, left, bottom and right as shares; labels count from 1.
    """
    names = {name.partition(":")[0]: name for name in facts.outputs}
    boxes, scores, labels = (names.get(f"detection_{each}", "") for each in _OUTPUTS)
    has_image = any(port.shape[-1:] == (3,) for port in facts.inputs)
    if not (boxes and scores and labels and has_image):
        return []
    named = naming(facts, None, first=1)
    output = {
        "kind": OutputKind.LISTS,
        "boxes": boxes,
        "scores": scores,
        "labels": labels,
        "first_label": 1,
        "box_format": "yxyx",
        "normalised": True,
    }
    table = named.described(
        output=output, value_range=[0, 255], sampling="linear", nms="none", **resized_inside(facts)
    )
    summary = f"TensorFlow's Object Detection API, NMS inside, {named.summary}"
    return [Recognised.of(table, "tensorflow", summary)]
