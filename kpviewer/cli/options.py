"""The options that several commands take, named and explained alike in each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from kpviewer.annotations.spec import FORMS
from kpviewer.shipped import DEFAULT_MODEL
from kpviewer.structures import NmsKind

model_option = click.option(
    "--model",
    default=DEFAULT_MODEL,
    show_default=True,
    help="A shipped name, a file (safetensors, onnx, pt), torchvision:NAME or module:function.",
)
device_option = click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps."
)
precision_option = click.option(
    "--precision",
    type=click.Choice(("auto", "fp32", "fp16", "bf16", "int8")),
    default="auto",
    show_default=True,
)
engine_option = click.option(
    "--engine",
    type=click.Choice(("auto", "torch", "openvino")),
    default="auto",
    show_default=True,
    help="What computes; auto measures.",
)
conf_option = click.option(
    "--conf", type=click.FloatRange(0, 1), help="Confidence.  [default: the model's]"
)
iou_option = click.option(
    "--iou", type=click.FloatRange(0, 1), help="Of NMS.  [default: the model's]"
)
nms_option = click.option(
    "--nms", type=click.Choice([kind.value for kind in NmsKind]), help="Kind of NMS."
)
sigma_option = click.option(
    "--sigma",
    type=click.FloatRange(0.01, 1),
    help="Width of soft-gaussian NMS: wider lowers overlapping boxes less.  [default: the model's]",
)
truth_option = click.option(
    "--truth", metavar="SPEC", help=f"Annotations to compare with: {FORMS}."
)


def threshold_changes(given: Mapping[str, Any]) -> dict[str, Any]:
    """Give the fields of Thresholds that ``--conf``, ``--iou``, ``--nms``, ``--sigma`` change.

    Args:
        given: the values of the options; None where one was left out.
    """
    wanted = {"score": given["conf"], "iou": given["iou"], "sigma": given["sigma"]}
    wanted["nms"] = NmsKind(given["nms"]) if given["nms"] else None
    return {name: value for name, value in wanted.items() if value is not None}
