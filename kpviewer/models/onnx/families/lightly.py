"""Exports of LightlyTrain's LT-DETR: their entries name classes and colours.

Source: lightly-train 0.18, _export/export_onnx.py and _pre_post_processing/object_detection.py.
"""

from collections.abc import Mapping

from kpviewer.models.onnx.description import OutputKind
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.onnx.families.base import Recognised
from kpviewer.models.onnx.families.entries import class_names, literal
from kpviewer.models.onnx.families.naming import counted

_VERSION = "lightly_train_version"


def recognise(facts: FileFacts) -> list[Recognised]:
    """Return the layout of logits and boxes in a file with LightlyTrain's entries.

    Raises:
        ValueError: if an entry is invalid, or contradicts the outputs.
    """
    shape = facts.outputs.get("logits", ())
    is_of_lightly = _VERSION in facts.metadata and facts.outputs.keys() == {"logits", "boxes"}
    if not is_of_lightly or len(shape) != 3:
        return []
    names = _names(facts.metadata)
    if shape[-1] not in (None, len(names)):
        raise ValueError(
            f"its entry 'classes' names {len(names)} classes, its logits have {shape[-1]}"
        )
    colours = literal(facts.metadata, "image_normalize", "{}")
    table = {
        "classes": names,
        "input": facts.fixed_hw or (640, 640),
        "resize": "stretch",
        "sampling": "antialiased",
        "nms": "none",
        "output": {
            "kind": OutputKind.DETR,
            "activation": "sigmoid",
            "scores": "logits",
            "boxes": "boxes",
            "box_format": "cxcywh",
            "normalised": True,
        },
    }
    if isinstance(colours, Mapping):
        table |= {key: colours[key] for key in ("mean", "std") if key in colours}
    return [Recognised.of(table, "lightly-train", f"LT-DETR, {counted(len(names))}")]


def _names(metadata: Mapping[str, str]) -> list[str]:
    """Return the class names by column: the order of the entry, whatever its numbers are."""
    classes = literal(metadata, "classes", "{}")
    named = classes.values() if isinstance(classes, Mapping) else ()
    return class_names(list(named))
