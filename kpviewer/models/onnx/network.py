"""The network of a model in a file: a session, and the form of its input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpviewer.models.onnx.description import Channels
from kpviewer.models.onnx.inputs import ImageInput
from kpviewer.models.onnx.readers.columns import Outputs
from kpviewer.models.onnx.session import Session
from kpviewer.structures import FloatArray


class OnnxNetwork:
    """A graph in a session, from images to its outputs.

    It has no parameters, so copies share the session.
    """

    def __init__(self, session: Session, image: ImageInput, channels: Channels) -> None:
        self.session, self.image, self.channels = session, image, channels

    def __deepcopy__(self, memo: dict[int, Any]) -> OnnxNetwork:
        return self

    def with_session(self, session: Session) -> OnnxNetwork:
        """Return a network that runs the same graph in another session."""
        return OnnxNetwork(session, self.image, self.channels)

    def __call__(self, planes: FloatArray) -> list[Outputs]:
        """Run each image of (B, 3, H, W) normalised RGB, and return its outputs by name."""
        if self.channels is Channels.BGR:
            planes = planes[:, ::-1]
        batch = np.ascontiguousarray(planes, np.float32)
        return [self.run(self.session, self.image.feeds(image)) for image in batch]

    def run(self, session: Session, feeds: Mapping[str, NDArray[Any]]) -> Outputs:
        """Run a session; return the outputs of the first image by name, with a batch axis of 1."""
        return self.first(session.run(feeds))

    def first(self, outputs: Mapping[str, NDArray[Any]]) -> Outputs:
        """Return the outputs of the first image by name, with a batch axis of 1."""
        shapes, batch = self.session.facts.outputs, self.image.batch
        return {
            name: value[:1] if batch > 1 and shapes[name][:1] == (batch,) else value
            for name, value in outputs.items()
        }
