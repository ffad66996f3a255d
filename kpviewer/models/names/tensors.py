"""Names of tensors in files of kpviewer 0.1, where the backbone was called ``trunk``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

_T = TypeVar("_T")
_TRUNK = re.compile(r"(^|\.)trunk\.")


def current_name(name: str) -> str:
    """Return today's name of a tensor or layer: ``trunk.stem.0`` is ``backbone.stem.0``."""
    return _TRUNK.sub(r"\1backbone.", name)


def with_current_names(state: Mapping[str, _T]) -> dict[str, _T]:
    """Return the same values by their current names."""
    return {current_name(name): value for name, value in state.items()}
