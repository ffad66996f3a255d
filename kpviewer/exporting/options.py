"""Options of an export, checked against the model and the name of the file."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kpviewer.errors import InputError
from kpviewer.models.limits import check_input
from kpviewer.models.names.models import DARKNET_SUFFIXES
from kpviewer.models.spec import ModelSpec
from kpviewer.system.paths import is_utf8

MAX_SIDE_PX = 4096


class Format(StrEnum):
    """Format of an exported model."""

    ONNX = "onnx"
    OPENVINO = "openvino"
    TORCHSCRIPT = "torchscript"
    DARKNET = "darknet"


SUFFIXES = {
    Format.ONNX: (".onnx",),
    Format.TORCHSCRIPT: (".torchscript", ".pt"),
    Format.DARKNET: DARKNET_SUFFIXES,
}
"""Suffixes that files of a format must have; OpenVINO's is a folder."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What is written."""

    format: Format = Format.ONNX
    input_hw: tuple[int, int] | None = None
    """Height and width of the input, px; None: the model's largest."""
    half: bool = False
    """Whether weights are stored in half precision."""
    int8: bool = False
    """Whether convolutions are in 8-bit integers."""
    nms: bool = False
    """Whether the graph applies NMS, at the model's IoU threshold."""


def check_options(spec: ModelSpec, out: Path, options: ExportOptions) -> None:
    """Raise InputError if the options don't fit each other, the name or the model."""
    if not out.parent.is_dir():
        raise InputError(f"{out} can't be written: there is no such folder. Make it first.")
    if not is_utf8(str(out)):
        raise InputError(f"{out} isn't valid UTF-8, which exporters require. Rename it.")
    suffixes = SUFFIXES.get(options.format)
    if suffixes and out.suffix not in suffixes:
        raise InputError(
            f"A file of the format {options.format} must be named {' or '.join(suffixes)}, got "
            f"{out.name}. Change --out."
        )
    if not suffixes and (out.suffix in (".xml", ".bin", ".onnx") or out.is_file()):
        raise InputError(
            f"OpenVINO's format is a folder of three files, got {out.name}. Name a folder: "
            f"--out {out.with_suffix('').name}_openvino_model"
        )
    if options.format is Format.TORCHSCRIPT and (options.half or options.int8):
        raise InputError("--half and --int8 are for onnx and openvino. Change --format.")
    if options.format is Format.DARKNET and (options.half or options.int8 or options.nms):
        raise InputError(
            "Darknet's files hold weights in single precision and no NMS. Leave out --half, --int8 "
            "and --nms."
        )
    if options.half and options.int8:
        raise InputError("Weights are stored either in half precision or as int8. Choose one.")
    if options.int8 and not spec.activation_ranges:
        raise InputError(
            f"--int8 requires activation ranges, and {spec.name} has none. Measure them "
            "with: kpviewer calibrate MODEL --data SPEC --out FILE; then export FILE."
        )
    beside = out.with_suffix(".toml")
    if options.format in (Format.ONNX, Format.DARKNET) and beside.exists():
        raise InputError(
            f"{beside.name} would describe {out.name}, which describes itself. Move it, or "
            "change --out."
        )


def input_hw_of(spec: ModelSpec, input_hw: tuple[int, int] | None) -> tuple[int, int]:
    """Return the size of the input; raise InputError if the model doesn't take it."""
    if input_hw is None or input_hw == spec.input_hw:
        return spec.input_hw
    height, width = spec.input_hw
    if spec.stride is None:
        raise InputError(f"{spec.name} takes inputs of {height}x{width} px only. Omit --size.")
    try:
        check_input(input_hw, spec.stride)
    except ValueError as error:
        raise InputError(f"--size doesn't fit {spec.name}: {error}.") from error
    if max(input_hw) > MAX_SIDE_PX:
        raise InputError(f"Sides of --size are at most {MAX_SIDE_PX} px.")
    return input_hw
