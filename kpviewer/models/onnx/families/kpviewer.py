"""Exports of kpviewer: the complete description of the model is an entry of the file.

The other entries are those of Ultralytics, so that other programs can read the file too. The
description is checked like that of a weight file.
"""

from collections.abc import Mapping
from dataclasses import replace

from kpviewer.errors import WeightsError
from kpviewer.models.names.architectures import is_point_architecture
from kpviewer.models.onnx.description import OnnxDescription, OutputFormat, OutputKind
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.onnx.families.base import Recognised
from kpviewer.models.spec import ModelSpec, Resize
from kpviewer.models.tables import shown
from kpviewer.structures import NmsKind

SPEC_ENTRY = "kpviewer"
"""Entry with the description of the model before its export, as JSON."""
KIND_ENTRY = "kpviewer_output"
"""Entry with the kind of the output."""
KINDS: Mapping[OutputKind, str] = {
    OutputKind.CANDIDATES: "no NMS inside",
    OutputKind.BOXES: "NMS inside",
    OutputKind.CLASSES: "class scores",
}
"""Kinds of output that kpviewer exports, for people."""


def recognise(facts: FileFacts) -> list[Recognised]:
    """Return the layout of a file that kpviewer exported.

    Raises:
        ValueError: if an entry is invalid, or the size of the input is open.
    """
    text = facts.metadata.get(SPEC_ENTRY)
    if text is None:
        return []
    kind = facts.metadata.get(KIND_ENTRY, "")
    if kind not in KINDS:
        raise ValueError(f"{KIND_ENTRY} must be one of {', '.join(KINDS)}, got {shown(kind)}")
    try:
        spec = ModelSpec.from_json(text)
    except WeightsError as error:
        raise ValueError(str(error)) from error
    if facts.fixed_hw is None:
        raise ValueError("kpviewer exports inputs of one size, and its input has none")
    spec = exported_spec(spec, facts.fixed_hw, OutputKind(kind))
    description = OnnxDescription(
        spec.class_names, OutputFormat(OutputKind(kind)), keypoints=spec.keypoint_names
    )
    summary = f"exported by kpviewer, {KINDS[OutputKind(kind)]}"
    return [Recognised(description, "kpviewer", summary, spec=spec)]


def exported_spec(spec: ModelSpec, input_hw: tuple[int, int], kind: OutputKind) -> ModelSpec:
    """Return the description of an exported model, whose graph normalises and decodes."""
    red, green, blue = (min(max(round(each * 255), 0), 255) for each in spec.mean)
    is_whole = spec.content_hw is None or spec.input_hw != input_hw
    return replace(
        spec,
        # other code finds the network of a point model by its architecture
        architecture="onnx" if is_point_architecture(spec.architecture) else spec.architecture,
        input_hw=input_hw,
        content_hw=None if is_whole else spec.content_hw,
        stride=None,
        resize=Resize.STRETCH if spec.resize is Resize.STRETCH else Resize.LETTERBOX,
        padding=spec.padding or (red, green, blue),
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        nms=NmsKind.NONE if kind is OutputKind.BOXES else spec.nms,
        activation_ranges=(),
    )
