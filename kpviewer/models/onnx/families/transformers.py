"""DETRs of Hugging Face's transformers, and of the repositories whose outputs have the same form.

``optimum-cli export onnx`` writes ``config.json`` and ``preprocessor_config.json`` beside the ONNX
file: they say which kind it is, its classes, and how images are prepared. Without them the user
chooses. Source: post_process_object_detection in models/*/image_processing_*.py of transformers
5.24, for DETA of 4.30.
"""

from collections.abc import Mapping
from typing import Any

from kpviewer.models.onnx.description import OutputKind
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.onnx.families.base import IMAGENET, Recognised
from kpviewer.models.onnx.families.beside import CONFIG, PROCESSOR, json_beside
from kpviewer.models.onnx.families.entries import class_names
from kpviewer.models.onnx.families.naming import Naming, counted, naming
from kpviewer.models.onnx.graph import Graph

_SHARE = 1 / 255
_SOFTMAX = ("detr", "yolos", "table-transformer")
"""Kinds whose scores are a softmax with no object as the last class."""
_BEST_100 = ("conditional_detr", "dab-detr", "deformable_detr", "lw_detr")
_BEST_OF_QUERIES = ("d_fine", "deimv2", "rf_detr", "rt_detr", "rt_detr_v2")
"""Kinds whose scores are sigmoids, by how many pairs of query and class count."""
_DETA = "deta"
"""Of which all pairs count, after NMS."""
_KINDS = (*_SOFTMAX, *_BEST_100, *_BEST_OF_QUERIES, _DETA)
_PATCH_PX = 16
"""Step of the sides that YOLOS resizes to, px."""
_ASSUMED = (
    "preprocessor_config.json isn't beside the file. It may say that images are prepared otherwise "
    "than assumed: RGB {}, stretched."
)


def recognise(facts: FileFacts) -> list[Recognised]:
    """Return the layout that the files beside it say, or both layouts of such outputs."""
    scores = next((name for name in ("logits", "pred_logits") if name in facts.outputs), "")
    shape = facts.outputs.get(scores, ())
    if "pred_boxes" not in facts.outputs or len(shape) != 3:
        return []
    columns = shape[2] or Graph(facts.path).shape(scores)[-1]
    if columns is None or columns < 1:
        return []
    config = json_beside(facts, CONFIG)
    kind = config.get("model_type")
    if kind in _KINDS:
        is_softmax = kind in _SOFTMAX
        named = _named(facts, config, columns - is_softmax)
        return [_recognised(facts, scores, named, str(kind), is_softmax, is_certain=True)]
    every = _named(facts, config, columns)
    found = [_recognised(facts, scores, every, "RT-DETR or D-FINE", False)]
    if columns > 1:
        without = _named(facts, config, columns - 1, is_by_id=True)
        found.append(_recognised(facts, scores, without, "DETR or YOLOS", True))
    return found


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
    elif what == _DETA:
        output["kind"] = OutputKind.SSD
    elif what in _BEST_100:
        output["best"] = 100
    table = named.described(
        input=[640, 640], resize="stretch", sampling="antialiased", nms="none", output=output
    )
    if what == _DETA:
        table |= {"nms": "hard", "iou_threshold": 0.7}
    if is_softmax or what in (*_BEST_100, _DETA, "rf_detr"):
        table |= IMAGENET
    if processor := json_beside(facts, PROCESSOR):
        table |= _prepared(processor, is_open=None in (facts.input_hw or ()))
        if what == "yolos" and "stride" in table:
            table["stride"] = _PATCH_PX
    else:
        colours = "normalised as of ImageNet" if "mean" in table else "from 0 to 1"
        table["notes"] = (*named.notes, _ASSUMED.format(colours))
    layout = "hf-detr" if is_softmax else "hf-rt-detr"
    summary = f"{what} of transformers, {named.summary}"
    return Recognised.of(table, layout, summary, is_certain)


def _named(
    facts: FileFacts, config: Mapping[str, Any], count: int, *, is_by_id: bool = False
) -> Naming:
    try:
        own = tuple(class_names(config.get("id2label")))
    except ValueError:
        own = ()
    if len(own) == count:
        return Naming(own, counted(count), ())
    return naming(facts, count, is_by_id=is_by_id)


def _prepared(processor: Mapping[str, Any], *, is_open: bool) -> dict[str, Any]:
    """Return how images are prepared, as far as the file of the processor says."""
    table: dict[str, Any] = {}
    size = processor.get("size")
    sides = size if isinstance(size, dict) else {}
    if not sides and "max_size" in processor:  # of the former feature extractors
        sides = {"shortest_edge": size, "longest_edge": processor["max_size"]}
    if {"height", "width"} <= sides.keys():
        table["input"] = [sides["height"], sides["width"]]
    elif is_open and {"shortest_edge", "longest_edge"} <= sides.keys():  # keeps proportions
        table |= {"input": [sides["shortest_edge"], sides["longest_edge"]], "stride": 1}
        table["resize"] = "edges"
    is_scaled = processor.get("do_rescale", True)
    factor = processor.get("rescale_factor", _SHARE) if is_scaled else 1
    table["value_range"] = [0, 255 * factor if isinstance(factor, int | float) else 1]
    if processor.get("do_normalize") is False:
        table |= {"mean": [0, 0, 0], "std": [1, 1, 1]}
    elif "image_mean" in processor and "image_std" in processor:
        table |= {"mean": processor["image_mean"], "std": processor["image_std"]}
    return table
