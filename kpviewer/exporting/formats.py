"""Writers of the formats: ONNX, OpenVINO and TorchScript."""

import io
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from torch import Tensor, nn

from kpviewer.errors import KpviewerError
from kpviewer.exporting.metadata import as_texts
from kpviewer.models.libraries.inference import library, openvino_core
from kpviewer.models.libraries.tracing import tracing_alone
from kpviewer.models.onnx.openvino.metadata import METADATA_FILE
from kpviewer.models.tables import first_line

OPSET = 17
"""Version of ONNX's operators: the newest that torch's exporter by tracing writes without other
packages; grid sampling needs 16."""
INPUT, OUTPUT = "images", "output0"
"""Names of the input and the output, as in Ultralytics' exports."""
TORCHSCRIPT_ENTRY = "config.txt"
"""Name of the extra file with the metadata, as in Ultralytics' exports."""
_WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
"""Operators whose constant inputs are weights."""


def write_onnx(graph: nn.Module, example: Tensor, path: Path, entries: dict[str, Any]) -> None:
    """Write a graph as an ONNX file.

    Raises:
        KpviewerError: if torch can't export the graph.
        OSError: if the file can't be written.
    """
    onnx = _onnx()
    try:
        with tracing_alone(), torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about sizes that become constants, as intended
            graph(example)  # values cached by size are constants, not part of the graph
            torch.onnx.export(
                graph,
                (example,),
                str(path),
                input_names=[INPUT],
                output_names=[OUTPUT],
                opset_version=OPSET,
                dynamo=False,  # the other exporter needs onnxscript
            )
    except OSError:
        raise
    except Exception as error:  # the exporter may fail for a user's network in any way
        raise KpviewerError(
            f"torch can't export this model to ONNX: {first_line(error)}. "
            "Its network may have operations that ONNX lacks."
        ) from error
    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, as_texts(entries))
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def halve_weights(path: Path) -> None:
    """Store the weights of an ONNX file in half precision; they are computed with as before.

    Runtimes convert them once, when they open the file.
    """
    onnx = _onnx()
    model = onnx.load(str(path))
    weights = {
        name for node in model.graph.node if node.op_type in _WEIGHTED for name in node.input
    }
    nodes = []
    for tensor in model.graph.initializer:
        if tensor.name not in weights or tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        values = onnx.numpy_helper.to_array(tensor)
        if np.abs(values).max(initial=0) > np.finfo(np.float16).max:
            continue
        name, stored = tensor.name, f"{tensor.name}.half"
        tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), stored))
        nodes.append(onnx.helper.make_node("Cast", [stored], [name], to=onnx.TensorProto.FLOAT))
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *rest])
    onnx.save(model, str(path))


def write_openvino(onnx_path: Path, folder: Path, name: str, entries: dict[str, Any]) -> None:
    """Convert an ONNX file to OpenVINO: NAME.xml, NAME.bin and metadata.yaml in a folder.

    Raises:
        KpviewerError: if OpenVINO isn't installed.
    """
    try:
        openvino = library("openvino")
    except ImportError as error:
        raise KpviewerError("This format needs OpenVINO: pip install openvino") from error
    model = openvino_core().read_model(str(onnx_path))
    for key, text in as_texts(entries).items():
        model.set_rt_info(text, ["model_info", key])
    folder.mkdir(parents=True, exist_ok=True)
    # weights in half precision are in the ONNX file already
    openvino.save_model(model, str(folder / f"{name}.xml"), compress_to_fp16=False)
    text = yaml.safe_dump(entries, sort_keys=False, allow_unicode=True)
    (folder / METADATA_FILE).write_text(text, "utf-8")


def write_torchscript(
    graph: nn.Module, example: Tensor, path: Path, entries: dict[str, Any]
) -> None:
    """Trace a graph and write it as a TorchScript file.

    Raises:
        KpviewerError: if torch can't trace the graph.
        OSError: if the file can't be written.
    """
    content = io.BytesIO()
    try:
        with tracing_alone(), torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about sizes that become constants, as intended
            graph(example)
            traced: Any = torch.jit.trace(  # type: ignore[no-untyped-call]
                graph, example, check_trace=False
            )
            extra = {TORCHSCRIPT_ENTRY: json.dumps(entries)}
            torch.jit.save(traced, content, _extra_files=extra)
    except Exception as error:  # tracing may fail for a user's network in any way
        raise KpviewerError(f"torch can't trace this model: {first_line(error)}.") from error
    path.write_bytes(content.getbuffer())


def _onnx() -> Any:
    try:
        import onnx  # noqa: PLC0415 - the other commands don't need it
    except ImportError as error:
        raise KpviewerError("Export needs the package onnx: pip install onnx") from error
    return onnx
