"""Export of a model to a file, which gets its name once it detects the same as torch."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from kpviewer.errors import KpviewerError
from kpviewer.exporting.formats import (
    OPSET,
    halve_weights,
    write_onnx,
    write_openvino,
    write_torchscript,
)
from kpviewer.exporting.graph import export_graph, output_kind
from kpviewer.exporting.int8 import int8_network
from kpviewer.exporting.metadata import metadata_of
from kpviewer.exporting.options import ExportOptions, Format, check_options, input_hw_of
from kpviewer.exporting.parity import Limits, Parity, compared, median_ms
from kpviewer.exporting.reading import torchscript_detector
from kpviewer.models.base import AnyDetector, DescribedDetector, Detector
from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.models.networks.darknet.opening import open_darknet
from kpviewer.models.networks.darknet.writing import write_darknet
from kpviewer.models.onnx.families.kpviewer import exported_spec
from kpviewer.models.opening.onnx_file import open_onnx
from kpviewer.models.opening.torch_loading import as_torch
from kpviewer.models.spec import ModelSpec
from kpviewer.runtime.executor import Executor
from kpviewer.runtime.torch.preprocess import Preprocessor
from kpviewer.structures import ImageArray
from kpviewer.system.paths import remove

_BACKENDS = {Format.OPENVINO: "openvino", Format.DARKNET: "torch"}
"""Backends that a written file is compared with; the others' is ONNX Runtime."""
EXACT = Limits(shift_px=0.5, shift_share=0.0, score=0.01, unmatched=0.0)
HALF = Limits(shift_px=0.5, shift_share=0.005, score=0.02, unmatched=0.0)
INT8 = Limits(shift_px=2.0, shift_share=0.05, score=0.1, unmatched=0.05)


@dataclass(frozen=True, slots=True)
class ExportReport:
    """A written file beside the original."""

    path: Path
    """The file, or the folder."""
    spec: ModelSpec
    """Description of the exported model."""
    size_bytes: int
    weights_bytes: int
    """Size of the original's weights in memory, bytes."""
    parity: Parity
    original_ms: float
    """Median time of an image: torch on the CPU, in single precision."""
    exported_ms: float


class _Written(NamedTuple):
    """A written file as it opens, and the description of its one size of input."""

    detector: AnyDetector
    spec: ModelSpec


@dataclass(frozen=True, slots=True)
class _Work:
    """An export under way."""

    detector: Detector
    out: Path
    options: ExportOptions
    input_hw: tuple[int, int]
    images: Sequence[ImageArray]
    partial: Path
    """Place of the file, or the folder, until it gets its name; no other export has it."""


def export(
    detector: AnyDetector, out: Path, options: ExportOptions, images: Sequence[ImageArray]
) -> ExportReport:
    """Write a model, compare it with torch, and give the file its name.

    Args:
        detector: detector on the CPU.
        out: path of the file, or of the folder for OpenVINO; replaced at the end. Darknet's three
            files are beside each other.
        options: what is written.
        images: (H, W, 3) uint8 BGR images for the comparison, at least one.

    Raises:
        KpviewerError: if the options or the name don't fit the model, it can't be exported, or the
            file doesn't detect the same as torch. Then nothing is left.
    """
    detector = as_torch(
        detector, "Use the file itself, or export it with the program that made it."
    )
    check_options(detector.spec, out, options)
    input_hw = input_hw_of(detector.spec, options.input_hw)
    partial = out.with_name(f"{out.name}.{secrets.token_hex(4)}.part")
    work = _Work(detector, out, options, input_hw, images, partial)
    try:
        report = _written(work)
        _take_name(work.partial, out.parent if options.format is Format.DARKNET else out)
    except OSError as error:
        raise KpviewerError(
            f"{out} can't be written: {error.strerror or error}. Is there such a folder, with room?"
        ) from error
    finally:
        remove(work.partial)
    return report


