"""Write the graphs of the shipped models: ``weights/NAME.onnx``, which kpviewer runs.

    python scripts/shipped_graphs.py

A graph takes any number of normalised images of any size that the model takes, and returns packed
candidates. It holds no weights: its constants are the tensors of ``NAME.safetensors``, by their
offset in that file, converted from half precision. Run this after a change of a weight file, as
offsets may move: until then, its graph is refused.
"""

import json
import struct
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import onnx
import torch
from onnx import TensorProto, helper
from torch import Tensor, nn

from kpviewer.exporting.formats import OPSET
from kpviewer.models.base import Detector
from kpviewer.models.libraries.tracing import tracing_alone
from kpviewer.models.names.tensors import current_name
from kpviewer.models.networks.points.network import PointDetector, without_tta
from kpviewer.models.networks.points.refiner import WINDOW
from kpviewer.models.opening.shipped_graph import (
    CANDIDATES,
    GRAPHS,
    IMAGES,
    MARGIN,
    READERS,
    REFINERS,
    WEIGHTS,
    header_hash,
    weight_file,
)
from kpviewer.models.opening.torch_loading import open_in_torch
from kpviewer.runtime.sessions.refining import PLACES, REFINED, ROUGH, ROWS, TEMPLATE, WINDOWS
from kpviewer.runtime.torch.runner import packed_tensor
from kpviewer.shipped import shipped_weights_dir

_EXAMPLE_HW = (256, 320)
"""Size of the image that a graph is traced with, px."""


class Graph(nn.Module):
    """A detector's network and decoding, (B, 3, H, W) -> (B, M, 4 + C + 2K)."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.network = detector.network
        self._detector = detector

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Detect in normalised images; return the candidates and what is refined, if anything."""
        size = (images.shape[2], images.shape[3])
        raw = self.network(images)
        return packed_tensor(self._detector.decode(raw, size)), *(
            getattr(raw, "refinement", None) or ()
        )


class RefinerGraph(nn.Module):
    """A detector's refiner, from (N, 3, 64, 64) windows to (N, K, 2) points in window units."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, windows: Tensor) -> Tensor:
        """Read normalised windows."""
        places: Tensor = self.network.point_refiner.read(windows)
        return places


class Stored(NamedTuple):
    """A tensor in a weight file."""

    file: str
    offset: int
    length: int
    shape: tuple[int, ...]


def stored_tensors(path: Path) -> Iterator[tuple[str, Stored]]:
    """Yield name and place of each tensor in half precision of a safetensors file."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    for name, entry in header.items():
        if entry.get("dtype") == "F16":
            start, end = entry["data_offsets"]
            place = Stored(path.name, 8 + length + start, end - start, tuple(entry["shape"]))
            yield current_name(name), place


def weights_of(model: str) -> dict[str, Stored]:
    """Return the stored tensors of a shipped model by their names in its network."""
    return dict(stored_tensors(weight_file(model)))


def traced(module: nn.Module, example: Tensor, names: Sequence[str], axes: dict[int, str]) -> Any:
    """Return the graph of a module as an ONNX model, with its weights inside.

    Args:
        module: module of one input.
        example: the input to trace it with.
        names: names of the input and the outputs.
        axes: names of the axes of the input that may have any size.
    """
    path = Path(f"{names[0]}.part")
    try:
        with tracing_alone(), torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about constants, as intended
            torch.onnx.export(
                module.eval(),
                (example,),
                str(path),
                input_names=[names[0]],
                output_names=list(names[1:]),
                opset_version=OPSET,
                dynamo=False,
                do_constant_folding=False,  # tensors keep their names
                training=torch.onnx.TrainingMode.PRESERVE,  # norms aren't folded
                dynamic_axes={names[0]: axes},
            )
        return onnx.load(str(path))
    finally:
        path.unlink(missing_ok=True)


