"""The graph of a torch network, from pixels to candidates: for a compiler, and eager until then."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property, partial
from importlib import metadata
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kpviewer.models.base import Detector
from kpviewer.models.libraries.compiled_models import Compiler
from kpviewer.models.libraries.inference import library
from kpviewer.models.libraries.openvino_requests import CompiledModel, CompiledModels, cpu_settings
from kpviewer.runtime.content import model_hash
from kpviewer.runtime.torch.conversion import openvino_model
from kpviewer.runtime.torch.fusion import fused
from kpviewer.runtime.torch.int8 import rounded
from kpviewer.runtime.torch.preprocess import Preprocessor
from kpviewer.runtime.torch.runner import packed_tensor
from kpviewer.structures import FloatArray

_OWN = ("kpviewer", "torch")
"""Packages whose code is known, by their versions, sizes and times of files."""


class TorchGraph:
    """A torch network from letterboxed images to packed candidates, for ``OpenVinoRunner``.

    The network is copied when it is needed first: one whose compilation was kept needs no copy.
    """

    takes_batches, compiles_at_once = True, False

    def __init__(
        self, detector: Detector, preprocess: Preprocessor, precision: str, threads: int
    ) -> None:
        self._detector, self._preprocess = detector, preprocess
        self._in_int8 = precision == "int8"
        self._settings = {
            "PERFORMANCE_HINT": "LATENCY",
            **cpu_settings(threads),
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
        }
        self._compiled = CompiledModels()

    @cached_property
    def _module(self) -> _PixelModule:
        return _PixelModule(self._detector, self._preprocess, in_int8=self._in_int8)

    @cached_property
    def _content(self) -> str | None:
        """Text that the converted graph depends on; None if it can't be known."""
        content = graph_content(self._detector)
        return content and f"{content} {self._in_int8}"

    def run(self, rows: NDArray[Any]) -> FloatArray:
        """Run eagerly, on torch's threads."""
        module = self._module  # copied in here, it couldn't be exported
        with torch.inference_mode():
            candidates: FloatArray = module(torch.from_numpy(rows)).numpy()
        return candidates

    def is_compiled(self, rows: NDArray[Any]) -> bool:
        """Return whether images of this shape run without being compiled for."""
        return rows.shape in self._compiled

    def compiled(self, rows: NDArray[Any]) -> CompiledModel:
        """Return OpenVINO's model of the graph for images of this shape."""
        return self._compiled.of(rows.shape, partial(self._compiled_for, rows.shape))

    def _compiled_for(self, shape: tuple[int, ...]) -> CompiledModel:
        content = self._content and f"{self._content} {shape}"
        compiler = Compiler(partial(self._converted, shape), "CPU", content)
        blank = np.zeros(shape, np.uint8)
        return CompiledModel(compiler, self._settings, lambda _: {0: blank})

    def _converted(self, shape: tuple[int, ...]) -> Any:
        model = openvino_model(self._module, torch.zeros(*shape, dtype=torch.uint8))
        passes = library("openvino.passes")
        manager = passes.Manager()
        manager.register_pass(passes.ConstantFolding())  # int8 needs constant ranges
        manager.run_passes(model)
        return model

    def values(self, rows: NDArray[Any]) -> dict[int, NDArray[Any]]:
        """Return the input of the graph by index."""
        return {0: rows}

    def decode(self, found: Sequence[NDArray[Any]], *_: object, **__: object) -> FloatArray:
        """Return the output: the graph has decoded it."""
        return found[0]


class _PixelModule(nn.Module):
    """The module to compile, from pixels to packed candidates."""

    def __init__(self, detector: Detector, preprocess: Preprocessor, *, in_int8: bool) -> None:
        super().__init__()
        self._network = fused(detector.network)
        if in_int8:
            self._network = rounded(self._network, detector.spec.ranges_by_name)
        self._detector, self._preprocess = detector, preprocess

    def forward(self, rows: Tensor) -> Tensor:
        """Return the candidates of each image: (B, M, 4 + C + 2K)."""
        image = self._preprocess.normalised(rows)
        raw = self._network(image)
        return packed_tensor(self._detector.decode(raw, (image.shape[2], image.shape[3])))


def graph_content(detector: Detector) -> str | None:
    """Return a hash of weights, description and code; None if it depends on code of others."""
    kinds = [type(each) for each in (detector, *detector.network.modules())]
    if any(kind.__module__.partition(".")[0] not in _OWN for kind in kinds):
        return None
    content = model_hash(detector)
    if content is None:
        return None
    parts = [content, detector.spec.to_json(), f"torch {metadata.version('torch')}"]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()
