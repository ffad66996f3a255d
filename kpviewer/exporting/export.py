"""Export of a model to a file, which gets its name once it detects the same as torch."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
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
from kpviewer.exporting.parity import Limits, Parity, compared, milliseconds
from kpviewer.exporting.reading import torchscript_detector
from kpviewer.models.base import AnyDetector, DecodedBatch, Detector
from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.models.networks.darknet.opening import open_darknet
from kpviewer.models.networks.darknet.writing import write_darknet
from kpviewer.models.onnx.families.kpviewer import exported_spec
from kpviewer.models.onnx.network import OnnxNetwork
from kpviewer.models.opening.onnx_file import open_onnx
from kpviewer.models.opening.shipped_graph import shipped_name
from kpviewer.models.opening.torch_loading import as_torch
from kpviewer.models.spec import ModelSpec
from kpviewer.runtime.executor import Executor
from kpviewer.runtime.torch.preprocess import Preprocessor
from kpviewer.structures import ImageArray

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


class _FixedDetector:
    """A detector with one size of input: what an export is compared with."""

    def __init__(self, detector: Detector, spec: ModelSpec) -> None:
        self._detector, self.spec = detector, spec

    @property
    def network(self) -> nn.Module:
        """Network of the detector."""
        return self._detector.network

    def decode(self, raw: Any, input_hw: tuple[int, int]) -> DecodedBatch:
        """Decode as the detector does."""
        return self._detector.decode(raw, input_hw)


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
    detector = _of_torch(detector)
    check_options(detector.spec, out, options)
    input_hw = input_hw_of(detector.spec, options.input_hw)
    partial = out.with_name(out.name + ".part")
    _remove(partial)
    try:
        report = _written(detector, partial, out, options, (input_hw, images))
        _take_name(partial, out.parent if options.format is Format.DARKNET else out)
    except OSError as error:
        raise KpviewerError(
            f"{out} can't be written: {error.strerror or error}. Is there such a folder, with room?"
        ) from error
    finally:
        _remove(partial)
    return report


def _of_torch(detector: AnyDetector) -> Detector:
    """Return the detector's network of torch; raise KpviewerError if it is a model in a file."""
    if isinstance(detector.network, OnnxNetwork) and shipped_name(detector) is None:
        raise KpviewerError(
            f"{detector.spec.name} is run by another library, so kpviewer can't export it. "
            "Use the file itself, or export it with the program that made it."
        )
    return as_torch(detector)


def _written(
    detector: Detector,
    partial: Path,
    out: Path,
    options: ExportOptions,
    inputs: tuple[tuple[int, int], Sequence[ImageArray]],
) -> ExportReport:
    images = inputs[1]
    if options.format is Format.DARKNET:
        given = _written_as_darknet(detector, partial, out, inputs[0])
    else:
        given = _written_as_graph(detector, partial, out, options, inputs)
    spec = given.spec
    fixed = replace(
        detector.spec,
        input_hw=spec.input_hw,
        content_hw=spec.content_hw,
        stride=None,
        resize=spec.resize,
        padding=spec.padding,
    )
    original = Executor(_FixedDetector(detector, fixed), "cpu", "fp32", "torch")
    precision = "int8" if options.int8 else "fp32"
    backend = _BACKENDS.get(options.format, "onnxruntime")
    exported = Executor(given.detector, "cpu", precision, backend)
    limits = INT8 if options.int8 else HALF if options.half else EXACT
    parity = compared(original, exported, images, limits)
    parity.check(limits)
    original_ms, exported_ms = milliseconds((original, exported), images[0])
    weights = [*detector.network.parameters(), *detector.network.buffers()]
    return ExportReport(
        out,
        spec,
        sum(file.stat().st_size for file in _files(partial)),
        sum(each.numel() * each.element_size() for each in weights),
        parity,
        original_ms,
        exported_ms,
    )


def _written_as_graph(
    detector: Detector,
    partial: Path,
    out: Path,
    options: ExportOptions,
    inputs: tuple[tuple[int, int], Sequence[ImageArray]],
) -> _Written:
    """Write a graph with its decoding, and open it."""
    input_hw, images = inputs
    kind = output_kind(detector, with_nms=options.nms)
    network = int8_network(detector) if options.int8 else None
    graph = export_graph(detector, kind, input_hw, network)
    spec = exported_spec(detector.spec, input_hw, kind)
    example = _input_of(images[0], spec)
    with torch.inference_mode():
        shape = tuple(graph(example).shape)
    arguments = {"half": options.half, "int8": options.int8, "dynamic": False, "opset": OPSET}
    entries = metadata_of(detector.spec, kind, input_hw, shape, arguments)
    read = _write(graph, example, partial, out, (options, entries))
    return _Written(read(), spec)


def _written_as_darknet(
    detector: Detector, partial: Path, out: Path, input_hw: tuple[int, int]
) -> _Written:
    """Write the files of Darknet, and open them."""
    partial.mkdir()
    opened = open_darknet(write_darknet(detector, partial, out.stem, input_hw))
    return _Written(opened, replace(opened.spec, stride=None))


def _input_of(bgr: ImageArray, spec: ModelSpec) -> torch.Tensor:
    """Return the graph's input for an image: a trace without any object may skip operations."""
    preprocess = Preprocessor(spec, torch.device("cpu"))
    box = letterbox_of(spec, (bgr.shape[0], bgr.shape[1]))
    return preprocess.normalised(preprocess.letterboxed(bgr, box)).contiguous()


def _write(
    graph: nn.Module,
    example: torch.Tensor,
    partial: Path,
    out: Path,
    what: tuple[ExportOptions, dict[str, Any]],
) -> Callable[[], AnyDetector]:
    """Write the files of a format; return the function that opens them."""
    options, entries = what
    input_hw = (example.shape[2], example.shape[3])
    if options.format is Format.TORCHSCRIPT:
        write_torchscript(graph, example, partial, entries)
        return lambda: torchscript_detector(partial, entries, input_hw)
    if options.format is Format.ONNX:
        write_onnx(graph, example, partial, entries)
        if options.half:
            halve_weights(partial)
        return lambda: open_onnx(partial)
    partial.mkdir()
    name = out.name.removesuffix("_openvino_model") or out.name
    step = partial / f"{name}.onnx"
    write_onnx(graph, example, step, entries)
    if options.half:
        halve_weights(step)
    write_openvino(step, partial, name, entries)
    step.unlink()
    return lambda: open_onnx(partial / f"{name}.xml")


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


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
