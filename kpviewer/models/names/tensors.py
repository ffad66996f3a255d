"""Names of tensors in files of former versions.

In kpviewer 0.1, the backbone was called ``trunk``. Until 0.2, face-ssd had ``region_points``, which
read points from the feature maps before the refiner read them from the pixels.
"""

import re
from collections.abc import Mapping
from typing import TypeVar

_T = TypeVar("_T")
_TRUNK = re.compile(r"(^|\.)trunk\.")
_UNUSED = re.compile(r"(^|\.)region_points\.")


def current_name(name: str) -> str:
    """Return today's name of a tensor or layer: ``trunk.stem.0`` is ``backbone.stem.0``."""
    return _TRUNK.sub(r"\1backbone.", name)


def is_used(name: str) -> bool:
    """Return whether a tensor or layer belongs to a part that networks still have."""
    return _UNUSED.search(name) is None


def with_current_names(state: Mapping[str, _T]) -> dict[str, _T]:
    """Return the same values by their current names, without those of parts that are gone."""
    return {current_name(name): state[name] for name in state if is_used(name)}
