"""Detector of an exported TorchScript file; kpviewer itself doesn't open such files."""

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from kpviewer.exporting.formats import INPUT, OUTPUT
from kpviewer.exporting.metadata import as_texts
from kpviewer.models.onnx.description import Channels
from kpviewer.models.onnx.facts import FileFacts, Port
from kpviewer.models.onnx.families.kpviewer import recognise
from kpviewer.models.onnx.inputs import image_input
from kpviewer.models.onnx.network import OnnxNetwork
from kpviewer.models.opening.onnx_file import OnnxDetector


class _Session:
    """A file that runs by a function from images to the output."""

    def __init__(self, facts: FileFacts, run: Callable[[NDArray[Any]], NDArray[Any]]) -> None:
        self.facts = facts
        self._run = run

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run once."""
        return {OUTPUT: self._run(feeds[INPUT])}


def torchscript_detector(
    path: Path, entries: Mapping[str, Any], input_hw: tuple[int, int]
) -> OnnxDetector:
    """Return the detector of a TorchScript file that was just written by this process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch advises its other formats
        script: Any = torch.jit.load(str(path))  # type: ignore[no-untyped-call]

    @torch.inference_mode()
    def run(images: NDArray[Any]) -> NDArray[Any]:
        output: NDArray[Any] = script(torch.from_numpy(images)).numpy()
        return output

    port = Port(INPUT, (1, 3, *input_hw))
    facts = FileFacts("exported", (port,), {OUTPUT: (None,)}, as_texts(dict(entries)))
    (found,) = recognise(facts)
    assert found.spec is not None
    network = OnnxNetwork(_Session(facts, run), image_input(facts), Channels.RGB)
    return OnnxDetector(found.spec, network, found.description)