def traced_detector(detector: Detector) -> Any:
    """Return the graph of a shipped model as an ONNX model, with its weights inside."""
    is_fixed = detector.spec.stride is None
    example = torch.zeros(1, 3, *(detector.spec.input_hw if is_fixed else _EXAMPLE_HW))
    sides = {} if is_fixed else {2: "height", 3: "width"}
    has_refiner = getattr(detector.network, "point_refiner", None) is not None
    names = [IMAGES, CANDIDATES, *([ROWS, ROUGH, REFINED] if has_refiner else [])]
    return traced(Graph(detector), example, names, {0: "batch", **sides})


def without_weights(model: Any, weights: dict[str, Stored]) -> Any:
    """Return a graph whose constants of these names are read from the weight files."""
    casts = []
    for tensor in model.graph.initializer:
        name, place = tensor.name, weights.get(tensor.name.removeprefix("network."))
        if place is None:
            continue
        if place.shape != tuple(tensor.dims):
            raise SystemExit(f"{name} has shape {tuple(tensor.dims)}, in the file {place.shape}")
        stored = TensorProto(
            name=f"{name}.half",
            data_type=TensorProto.FLOAT16,
            dims=tensor.dims,
            data_location=TensorProto.EXTERNAL,
        )
        entries = {"location": place.file, "offset": place.offset, "length": place.length}
        for key, value in entries.items():
            stored.external_data.add(key=key, value=str(value))
        tensor.CopyFrom(stored)
        casts.append(helper.make_node("Cast", [stored.name], [name], to=TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*casts, *nodes])
    return model


def for_any_size(model: Any) -> Any:
    """Limit the number of the best candidates to those that an input has."""
    nodes = []
    for node in model.graph.node:
        if node.op_type == "TopK":
            axis = next((each.i for each in node.attribute if each.name == "axis"), -1)
            values, count = node.input
            length, limited = f"{node.output[0]}.length", f"{node.output[0]}.count"
            end = {"end": axis + 1} if axis != -1 else {}
            nodes.append(helper.make_node("Shape", [values], [length], start=axis, **end))
            nodes.append(helper.make_node("Min", [count, length], [limited]))
            node.input[1] = limited
        nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def shortened(model: Any) -> Any:
    """Remove what is for people from a graph: names of nodes, and where in the code they are."""
    model.ClearField("doc_string")
    model.graph.ClearField("doc_string")
    model.graph.ClearField("value_info")
    for node in model.graph.node:
        node.ClearField("name")
        node.ClearField("doc_string")
        del node.metadata_props[:]
    return model


def graph_of(model: str) -> Any:
    """Return the graph of a shipped model, as its file holds it."""
    detector = open_in_torch(model)
    refiner = getattr(detector.network, "point_refiner", None)
    template = {} if refiner is None else {TEMPLATE: json.dumps(refiner.template.tolist())}
    return _stored(traced_detector(detector), model, template)


def reader_of(model: str) -> Any:
    """Return the graph of a shipped model that reads crops once, as its file holds it."""
    detector = open_in_torch(model)
    assert isinstance(detector, PointDetector)
    margin = {MARGIN: str(float(detector.network.crop_margin))}
    return _stored(traced_detector(without_tta(detector)), model, margin)


def refiner_of(model: str) -> Any:
    """Return the graph of a shipped model's refiner, as its file holds it."""
    module = RefinerGraph(open_in_torch(model).network)
    example = torch.zeros(2, 3, WINDOW, WINDOW)
    return _stored(traced(module, example, [WINDOWS, PLACES], {0: "windows"}), model, {})


def _stored(traced_graph: Any, model: str, properties: dict[str, str]) -> Any:
    graph = shortened(for_any_size(without_weights(traced_graph, weights_of(model))))
    helper.set_model_props(graph, {WEIGHTS: header_hash(weight_file(model)), **properties})
    return graph


def main() -> None:
    """Write every graph."""
    graphs = {file: graph_of(model) for model, file in GRAPHS.items()}
    graphs |= {file: reader_of(model) for model, file in READERS.items()}
    graphs |= {file: refiner_of(model) for model, file in REFINERS.items()}
    for file, graph in graphs.items():
        path = shipped_weights_dir() / file
        path.write_bytes(graph.SerializeToString(deterministic=True))
        print(f"{path.name}: {path.stat().st_size:,} bytes, {len(graph.graph.node)} nodes")


if __name__ == "__main__":
    main()
