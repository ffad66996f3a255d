"""Conversion of a torch network to an OpenVINO model, by export.

``torch.jit.trace`` is only the fallback: it registers each trace in a unit of the process that only
grows, by 8 to 11 MB for each load of a shipped model. An exported program is freed like any object.
"""

import linecache
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import graph_module

from kpviewer.errors import PipelineError
from kpviewer.models.libraries.inference import library
from kpviewer.models.libraries.tracing import tracing_alone
from kpviewer.models.tables import first_line
from kpviewer.runtime.process.garbage import keep_more, without_collection

_log = logging.getLogger(__name__)

_PYTORCH = "openvino.frontend.pytorch"


def openvino_model(graph: nn.Module, example: Tensor) -> Any:
    """Convert a network for inputs of one shape.

    Raises:
        PipelineError: if the network is of a kind that can't be compiled.
    """
    for module in graph.modules():
        if refusal := getattr(module, "compile_refusal", None):
            raise PipelineError(refusal)
    with torch.inference_mode(False), torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about sizes that become constants, as intended
        graph(example)  # values cached by size must not become part of the graph
        try:
            with tracing_alone(), _forgotten_sources():
                decoder = _exported(graph, example)
        except Exception as error:  # export may fail for a user's network in any way
            _log.info("Traced, as it can't be exported: %s", first_line(error))
            decoder = _traced(graph, example)
    frontend = library("openvino.frontend").FrontEndManager().load_by_framework("pytorch")
    model = frontend.convert(frontend.load(decoder))
    model.reshape(list(example.shape))
    return model


def _exported(graph: nn.Module, example: Tensor) -> Any:
    """Export a network; return the decoder for OpenVINO's frontend."""
    _import_exporter()
    return _decoder(graph, example)


@cache
def _import_exporter() -> None:
    """Import what exporting needs, 190,000 objects, by exporting a network of one layer."""
    with without_collection():
        _decoder(nn.Identity(), torch.zeros(1))
        keep_more()


def _decoder(graph: nn.Module, example: Tensor) -> Any:
    program = torch.export.export(graph, (example,), strict=False)
    program = program.run_decompositions(_decompositions())
    decoders = library(f"{_PYTORCH}.fx_decoder")
    return decoders.TorchFXPythonDecoder(program.module(), dynamic_shapes=False)


def _traced(graph: nn.Module, example: Tensor) -> Any:
    """Trace a network; return the decoder for OpenVINO's frontend."""
    traced = torch.jit.trace(  # type: ignore[no-untyped-call]
        graph, example, check_trace=False
    )
    decoders = library(f"{_PYTORCH}.ts_decoder")
    return decoders.TorchScriptPythonDecoder(traced, example_input=example)


@contextmanager
def _forgotten_sources() -> Iterator[None]:
    """Drop the code of graphs that ``torch.fx`` keeps for tracebacks: 1.4 MB per export."""
    kept: dict[str, str] = getattr(getattr(graph_module, "_loader", None), "eval_cache", {})
    before = set(kept)
    try:
        yield
    finally:
        for name in set(kept) - before:
            del kept[name]
            linecache.cache.pop(name, None)


@cache
def _decompositions() -> Any:
    """Return the decompositions of operations that OpenVINO lacks."""
    from torch.export.decomp_utils import CustomDecompTable  # noqa: PLC0415 - takes a second

    table: Any = CustomDecompTable()  # type: ignore[no-untyped-call]
    own = library(f"{_PYTORCH}.torchdynamo.export_decompositions").ops_to_not_decompose()
    for operation in own:
        with suppress(KeyError):
            table.pop(operation)
    return table
