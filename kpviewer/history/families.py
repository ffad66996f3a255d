"""The systems of the history, in the order of their papers. A new one is an entry here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

BACKBONES = ("light", "mobilenet", "resnet18", "vgg16")


@dataclass(frozen=True, slots=True)
class Family:
    """A detection system: what it is called, and how ``kpviewer train`` makes one."""

    key: str
    """Name on the command line, of the folder and in ``history.json``."""
    title: str
    year: int
    """Year of its paper."""
    recipe: str
    """Recipe of ``kpviewer train``."""
    architectures: Mapping[str, str]
    """Architecture by backbone."""
    start_key: Literal["init", "pretrained"]
    """Key of the recipe that names the weights to start from."""
    fixed: str
    """What it improved on the systems before it."""
    left: str
    """What it left to later systems."""


def _regional(key: str) -> dict[str, str]:
    return {backbone: f"{key}-{backbone}" for backbone in BACKBONES}


FAMILIES: Mapping[str, Family] = {
    family.key: family
    for family in (
        Family(
            "ssd",
            "SSD",
            2016,
            "light-ssd",
            {"light": "light-ssd"},
            "init",
            "No proposals: anchors on maps of several strides are classified in one pass.",
            "Fine maps see little context, so small objects suffer.",
        ),
    )
}
"""Systems by key."""
