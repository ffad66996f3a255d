"""Options that several commands share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from kpviewer.annotations.spec import FORMS
from kpviewer.cli.path_types import JsonPath
from kpviewer.models.libraries.inference import BACKENDS
from kpviewer.shipped import DEFAULT_MODEL
from kpviewer.sources.turn import Turn
from kpviewer.structures import NmsKind

if TYPE_CHECKING:
    from kpviewer.models.spec import ModelSpec

    Parameter: TypeAlias = click.Parameter | None
    Context: TypeAlias = click.Context | None


class FiniteRange(click.FloatRange):
    """Number in a range, neither NaN nor infinite."""

    name = "number"

    def convert(self, value: Any, param: Parameter, ctx: Context) -> float:
        """Return the number."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} must be a finite number.", param, ctx)
        return number


def input_size(text: str) -> tuple[int, int]:
    """Return the height and width of an input, px, given as HxW or as the side of a square.

    Raises:
        click.BadParameter: if the text is neither.
    """
    height, cross, width = text.lower().partition("x")
    sides = height, width if cross else height
    if not all(side.isdecimal() and int(side) for side in sides):
        raise click.BadParameter(f"a size is HxW or SIDE, such as 256x448 or 640, got {text!r}")
    return int(sides[0]), int(sides[1])


size_option = click.option(
    "--size",
    type=input_size,
    metavar="HxW|SIDE",
    help="Size of the input, px.  [default: the model's largest]",
)

SECONDS_MAX = 1_000_000
"""About 11 days; a Qt timer is limited to 24."""


def all_of(
    *options: Callable[[Any], Any],
) -> Callable[[click.decorators.FC], click.decorators.FC]:
    """Return a decorator that adds several options to a command, in this order."""

    def add(command: click.decorators.FC) -> click.decorators.FC:
        for option in reversed(options):
            command = option(command)
        return command

    return add


device_option = click.option(
    "--device",
    default="auto",
    help="auto, cpu, cuda, cuda:N or mps; for ONNX and OpenVINO files also gpu, npu, directml.",
)
batch_option = click.option(
    "--batch",
    type=click.IntRange(1, 64),
    default=1,
    help="Most images that the model runs at once, where that changes no result.",
)
keypoint_conf_option = click.option(
    "--keypoint-conf",
    type=FiniteRange(0, 1),
    help="Confidence threshold of keypoints, for models that predict one.  [default: the model's]",
)
iou_option = click.option(
    "--iou", type=FiniteRange(0, 1), help="IoU threshold of NMS.  [default: the model's]"
)
model_options = all_of(
    click.option(
        "--model",
        default=DEFAULT_MODEL,
        help="Shipped model, file (onnx, xml, safetensors, pt, cfg), torchvision:NAME, "
        "two-stage:BOXES+POINTS or module:function.",
    ),
    click.option(
        "--layout",
        metavar="NAME",
        help="Layout of an ONNX model's outputs, if the file doesn't say it (models --layouts).",
    ),
)
"""Options that name a model."""
engine_options = all_of(
    device_option,
    click.option(
        "--precision",
        type=click.Choice(("auto", "fp32", "fp16", "bf16", "int8")),
        default="auto",
        help="Numeric precision; auto picks the fastest that detects the same.",
    ),
    click.option(
        "--backend",
        "--engine",
        "backend",
        type=click.Choice(("auto", *BACKENDS)),
        default="auto",
        help="Inference backend; auto benchmarks those that can run the model and picks the "
        "fastest.",
    ),
)
"""Options of how a model runs."""
threshold_options = all_of(
    click.option(
        "--conf", type=FiniteRange(0, 1), help="Confidence threshold.  [default: the model's]"
    ),
    keypoint_conf_option,
    iou_option,
    click.option(
        "--nms",
        type=click.Choice([kind.value for kind in NmsKind]),
        help="NMS algorithm.  [default: the model's]",
    ),
    click.option(
        "--sigma",
        type=FiniteRange(0.01, 1),
        help="Sigma of soft-gaussian NMS; larger values lower overlapping boxes less.  "
        "[default: the model's]",
    ),
)
"""Options that ``threshold_changes`` reads."""
data_option = click.option(
    "--data", "spec", required=True, metavar="SPEC", help=f"Data set: {FORMS}, or a path alone."
)
ground_truth_option = click.option(
    "--ground-truth",
    "--truth",
    metavar="SPEC",
    help=f"Annotations to compare with: {FORMS}, or a path alone.",
)
turn_options = all_of(
    click.option(
        "--rotate", type=click.Choice(("90", "180", "270")), help="Rotate frames clockwise."
    ),
    click.option("--mirror", is_flag=True, help="Swap left and right of all frames."),
)
"""Options that ``turn_of`` reads."""


def print_notes(spec: ModelSpec) -> None:
    """Print what is left out of a model's outputs to stderr."""
    for note in spec.named_notes:
        click.echo(f"Note: {note}", err=True)


def turn_of(given: Mapping[str, Any]) -> Turn | None:
    """Return the turn of ``turn_options``; None if neither option is given.

    Raises:
        click.UsageError: if mirrored frames are to be compared with ground truth.
    """
    if given["mirror"] and given["ground_truth"]:
        raise click.UsageError(
            "Mirrored frames can't be compared with ground truth: left and right would be swapped. "
            "Leave out --mirror or --ground-truth."
        )
    turn = Turn(int(given["rotate"] or 0), given["mirror"])
    return None if turn == Turn() else turn


def json_option(what: str) -> Callable[[click.decorators.FC], click.decorators.FC]:
    """Return the option ``--json FILE`` of a command that reports ``what``."""
    return click.option(
        "--json",
        "json_path",
        metavar="FILE",
        type=JsonPath(),
        help=f"Write {what} as JSON to FILE; - is stdout.",
    )


def threshold_changes(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of Thresholds that the options of thresholds and NMS set.

    Args:
        given: values of the options; None if an option is absent.
    """
    changes = {"score": given["conf"], "iou": given["iou"], "sigma": given["sigma"]}
    changes["keypoint"] = given["keypoint_conf"]
    changes["nms"] = NmsKind(given["nms"]) if given["nms"] else None
    return {name: value for name, value in changes.items() if value is not None}


def class_words(text: str | None) -> tuple[str, ...]:
    """Return the classes of ``--classes``, such as "a, b"; none if the option is absent.

    Raises:
        click.BadParameter: if it names none, which would be taken for all.
    """
    words = tuple(word.strip() for word in (text or "").split(",") if word.strip())
    if text is not None and not words:
        raise click.BadParameter("name a class at least, or leave it out", param_hint="--classes")
    return words


def class_scores(given: Iterable[str]) -> dict[str, float]:
    """Return the confidence thresholds of classes, given as "person=0.4", by class.

    Raises:
        click.BadParameter: if a text isn't a class and a number in [0, 1].
    """
    scores = {}
    for text in given:
        name, _, number = text.rpartition("=")
        try:
            scores[name] = FiniteRange(0, 1).convert(number, None, None)
        except click.BadParameter:
            name = ""
        if not name:
            raise click.BadParameter(
                f"it must be CLASS=N with N from 0 to 1, got {text!r}", param_hint="--class-conf"
            )
    return scores
