"""Hashes of a model's content: weights, structure, and all else that candidates depend on."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kpviewer.models.onnx.network import OnnxNetwork
from kpviewer.models.spec import ModelSpec

if TYPE_CHECKING:
    from torch import nn

    from kpviewer.models.base import AnyDetector

_IRRELEVANT = (
    *("name", "licence", "trained_on", "notes", "activation_ranges", "skeleton"),
    *("mirrored_keypoints", "score_threshold", "iou_threshold", "nms", "keypoint_threshold"),
)
"""Fields of a description that change no candidate of the model itself."""
_KNOWN_CODE = ("kpviewer", "torch", "torchvision", "builtins")
"""Packages whose code isn't part of a hash."""
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
"""Address of an object in its text, different in each process."""


def model_hash(detector: AnyDetector) -> str | None:
    """Return a hash of everything that a model's candidates depend on, except how it is run.

    That is: weights and structure, size and form of the input, names of classes and keypoints,
    layout of the outputs, and the same of both stages of a two-stage detector. Of the user's own
    code it is the file of the class. Device, backend, precision and the name of the model don't
    count, nor do the default thresholds.

    Returns:
        64 hexadecimal digits; None if a file of the model can't be read any more.
    """
    content = network_content(detector.network)
    if content is None:
        return None
    digest = hashlib.blake2b(content.encode(), digest_size=32)
    for number, part in enumerate(_parts(detector, set())):
        digest.update(_described(part, is_whole=number == 0).encode("utf-8", "replace"))
    return digest.hexdigest()


def network_content(network: nn.Module | OnnxNetwork) -> str | None:
    """Return a hash of a model's files, or of the structure and weights of a network.

    Returns:
        None if a file can't be read, or the network doesn't come from one that is known.
    """
    if isinstance(network, OnnxNetwork):
        return network.session.facts.content()
    import torch  # noqa: PLC0415 - the network has imported it

    digest = hashlib.blake2b(_ADDRESS.sub("", repr(network)).encode("utf-8", "replace"))
    for name, value in network.state_dict().items():
        digest.update(name.encode("utf-8", "replace"))
        digest.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
    for module in network.modules():
        if isinstance(file := getattr(module, "file", None), OnnxNetwork):
            inside = file.session.facts.content()
            if inside is None:
                return None
            digest.update(inside.encode())
    return digest.hexdigest()


def _parts(part: Any, seen: set[int]) -> Iterator[Any]:
    """Yield a detector and those inside it: parts that have a description of their own."""
    if id(part) in seen:
        return
    seen.add(id(part))
    yield part
    modules = part.network.modules() if hasattr(part.network, "modules") else ()
    for holder in (part, *modules):
        for value in vars(holder).values() if hasattr(holder, "__dict__") else ():
            if isinstance(getattr(value, "spec", None), ModelSpec) and hasattr(value, "network"):
                yield from _parts(value, seen)


def _described(part: Any, *, is_whole: bool) -> str:
    """Return the text of a part: its kind, its description, and its own code."""
    spec = asdict(part.spec)
    if is_whole:
        spec = {name: value for name, value in spec.items() if name not in _IRRELEVANT}
    texts = [
        f"{type(part).__module__}.{type(part).__qualname__}",
        json.dumps(spec, sort_keys=True),
        str(getattr(part, "identity", "")),
        _function_name(getattr(part, "read", None)),
        *(_own_code(each) for each in (type(part), type(part.network))),
    ]
    return "\n".join(texts)


def _function_name(function: Any) -> str:
    if isinstance(function, partial):
        return f"{_function_name(function.func)} {function.args} {function.keywords}"
    return str(getattr(function, "__qualname__", ""))


def _own_code(kind: type) -> str:
    """Return a hash of the file of a class that the user wrote; empty for known packages."""
    if kind.__module__.partition(".")[0] in _KNOWN_CODE:
        return ""
    path = getattr(sys.modules.get(kind.__module__), "__file__", None)
    try:
        return hashlib.blake2b(Path(path).read_bytes()).hexdigest() if path else ""
    except OSError:
        return ""
