"""Models with a heatmap for each keypoint of one object in a crop: ViTPose, HRNet and others.

The maps of a segmentation model have the same shape. The name of the output or of the file decides,
or ``config.json`` of transformers beside it; otherwise the user. HRNet and Sapiens segment, too:
their names decide for well-known numbers of keypoints alone. Source: mmpose, configs of td-hm;
transformers, models/vitpose.
"""

from typing import Any

from kpviewer.models.onnx.description import OutputKind
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.onnx.families.base import Recognised
from kpviewer.models.onnx.families.beside import CONFIG, json_beside
from kpviewer.models.onnx.families.crops import crop_fields
from kpviewer.models.onnx.families.entries import class_names
from kpviewer.models.onnx.families.point_names import lines_of

_VITPOSE = "vitpose"
_UDP = (_VITPOSE, "udp", "synthpose", "sapiens")
_PLAIN = ("hrnet", "simplebaseline", "pose_resnet", "td-hm", "res50_coco", "mobilenetv2_coco")
_SEGMENT_TOO = ("hrnet", "sapiens")
"""Names of models of keypoints only with "pose" beside them, or with as many maps as follow."""
_POINTS = (17, 26, 133, 308)
_LAYOUTS = {
    OutputKind.HEATMAPS: ("heatmaps", "HRNet"),
    OutputKind.HEATMAPS_UDP: (_VITPOSE, "ViTPose"),
}
_STEPS = (2, 4, 8)
"""Pixels of the input in one cell."""


def recognise(facts: FileFacts) -> list[Recognised]:
    """Return the layouts of a file whose only output is maps of a fitting size."""
    if len(facts.outputs) != 1 or not (count := _count(facts)):
        return []
    config, stem = json_beside(facts, CONFIG), facts.stem.lower()
    is_of_transformers = config.get("model_type") == _VITPOSE
    fields = crop_fields(facts, count)
    if is_of_transformers and len(names := _names(config)) == count:
        fields = crop_fields(facts, count, names) | {
            "skeleton": lines_of(config.get("edges"), count)
        }
    unsure = () if "pose" in stem or count in _POINTS else _SEGMENT_TOO
    is_udp, is_plain = (
        any(each in stem and each not in unsure for each in names) for names in (_UDP, _PLAIN)
    )
    if is_of_transformers or "heatmaps" in facts.outputs or is_udp:
        return [_recognised(fields, OutputKind.HEATMAPS_UDP, is_certain=True)]
    if is_plain:
        return [_recognised(fields, OutputKind.HEATMAPS, is_certain=True)]
    return [_recognised(fields, kind, is_certain=False) for kind in _LAYOUTS]


def _recognised(fields: dict[str, Any], kind: OutputKind, *, is_certain: bool) -> Recognised:
    layout, model = _LAYOUTS[kind]
    summary = f"heatmaps of {len(fields['keypoints'])} keypoints of one object, as of {model}"
    return Recognised.of(fields | {"output": {"kind": kind}}, layout, summary, is_certain)


def _count(facts: FileFacts) -> int | None:
    """Return the number of maps, if they have a cell for so many pixels each way; else None."""
    (shape,) = facts.outputs.values()
    if len(shape) != 4:
        return None
    if facts.fixed_hw is None:
        return shape[1] if shape[2:] == (None, None) else None
    for count, *sides in ((shape[1], *shape[2:]), (shape[3], *shape[1:3])):
        if any(sides == [side / step for side in facts.fixed_hw] for step in _STEPS):
            return count
    return None


def _names(config: dict[str, Any]) -> list[str]:
    try:
        return class_names(config.get("id2label"))
    except ValueError:
        return []
