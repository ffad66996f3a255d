"""What the graph of a network of torch depends on, so that its compilation can be kept."""

from __future__ import annotations

import hashlib
from importlib import metadata
from typing import TYPE_CHECKING

from kpviewer.runtime.content import model_hash

if TYPE_CHECKING:
    from kpviewer.models.base import Detector

_OWN = ("kpviewer", "torch")
"""Packages whose code is known, by their versions, sizes and times of files."""


def graph_content(detector: Detector) -> str | None:
    """Return a hash of weights, description and code; None if it depends on code of others.

    Args:
        detector: network of torch, description and decoding.
    """
    kinds = [type(each) for each in (detector, *detector.network.modules())]
    if any(kind.__module__.partition(".")[0] not in _OWN for kind in kinds):
        return None
    content = model_hash(detector)
    if content is None:
        return None
    parts = [content, detector.spec.to_json(), f"torch {metadata.version('torch')}"]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()
