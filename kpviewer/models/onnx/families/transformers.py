"""DETRs of Hugging Face's transformers, and of the repositories whose outputs have the same form.

``optimum-cli export onnx`` writes ``config.json`` and ``preprocessor_config.json`` beside the ONNX
file: they say which kind it is, its classes, and how images are prepared. Without them the user
chooses. Source: models/*/image_processing_*.py (post_process_object_detection) of transformers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kpviewer.models.onnx.description import OutputKind
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.onnx.families.base import IMAGENET, Recognised
from kpviewer.models.onnx.families.entries import class_names
from kpviewer.models.onnx.families.naming import Naming, naming

_CONFIG, _PROCESSOR = "config.json", "preprocessor_config.json"
_MAX_JSON_BYTES = 1 << 20
_SHARE = 1 / 255
_SOFTMAX = ("detr", "yolos", "table-transformer")
_SIGMOID = (
    "conditional_detr", "dab-detr", "deformable_detr", "deta", "d_fine", "rt_detr", "rt_detr_v2",
)  # fmt: skip
"""Kinds by the function that their scores need; with a softmax the last class is no object."""


def recognise(facts: FileFacts) -> list[Recognised]:
    """Return the layout that the files beside it say, or both layouts of such outputs."""
    scores = next((name for name in ("logits", "pred_logits") if name in facts.outputs), "")
    shape = facts.outputs.get(scores, ())
    if "pred_boxes" not in facts.outputs or len(shape) != 3 or shape[2] is None or shape[2] < 2:
        return []
    columns = shape[2]
    config = _beside(facts, _CONFIG)
    kind = config.get("model_type")
    if kind in (*_SOFTMAX, *_SIGMOID):
        is_softmax = kind in _SOFTMAX
        named = _named(facts, config, columns - is_softmax)
        return [_recognised(facts, scores, named, str(kind), is_softmax, is_certain=True)]
    every, without = naming(facts, columns), naming(facts, columns - 1, is_by_id=True)
    return [
        _recognised(facts, scores, every, "RT-DETR or D-FINE", False),
        _recognised(facts, scores, without, "DETR or YOLOS", True),
    ]


def _recognised(
    facts: FileFacts,
    scores: str,
    named: Naming,
    what: str,
    is_softmax: bool,
    *,
    is_certain: bool = False,
) -> Recognised:
    output: dict[str, Any] = {
        "kind": OutputKind.DETR,
        "activation": "sigmoid",
        "boxes": "pred_boxes",
        "scores": scores,
        "box_format": "cxcywh",
        "normalised": True,
    }
    if is_softmax:
        output |= {"kind": OutputKind.SSD, "activation": "softmax", "background": -1}
        output["multi_label"] = False
    table = named.described(
        input=[640, 640], resize="stretch", sampling="antialiased", nms="none", output=output
    )
    if is_softmax:
        table |= IMAGENET
    if is_certain:
        table |= _prepared(_beside(facts, _PROCESSOR), is_open=None in (facts.input_hw or ()))
    layout = "hf-detr" if is_softmax else "hf-rt-detr"
    summary = f"{what} of transformers, {named.summary}"
    return Recognised.of(table, layout, summary, is_certain)


def _named(facts: FileFacts, config: Mapping[str, Any], count: int) -> Naming:
    try:
        own = tuple(class_names(config.get("id2label")))
    except ValueError:
        own = ()
    return Naming(own, f"{count} classes", ()) if len(own) == count else naming(facts, count)


def _prepared(processor: Mapping[str, Any], *, is_open: bool) -> dict[str, Any]:
    """Return how images are prepared, as far as the file of the processor says."""
    table: dict[str, Any] = {}
    size = processor.get("size")
    sides = size if isinstance(size, dict) else {}
    if {"height", "width"} <= sides.keys():
        table["input"] = [sides["height"], sides["width"]]
    elif is_open and {"shortest_edge", "longest_edge"} <= sides.keys():  # keeps proportions
        table |= {"input": [sides["shortest_edge"], sides["longest_edge"]], "stride": 1}
        table["resize"] = "letterbox"
    is_scaled = processor.get("do_rescale", True)
    factor = processor.get("rescale_factor", _SHARE) if is_scaled else 1
    table["value_range"] = [0, 255 * factor if isinstance(factor, int | float) else 1]
    if processor.get("do_normalize") is False:
        table |= {"mean": [0, 0, 0], "std": [1, 1, 1]}
    elif "image_mean" in processor and "image_std" in processor:
        table |= {"mean": processor["image_mean"], "std": processor["image_std"]}
    return table


def _beside(facts: FileFacts, name: str) -> dict[str, Any]:
    """Return a JSON file beside the ONNX file, or above its folder ``onnx``; {} without one."""
    folder = facts.path.parent if facts.path is not None else Path()
    folders = (folder, *((folder.parent,) if folder.name == "onnx" else ()))
    for each in folders if facts.path is not None else ():
        try:
            with (each / name).open("rb") as file:
                found = json.loads(file.read(_MAX_JSON_BYTES))
        except (OSError, ValueError, RecursionError):
            continue
        return found if isinstance(found, dict) else {}
    return {}
