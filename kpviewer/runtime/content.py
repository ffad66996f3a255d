"""Hashes of a model's content: weights, structure, and all else that candidates depend on.

Nothing in a hash is the name or the place of a class of kpviewer, so they can be renamed or merged.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kpviewer.models.onnx.network import OnnxNetwork
from kpviewer.models.spec import ModelSpec
from kpviewer.models.tables import changed_fields
from kpviewer.models.top_down import TopDownNetwork

if TYPE_CHECKING:
    from torch import nn

    from kpviewer.models.base import AnyDetector

_IRRELEVANT = (
    *("name", "licence", "trained_on", "notes"),
    *("activation_ranges", "skeleton", "mirrored_keypoints"),
)
"""Fields of a description that change no candidate."""
_THRESHOLDS = ("score_threshold", "iou_threshold", "nms", "keypoint_threshold")
"""Fields that change no candidate of the model itself, but perhaps those of a model around it."""
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
        64 hexadecimal digits; None if a file of the model has changed, or can't be read any more.
    """
    content = network_content(detector.network)
    if content is None:
        return None
    digest = hashlib.blake2b(content.encode(), digest_size=32)
    for number, part in enumerate(_parts(detector, set())):
        left_out = (*_IRRELEVANT, *_THRESHOLDS) if number == 0 else _IRRELEVANT
        digest.update(_described(part, left_out).encode("utf-8", "replace"))
    return digest.hexdigest()


def network_content(network: nn.Module | OnnxNetwork | TopDownNetwork) -> str | None:
    """Return a hash of a model's files, or of the structure and weights of a network.

    Returns:
        None if a file has changed or can't be read, or the network doesn't come from one that
        is known.
    """
    if isinstance(network, OnnxNetwork):
        return network.session.facts.content()
    if isinstance(network, TopDownNetwork):
        parts = [network_content(each.network) for each in network.stages]
        return None if None in parts else " ".join(filter(None, parts))
    import torch  # noqa: PLC0415 - the network has imported it

    digest = hashlib.blake2b()
    for name, module in network.named_modules():
        digest.update(f"{name} {_layer(module)}\n".encode("utf-8", "replace"))
    for name, value in network.state_dict().items():
        digest.update(name.encode("utf-8", "replace"))
        digest.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _layer(module: nn.Module) -> str:
    """Return what a layer is; the architecture in the description says what kpviewer's own are."""
    if type(module).__module__.startswith("kpviewer."):
        return module.extra_repr() + str(getattr(module, "identity", ""))
    if any(module.children()):
        return type(module).__qualname__ + module.extra_repr()
    return _ADDRESS.sub("", repr(module))


def _parts(part: Any, seen: set[int]) -> Iterator[Any]:
    """Yield a detector and those inside it: parts that have a description of their own."""
    if id(part) in seen:
        return
    seen.add(id(part))
    yield part
    modules = part.network.modules() if hasattr(part.network, "modules") else ()
    for holder in (part, part.network, *modules):
        for value in vars(holder).values() if hasattr(holder, "__dict__") else ():
            if isinstance(getattr(value, "spec", None), ModelSpec) and hasattr(value, "network"):
                yield from _parts(value, seen)


def _described(part: Any, left_out: tuple[str, ...]) -> str:
    """Return the text of a part: its description, how it is read, and its own code.

    Fields with their default values aren't part of it, so a new field changes no hash.
    """
    spec = {name: each for name, each in changed_fields(part.spec).items() if name not in left_out}
    texts = [
        json.dumps(spec, sort_keys=True),
        str(getattr(part, "identity", "")),
        *(_own_code(each) for each in (type(part), type(part.network))),
    ]
    return "\n".join(texts)


def _own_code(kind: type) -> str:
    """Return the name and a hash of the file of a class that the user wrote; empty for others."""
    if kind.__module__.partition(".")[0] in _KNOWN_CODE:
        return ""
    path = getattr(sys.modules.get(kind.__module__), "__file__", None)
    try:
        code = hashlib.blake2b(Path(path).read_bytes()).hexdigest() if path else ""
    except OSError:
        code = ""
    return f"{kind.__qualname__} {code}"