def _written(work: _Work) -> ExportReport:
    detector, options = work.detector, work.options
    is_darknet = options.format is Format.DARKNET
    given = _written_as_darknet(work) if is_darknet else _written_as_graph(work)
    spec = given.spec
    fixed = replace(
        detector.spec,
        input_hw=spec.input_hw,
        content_hw=spec.content_hw,
        stride=None,
        resize=spec.resize,
        padding=spec.padding,
    )
    original = Executor(DescribedDetector(detector, fixed), "cpu", "fp32", "torch")
    precision = "int8" if options.int8 else "fp32"
    backend = _BACKENDS.get(options.format, "onnxruntime")
    exported = Executor(given.detector, "cpu", precision, backend)
    limits = INT8 if options.int8 else HALF if options.half else EXACT
    parity = compared(original, exported, work.images, limits)
    parity.check(limits)
    original_ms, exported_ms = median_ms((original, exported), work.images[0])
    weights = [*detector.network.parameters(), *detector.network.buffers()]
    return ExportReport(
        work.out,
        spec,
        sum(file.stat().st_size for file in _files(work.partial)),
        sum(each.numel() * each.element_size() for each in weights),
        parity,
        original_ms,
        exported_ms,
    )


def _written_as_graph(work: _Work) -> _Written:
    """Write a graph with its decoding, and open it."""
    detector, options, input_hw = work.detector, work.options, work.input_hw
    kind = output_kind(detector, with_nms=options.nms)
    network = int8_network(detector) if options.int8 else None
    graph = export_graph(detector, kind, input_hw, network)
    spec = exported_spec(detector.spec, input_hw, kind)
    example = _input_of(work.images[0], spec)
    with torch.inference_mode():
        shape = tuple(graph(example).shape)
    arguments = {"half": options.half, "int8": options.int8, "dynamic": False, "opset": OPSET}
    entries = metadata_of(detector.spec, kind, input_hw, shape, arguments)
    return _Written(_write(graph, example, work, entries), spec)


def _written_as_darknet(work: _Work) -> _Written:
    """Write the files of Darknet, and open them."""
    work.partial.mkdir()
    path = write_darknet(work.detector, work.partial, work.out.stem, work.input_hw)
    opened = open_darknet(path)
    return _Written(opened, replace(opened.spec, stride=None))


def _input_of(bgr: ImageArray, spec: ModelSpec) -> torch.Tensor:
    """Return the graph's input for an image: a trace without any object may skip operations."""
    preprocess = Preprocessor(spec, torch.device("cpu"))
    box = letterbox_of(spec, (bgr.shape[0], bgr.shape[1]))
    return preprocess.normalised(preprocess.letterboxed(bgr, box)).contiguous()


def _write(
    graph: nn.Module, example: torch.Tensor, work: _Work, entries: dict[str, Any]
) -> AnyDetector:
    """Write the files of a format, and open them."""
    partial, options = work.partial, work.options
    if options.format is Format.TORCHSCRIPT:
        write_torchscript(graph, example, partial, entries)
        return torchscript_detector(partial, entries, work.input_hw)
    path = partial
    if options.format is Format.OPENVINO:
        partial.mkdir()
        name = work.out.name.removesuffix("_openvino_model") or work.out.name
        path = partial / f"{name}.onnx"
    write_onnx(graph, example, path, entries)
    if options.half:
        halve_weights(path)
    if options.format is Format.ONNX:
        return open_onnx(path)
    write_openvino(path, partial, name, entries)
    path.unlink()
    return open_onnx(path.with_suffix(".xml"))


def _files(path: Path) -> list[Path]:
    return sorted(path.iterdir()) if path.is_dir() else [path]


def _take_name(partial: Path, out: Path) -> None:
    """Move what was written to its place; other files of a folder stay."""
    if not partial.is_dir():
        partial.replace(out)
        return
    out.mkdir(exist_ok=True)
    for file in _files(partial):
        file.replace(out / file.name)
